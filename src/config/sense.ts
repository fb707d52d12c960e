/** Problems of keys that are each right by themselves. An error prevents settings, a warning only shows. */
import { builtInHarnesses } from "../adapters/harness/descriptions.ts";
import { nearest } from "../core/nearest.ts";
import { harnessNamed } from "../routing/harness-names.ts";
import { findProfile, readyProfiles } from "../routing/profile.ts";
import { cronProblem, shortestPauseMs } from "../schedule/cron.ts";
import type { TriggerName } from "../trigger/event.ts";
import { conditionNames, conditionText } from "../trigger/judge.ts";
import { startsOn, type WorkflowStart, workflowEvents } from "../trigger/workflow-events.ts";
import { parseExpression } from "../workflow/expression.ts";
import { parseTemplate } from "../workflow/template.ts";
import { networkEntryProblem } from "./network-presets.ts";
import type { ConfigPath, ConfigProblem } from "./problem.ts";
import type { ScheduleSettings, Settings } from "./schema.ts";

type SenseProblem = Pick<ConfigProblem, "message" | "suggestion" | "severity"> & { path: ConfigPath };

/** Known facts in addition to the file, if Baton checks it within its repository. */
export interface ConfigSurroundings {
  /** Names of all processes. Without it, Baton calls none unknown. */
  processes?: readonly string[];
  /** The inputs that `with` may name, by process. Baton does not judge a process that is missing here. */
  inputs?: Readonly<Record<string, readonly string[]>>;
  /** Cron expressions that start the jobs of Actions mode. Without any, an App starts the schedules. */
  wakeUps?: readonly string[];
  /** Events that start these jobs. */
  starts?: readonly WorkflowStart[];
}

export function senseProblems(settings: Settings, surroundings: ConfigSurroundings = {}): SenseProblem[] {
  return [
    ...ofKeys(settings),
    ...ofSchedules(settings, surroundings),
    ...ofTriggers(settings, surroundings),
    ...ofSweep(settings),
  ];
}

function ofKeys({
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
    // An agent of the operator may have any name. A name close to one of Baton's is most likely a slip.
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

const minuteMs = 60_000;

function ofSchedules({ schedules, dashboard, budget }: Settings, surroundings: ConfigSurroundings): SenseProblem[] {
  const problems: SenseProblem[] = [];
  const { wakeUps = [] } = surroundings;
  const wakeMs = Math.min(
    ...wakeUps
      .filter((cron) => cronProblem(cron) === null)
      .map((cron) => shortestPauseMs(cron) ?? Number.POSITIVE_INFINITY),
  );
  const say = (severity: SenseProblem["severity"], path: ConfigPath, message: string, suggestion?: string | null) =>
    problems.push({ severity, path, message, suggestion: suggestion ?? null });
  if (schedules.length > 0 && !dashboard)
    say(
      "warning",
      ["dashboard"],
      "`schedules` do not run with `dashboard: false`: the dashboard issue is the thread of their runs. Set `dashboard: true`.",
    );
  for (const [index, rule] of schedules.entries()) {
    const { name, cron } = rule;
    const at = (key: string): ConfigPath => ["schedules", index, key];
    if (schedules.findIndex((one) => one.name === name) < index)
      say("error", at("name"), `Two schedules are called \`${name}\`. Give one of them another name.`);
    const problem = cronProblem(cron);
    if (problem !== null) say("error", at("cron"), `\`${cron.slice(0, 60).replaceAll("`", "'")}\` ${problem}`);
    // Only if the answer matters, because it computes some hundred moments.
    const pause = problem === null && Number.isFinite(wakeMs) ? shortestPauseMs(cron) : null;
    if (pause !== null && pause < wakeMs)
      say(
        "warning",
        at("cron"),
        `\`${cron}\` comes every ${pause / minuteMs} minutes, but the workflow wakes Baton every ${wakeMs / minuteMs} minutes (\`on.schedule\`). In Actions mode the schedule is as fine as that.`,
      );
    problems.push(...ofRule(["schedules", index], rule, budget, surroundings));
  }
  return problems;
}

/** Checks that schedules and triggers share. */
function ofRule(
  at: ConfigPath,
  { process, with: given, budgetUsd }: Pick<ScheduleSettings, "process" | "with" | "budgetUsd">,
  { maxUsd }: Pick<Settings["budget"], "maxUsd">,
  { processes, inputs = {} }: ConfigSurroundings,
): SenseProblem[] {
  const problems: SenseProblem[] = [];
  const say = (path: ConfigPath, message: string, suggestion: string | null = null) =>
    problems.push({ severity: "error", path: [...at, ...path], message, suggestion });
  if (processes !== undefined && !processes.includes(process))
    say(["process"], unknownProcess(process, processes), nearest(process, processes));
  const known = Object.hasOwn(inputs, process) ? (inputs[process] ?? []) : Object.keys(given);
  for (const name of Object.keys(given).filter((one) => !known.includes(one)))
    say(["with", name], unknownInput(process, name, known), nearest(name, known));
  if (budgetUsd !== null && budgetUsd > maxUsd)
    say(
      ["budgetUsd"],
      `\`budgetUsd\` is ${budgetUsd}, more than \`budget.maxUsd\` (${maxUsd}). Lower the one or raise the other.`,
    );
  return problems;
}

function ofSweep({ sweep, schedules }: Settings): SenseProblem[] {
  const problems = sweep.detectors.flatMap(({ use, command, report, rules, ask, paths }, index): SenseProblem[] => {
    const say = (message: string): SenseProblem[] => [
      { severity: "error", path: ["sweep", "detectors", index], message, suggestion: null },
    ];
    const needsCommand = ["sarif", "command", "coverage"].includes(use);
    if (!needsCommand && (command !== null || report !== null))
      return say(`\`${use}\` has no command of yours. Remove \`command\` and \`report\`.`);
    if (needsCommand && command === null) return say(`The detector \`${use}\` needs a \`command\`.`);
    if (use !== "pattern" && rules.length > 0) return say(`Only \`pattern\` has \`rules\`. Remove them.`);
    if (use !== "agent" && (ask !== null || paths.length > 0))
      return say("Only `agent` has `ask` and `paths`. Remove them.");
    if (use === "agent" && ask === null) return say("`agent` needs `ask`: what it looks for.");
    if (use === "pattern" && rules.length === 0) return say("`pattern` needs `rules`. Name at least one.");
    const unclear = rules.find(({ text, regex, ast }) => [text, regex, ast].filter((one) => one !== null).length !== 1);
    if (unclear !== undefined) return say(`The rule \`${unclear.id}\` needs one of \`text\`, \`regex\` and \`ast\`.`);
    const twice = rules.find(({ id }, at) => rules.findIndex((one) => one.id === id) < at);
    return twice === undefined ? [] : say(`Two rules are called \`${twice.id}\`. Give one of them another name.`);
  });
  const at = schedules.findIndex(({ process }) => process === "sweep");
  if (at >= 0 && sweep.detectors.length === 0)
    problems.push({
      severity: "error",
      path: ["schedules", at, "process"],
      message: "The process `sweep` needs `sweep.detectors`. Name at least one.",
      suggestion: null,
    });
  return problems;
}

function ofTriggers({ triggers, schedules, budget }: Settings, surroundings: ConfigSurroundings): SenseProblem[] {
  const problems: SenseProblem[] = [];
  const say = (
    severity: SenseProblem["severity"],
    path: ConfigPath,
    message: string,
    suggestion: string | null = null,
  ) => problems.push({ severity, path, message, suggestion });
  const { wakeUps = [], starts = [] } = surroundings;
  for (const [index, rule] of triggers.entries()) {
    const { name, on, if: condition, key } = rule;
    const at = (part: string): ConfigPath => ["triggers", index, part];
    if (triggers.findIndex((one) => one.name === name) < index || schedules.some((one) => one.name === name))
      say("error", at("name"), `Two rules are called \`${name}\`. Give one of them another name.`);
    // Only the workflow of Actions mode has its own clock.
    if (wakeUps.length > 0 && !startsOn(starts, on)) say("warning", at("on"), unheard(on));
    if (rule.changed.length > 0 && on !== "push")
      say(
        "error",
        at("changed"),
        `\`changed\` is about the files of a \`push\`, and this rule is about \`${on}\`. Remove it.`,
      );
    const parsed = condition === null ? null : parseExpression(conditionText(condition), conditionNames, false);
    if (parsed !== null && !parsed.ok) say("error", at("if"), parsed.problem.message, parsed.problem.suggestion);
    for (const problem of key === null ? [] : parseTemplate(key, conditionNames).problems)
      say("error", at("key"), problem.message, problem.suggestion);
    problems.push(...ofRule(["triggers", index], rule, budget, surroundings));
  }
  return problems;
}

function unheard(on: TriggerName): string {
  const needed = workflowEvents[on];
  if (needed === null) return `\`${on}\` reaches an App only. Actions mode has no address.`;
  const named = `\`on.${needed.event}${needed.type === null ? "" : ".types"}\``;
  if (needed.event === "repository_dispatch")
    return `The workflow of Actions mode starts on no \`${on}\` but the type \`baton\`. Add yours to \`on.repository_dispatch.types\`.`;
  const what = needed.type === null ? `it` : `\`${needed.type}\``;
  return `The workflow of Actions mode does not start on \`${on}\`, so the rule starts nothing there. Run \`baton init\` again, or add ${what} to ${named} and to the condition of its first job.`;
}

function unknownProcess(name: string, known: readonly string[]): string {
  return `There is no process \`${name.slice(0, 60).replaceAll("`", "'")}\`. There are: ${known.join(", ")}.`;
}

/** Also runs when a rule starts, because the process may have changed since Baton checked the file. */
export function unknownInput(process: string, name: string, known: readonly string[]): string {
  return `\`${process}\` has no input \`${name.slice(0, 60).replaceAll("`", "'")}\`. \`with\` may have: ${known.join(", ")}.`;
}
