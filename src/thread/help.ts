/** Help, generated from the grammar: what there is, what the asker may use, and who can use the rest. */
import type { Settings } from "../config/schema.ts";
import type { Permission } from "../core/vocabulary.ts";
import { atLeast, permissionFor } from "../policy/permission.ts";
import { type CommandGrammar, grammars } from "./grammar/index.ts";

export interface HelpFacts {
  login: string;
  permission: Permission;
  settings: Settings;
  processes: { name: string; summary: string }[];
}

export function permissionNeeded(grammar: CommandGrammar, settings: Settings): Permission {
  return permissionFor(grammar.name, grammar.needs, settings.commands).permission;
}

export function renderHelp(facts: HelpFacts): string {
  const rows = grammars.map((grammar) => {
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
  ].join("\n");
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
