import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { processFolder } from "../../begin/load-processes.ts";
import { BatonError } from "../../core/errors.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { exitCodes } from "../exit.ts";
import { beside, inFolder, misnamedIn } from "../processes.ts";

export const processCheck: CliCommand = (program, context) => {
  group(program, "process", "Processes of a repository, written in YAML.")
    .command("check [files...]")
    .description(`Check YAML processes, by default all of ${processFolder}: problems with line and column.`)
    .option(...jsonOption)
    .action(async (files: string[], { json }: { json?: true }) => {
      const { directory, print, exit } = context;
      const paths = files.length > 0 ? files.map((file) => resolve(directory, file)) : inFolder(directory);
      const results = [];
      for (const path of paths) {
        if (!existsSync(path)) throw new BatonError("BATON_INPUT_INVALID", `"${path}" cannot be read.`);
        if (!path.endsWith(".yaml"))
          throw new BatonError("BATON_INPUT_INVALID", `"${path}" is not named .yaml, so Baton would not read it.`);
        const { parsed } = await beside(dirname(path)).check(basename(path, ".yaml"));
        results.push({
          path: files[paths.indexOf(path)] ?? join(processFolder, basename(path)),
          ok: parsed.ok,
          problems: parsed.problems,
        });
      }
      if (results.some(({ ok }) => !ok)) exit(exitCodes.no);
      if (json === true) {
        print(JSON.stringify(results, null, 2));
        return;
      }
      if (files.length === 0)
        for (const name of misnamedIn(directory))
          print(`${join(processFolder, name)} is not read: Baton reads files that are named .yaml.`);
      if (results.length === 0) print(`There are no processes in ${processFolder}.`);
      for (const { path, ok, problems } of results) {
        for (const { line, column, severity, message, suggestion } of problems)
          print(
            `${path}:${line}:${column}: ${severity}: ${message}${suggestion === null ? "" : ` Did you mean \`${suggestion}\`?`}`,
          );
        print(
          ok
            ? `${path} is right.`
            : `${path} is not right: ${problems.length} problem${problems.length === 1 ? "" : "s"}.`,
        );
      }
    });
};
