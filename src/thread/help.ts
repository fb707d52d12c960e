/** Help, generated from the grammar: the commands, which of them the asker may use, and who can use the rest. */
import type { ConfigProblem } from "../config/problem.ts";
import type { Settings } from "../config/schema.ts";
import type { EffectState, RunState } from "../core/state.ts";
import type { Permission } from "../core/vocabulary.ts";
import { atLeast, permissionFor } from "../policy/permission.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import type { CommandGrammar, ThreadKind } from "./grammar.ts";
import { folded } from "./render/parts.ts";

export interface HelpFacts {
  login: string;
  permission: Permission;
  settings: Settings;
  /** The file that holds the settings. null: there is none. */
  configuration: { path: string | null; problems: readonly ConfigProblem[]; warnings: readonly ConfigProblem[] };
  /** All commands. */
  commands: readonly CommandGrammar[];
  thread: ThreadKind;
  run: RunState | null;
  lastRun: RunState | null;
  processes: { name: string; summary: string }[];
}

export function permissionNeeded(grammar: CommandGrammar, settings: Settings): Permission {
  return permissionFor(grammar.name, grammar.needs, settings.commands).permission;
}

/** The commands that make sense now come first. */
export function renderHelp(facts: HelpFacts): string {
  const { commands, run, lastRun, thread } = facts;
  const here = commands.filter(({ appliesTo }) => appliesTo.includes(thread));
  const names = namesNow(run, lastRun);
  const first = names.flatMap((name) => here.filter((one) => one.name === name));
  const others = here.filter((one) => !first.includes(one));
  const processes = facts.processes.map(({ name, summary }) => `- \`${name}\`: ${summary}`);
  return [
    `@${facts.login}, these commands make sense now. You have **${facts.permission}** access here.`,
    tableOf(first, facts),
    folded("Other commands", tableOf(others, facts)),
    folded("Processes", processes.join("\n")),
    renderConfiguration(facts.configuration),
  ].join("\n\n");
}

function tableOf(commands: readonly CommandGrammar[], { permission, settings }: HelpFacts): string {
  const rows = commands.map((grammar) => {
    const needed = permissionNeeded(grammar, settings);
    const may = atLeast(permission, needed) ? "yes" : `needs ${needed}`;
    return `| \`/baton ${grammar.usage.replaceAll("|", "\\|")}\` | ${grammar.summary} | ${may} |`;
  });
  return ["| Command | What it does | You may |", "|---|---|---|", ...rows].join("\n");
}

/** `run`: active. `lastRun`: the newest, active or not. */
function namesNow(run: RunState | null, lastRun: RunState | null): string[] {
  if (run === null) {
    if (lastRun === null) return ["run", "race"];
    return lastRun.outcome?.verdict.status === "passed" ? ["run", "cost", "why"] : ["retry", "run", "why", "cost"];
  }
  if (run.status === "paused") return ["resume", "cancel", "status"];
  const open = [...run.open].flatMap((key) => run.effects.get(key) ?? []);
  const names = [
    ...(open.some(({ kind }) => kind === "ask") ? ["answer"] : []),
    ...(open.some(isApproval) ? ["approve", "reject"] : []),
    ...(open.some(({ status }) => status === "stopped") ? ["budget"] : []),
    ...(open.some(({ kind }) => kind === "gate") ? ["refresh"] : []),
  ];
  return [...names, "status", "why", "pause", "cancel"];
}

/** A review and a merge happen on GitHub. */
function isApproval(effect: EffectState): boolean {
  return effect.kind === "breakpoint" && effect.input.kind !== "review" && effect.input.kind !== "merge";
}

function renderConfiguration({ path, problems, warnings }: HelpFacts["configuration"]): string {
  if (path === null) return "No `baton.yaml` exists, so the defaults apply.";
  if (problems.length > 0)
    return `\`${path}\` has errors, so Baton starts nothing:\n\n${renderProblems(path, problems)}`;
  if (warnings.length === 0) return `Configured by \`${path}\`.`;
  return `Configured by \`${path}\`, with warnings:\n\n${renderProblems(path, warnings)}`;
}

/** One line for each problem, with its place and a guess of the intended word. */
export function renderProblems(path: string | null, problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ line, message, suggestion }) => {
      const meant = suggestion === null ? "" : ` Did you mean \`${suggestion}\`?`;
      return `- ${path ?? "baton.yaml"}:${line}: ${neutraliseLine(message)}${meant}`;
    })
    .join("\n");
}

export function renderCommandHelp(grammar: CommandGrammar, facts: HelpFacts): string {
  const needed = permissionNeeded(grammar, facts.settings);
  return [
    `\`/baton ${grammar.usage}\``,
    "",
    `${grammar.summary} Needs **${needed}** access; you have **${facts.permission}**.`,
    ...(Object.keys(grammar.options).length === 0 ? [] : ["", "Options:"]),
    ...Object.entries(grammar.options).map(([name, option]) => `- \`--${name} ${option.value}\`: ${option.summary}`),
    ...(grammar.examples.length === 0
      ? []
      : [
          "",
          "Examples:",
          "",
          "```text",
          grammar.examples.map((example) => `/baton ${example}`).join(grammar.examples.some(isLong) ? "\n\n" : "\n"),
          "```",
        ]),
  ].join("\n");
}

function isLong(example: string): boolean {
  return example.includes("\n");
}
