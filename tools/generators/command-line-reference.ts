/** docs/reference/command-line.md: the program `baton`, from its own commands. */
import type { Command } from "commander";
import { exitCodesHelp } from "../../src/cli/exit.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { product } from "../../src/core/product.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

export function commandLineReference(): GeneratedFile {
  const program = buildProgram({
    environment: {},
    directory: ".",
    print() {},
    note() {},
    exit() {},
  });
  const text = [
    "# Reference: command line",
    "",
    generatedFrom("src/cli"),
    "",
    `\`baton\` is installed by \`npm install --global ${product.packageName}\`. In a clone of this repository it is \`node bin/baton.js\`. \`--help\` works after every command. Commands read settings as the App does ([settings](settings.md)). If the App runs on the same data directory, commands ask it over its socket there; otherwise they open its data.`,
    "",
    ...leavesOf(program).flatMap(section),
    "## Exit codes",
    "",
    ...markdownTable(
      ["Code", "Meaning"],
      exitCodesHelp.map(([code, meaning]) => [`${code}`, meaning]),
    ),
  ].join("\n");
  return { path: "docs/reference/command-line.md", text };
}

interface Leaf {
  path: string;
  command: Command;
}

function leavesOf(parent: Command): Leaf[] {
  return parent.commands.flatMap((command) => {
    const path = `${parent.parent === null ? "" : `${parent.name()} `}${command.name()}`;
    return command.commands.length > 0 ? leavesOf(command) : [{ path, command }];
  });
}

function section({ path, command }: Leaf): string[] {
  const parts = [
    ...command.registeredArguments
      .filter(({ description }) => description !== "")
      .map((argument) => [`\`${argument.name()}\``, argument.description]),
    ...command.options.map(({ flags, description }) => [`\`${flags}\``, description]),
  ];
  const given = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [
    `## ${path}`,
    "",
    `\`baton ${[path, ...(command.options.length === 0 ? [] : ["[options]"]), ...given].join(" ")}\``,
    "",
    command.description(),
    "",
    ...(parts.length === 0 ? [] : markdownTable(["Part", "Meaning"], parts)),
  ];
}
