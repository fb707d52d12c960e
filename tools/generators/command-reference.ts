/** docs/reference/commands.md: what can be asked in a thread, from the grammar and the default permissions. */

import { commands } from "../../src/commands/index.ts";
import { defaultSettings } from "../../src/config/schema.ts";
import { permissionFor } from "../../src/policy/permission.ts";
import type { CommandGrammar } from "../../src/thread/grammar.ts";
import { permissionNeeded } from "../../src/thread/help.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

export function commandReference(): GeneratedFile {
  const text = [
    "# Reference: commands",
    "",
    generatedFrom("src/commands"),
    "",
    "A command is a comment with `/baton` at the start of a line of its own text, on an issue or a pull request. Not counted: code, quotes, lists, tables, headings, HTML, mail below the answer, and edits of a comment. The first command of a comment counts, one a comment. A word that is no command gets a suggestion and is never executed.",
    "",
    "Where a command takes free text, it is the rest of the line and the lines after it; options stand before or after it on the first line.",
    "",
    ...markdownTable(
      ["Command", "What it does", "Permission by default"],
      commands.map((grammar) => [
        `[\`/baton ${grammar.usage}\`](#${grammar.name})`,
        grammar.summary,
        permissionNeeded(grammar, defaultSettings),
      ]),
    ),
    "The permission of a command is `commands.allow.<command>` of [baton.yaml](baton-yaml.md) where that is set, else `commands.run` or `commands.steer` as each section says. Who asks and what they may is read from GitHub at that moment.",
    "",
    ...commands.flatMap(section),
  ].join("\n");
  return { path: "docs/reference/commands.md", text };
}

function section(grammar: CommandGrammar): string[] {
  const { name, aliases, usage, summary, examples, needs, positional, options, needsRun, worksOnHead } = grammar;
  const { permission, key } = permissionFor(name, needs, defaultSettings.commands);
  const parts = [
    ...positional.map((part) => [`\`${part.name}\``, `${part.summary}${part.required ? "" : " May be left out."}`]),
    ...Object.entries(options).map(([option, { value, summary: said }]) => [`\`--${option} ${value}\``, said]),
  ];
  const notes = [
    summary,
    key === null ? `Permission: ${permission}.` : `Permission: \`${key}\`.`,
    ...(needsRun ? ["Needs a run in the thread."] : []),
    ...(worksOnHead ? ["Refused on a pull request from a fork."] : []),
    ...aliases.map((alias) => `Also written \`/baton ${alias}\`.`),
  ];
  return [
    `## ${name}`,
    "",
    `\`/baton ${usage}\``,
    "",
    notes.join(" "),
    "",
    ...(parts.length === 0 ? [] : markdownTable(["Part", "Meaning"], parts)),
    ...(examples.length === 0 ? [] : [...examples.map((example) => `- \`/baton ${example}\``), ""]),
  ];
}
