import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { processFolder, processPath } from "../../begin/load-processes.ts";
import { BatonError } from "../../core/errors.ts";
import { type CliCommand, group } from "../context.ts";
import { allWith } from "../processes.ts";

/** Small enough to read at once. It runs unchanged. */
const template = `summary: Changes what the thread asks for, tests it, and proposes it.
on: [issue]
budgetUsd: 2
steps:
  - id: change
    stage: Work
    agent:
      prompt: Do what the thread asks for. Change as little as possible.
  - id: test
    stage: Work
    retry: { attempts: 2, pauseSeconds: 30 }
    shell: [npm, test]
  - id: propose
    stage: Publish
    publish: pull-request
`;

export const processNew: CliCommand = (program, context) => {
  group(program, "process", "Processes of a repository, written in YAML.")
    .command("new <name>")
    .description(`Write a YAML process into ${processFolder} that runs unchanged. An existing file stays.`)
    .action(async (name: string) => {
      const { directory, print } = context;
      // The rules for names are those of a file in the folder.
      const { parsed } = await allWith(template).check(name);
      const problem = parsed.problems.find(({ severity }) => severity === "error");
      if (problem !== undefined)
        throw new BatonError("BATON_INPUT_INVALID", `"${name}" cannot be the name. ${problem.message}`);
      const path = processPath(name);
      const file = join(directory, path);
      if (existsSync(file)) throw new BatonError("BATON_INPUT_INVALID", `${path} exists. Baton changed nothing.`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, template);
      print(`Wrote ${path}. Change its steps, then run \`baton process check ${path}\`.`);
      print(`Once the file is on the default branch, write \`/baton run ${name}\` in an issue.`);
    });
};
