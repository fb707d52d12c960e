/** What makes no sense together although each key is right by itself. An error hinders, a warning is shown. */
import { builtInHarnesses } from "../adapters/harness/descriptions.ts";
import { nearest } from "../core/nearest.ts";
import { harnessNamed } from "../routing/harness-names.ts";
import { findProfile, readyProfiles } from "../routing/profile.ts";
import { networkEntryProblem } from "./network-presets.ts";
import type { ConfigPath, ConfigProblem } from "./problem.ts";
import type { Settings } from "./schema.ts";

type SenseProblem = Pick<ConfigProblem, "message" | "suggestion" | "severity"> & { path: ConfigPath };

export function senseProblems({
  budget,
  limits,
  gates,
  approvals,
  breakpoints,
  merge,
  harness,
  profiles,
  tiers,
  mcp,
  sandbox,
}: Settings): SenseProblem[] {
  const problems: SenseProblem[] = [];
  const say = (
    severity: SenseProblem["severity"],
    path: ConfigPath,
    message: string,
    suggestion: string | null = null,
  ): void => {
    problems.push({ severity, path, message, suggestion });
  };
  if (budget.runUsd > budget.maxUsd) {
    say(
      "error",
      ["budget", "runUsd"],
      `\`budget.runUsd\` is ${budget.runUsd}, more than \`budget.maxUsd\` (${budget.maxUsd}). Lower the one or raise the other.`,
    );
  }
  if (limits.attemptUsd > budget.runUsd && budget.runUsd > 0) {
    say(
      "warning",
      ["limits", "attemptUsd"],
      `\`limits.attemptUsd\` is ${limits.attemptUsd}, but a run has only ${budget.runUsd} (\`budget.runUsd\`): the first attempt gets all of it.`,
    );
  }
  const named: [ConfigPath, string][] = [
    [["harness", "default"], harness.default],
    ...harness.fallback.map((name, at): [ConfigPath, string] => [["harness", "fallback", at], name]),
    ...Object.keys(tiers).map((name): [ConfigPath, string] => [["tiers", name], name]),
    ...Object.entries(profiles).flatMap(([profile, own]) =>
      own.harnesses.map((name, at): [ConfigPath, string] => [["profiles", profile, "harnesses", at], name]),
    ),
  ];
  for (const [path, name] of named) {
    // An agent of the operator's own may have any name; one that is nearly Baton's is most likely a slip.
    const meant = builtInHarnesses.includes(name)
      ? null
      : (harnessNamed(name, builtInHarnesses) ?? nearest(name, builtInHarnesses));
    if (meant !== null)
      say("warning", path, `\`${path.join(".")}\` is "${name}", which is not one of Baton's own.`, meant);
  }
  const profileNames = [...new Set([...Object.keys(readyProfiles), ...Object.keys(profiles)])];
  if (findProfile(harness.profile, profiles) === null)
    say(
      "error",
      ["harness", "profile"],
      `There is no profile "${harness.profile}". There are: ${profileNames.join(", ")}.`,
      nearest(harness.profile, profileNames),
    );
  for (const name of Object.keys(profiles).filter((own) => Object.hasOwn(readyProfiles, own)))
    say("error", ["profiles", name], `\`${name}\` is one of Baton's own profiles. Give yours another name.`);
  for (const [name, { command, url }] of Object.entries(mcp))
    if (command.length > 0 === (url !== null))
      say("error", ["mcp", name], `\`mcp.${name}\` needs either \`command\` or \`url\`.`);
  for (const [at, entry] of sandbox.network.entries()) {
    const problem = networkEntryProblem(entry);
    if (problem !== null) say("error", ["sandbox", "network", at], problem.message, problem.suggestion);
  }
  for (const { name } of gates.required.filter((check) => gates.ignore.includes(check.name))) {
    say(
      "error",
      ["gates", "ignore"],
      `The check "${name}" is in \`gates.required\` and in \`gates.ignore\`. Take it out of one.`,
    );
  }
  if (gates.appearSeconds > gates.timeoutMinutes * 60) {
    say(
      "warning",
      ["gates", "appearSeconds"],
      `\`gates.appearSeconds\` is longer than \`gates.timeoutMinutes\` allows at all.`,
    );
  }
  if (approvals.people.length > 0 && approvals.people.length < approvals.count) {
    say(
      "error",
      ["approvals", "count"],
      `\`approvals.count\` asks for ${approvals.count} people, but only ${approvals.people.length} may approve (\`approvals.people\`).`,
    );
  }
  if (merge.mode === "auto" && breakpoints.review === "auto") {
    say(
      "warning",
      ["merge"],
      "`merge: auto` with `breakpoints.review: auto` merges an agent's work that no person has seen.",
    );
  }
  if (gates.noChecks === "pass" && breakpoints.review === "auto") {
    say(
      "warning",
      ["gates", "noChecks"],
      "`gates.noChecks: pass` with `breakpoints.review: auto` passes work that neither a check nor a person has seen.",
    );
  }
  return problems;
}
