/** Help, generated from the grammar: what there is, what the asker may use, and who can use the rest. */
import type { ConfigProblem } from "../config/problem.ts";
import type { Settings } from "../config/schema.ts";
import type { Permission } from "../core/vocabulary.ts";
import { atLeast, permissionFor } from "../policy/permission.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import type { CommandGrammar } from "./grammar.ts";

export interface HelpFacts {
  login: string;
  permission: Permission;
  settings: Settings;
  /** The file that the settings come from; null: there is none. */
  configuration: { path: string | null; problems: readonly ConfigProblem[]; warnings: readonly ConfigProblem[] };
  /** All there are. */
  commands: readonly CommandGrammar[];
  processes: { name: string; summary: string }[];
}

export function permissionNeeded(grammar: CommandGrammar, settings: Settings): Permission {
  return permissionFor(grammar.name, grammar.needs, settings.commands).permission;
}

export function renderHelp(facts: HelpFacts): string {
  const rows = facts.commands.map((grammar) => {
    const needed = permissionNeeded(grammar, facts.settings);
    const may = atLeast(facts.permission, needed);
    return `| \`/baton ${grammar.usage.replaceAll("|", "\\|")}\` | ${grammar.summary} | ${may ? "yes" : `needs ${needed}`} |`;
  });
  const processes = facts.processes.map(({ name, summary }) => `- \`${name}\`: ${summary}`);
  return [
    `@${facts.login}, you have **${facts.permission}** access here.`,
    "",
    "| Command | What it does | You may |",
    "|---|---|---|",
    ...rows,
    "",
    "<details><summary>Processes</summary>",
    "",
    ...processes,
    "",
    "</details>",
    "",
    renderConfiguration(facts.configuration),
  ].join("\n");
}

function renderConfiguration({ path, problems, warnings }: HelpFacts["configuration"]): string {
  if (path === null) return "There is no `baton.yaml`, so the defaults hold.";
  if (problems.length > 0)
    return `\`${path}\` has errors, so nothing can be started:\n\n${renderProblems(path, problems)}`;
  if (warnings.length === 0) return `Configured by \`${path}\`.`;
  return `Configured by \`${path}\`, with something to look at:\n\n${renderProblems(path, warnings)}`;
}

/** One line each, with its place and what was probably meant. */
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
    ...Object.entries(grammar.options).map(([name, option]) => `- \`--${name} ${option.value}\`: ${option.summary}`),
    ...(grammar.examples.length === 0
      ? []
      : ["", "Examples:", ...grammar.examples.map((example) => `- \`/baton ${example}\``)]),
  ].join("\n");
}
