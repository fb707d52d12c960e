import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { builtInProcesses } from "../../../processes/index.ts";
import { inputsOf, processFolder, processPath } from "../../begin/load-processes.ts";
import { effectiveDifference } from "../../config/effective.ts";
import {
  type ConfigProblem,
  type ConfigSurroundings,
  configPaths,
  type ParsedConfig,
  parseConfig,
  twoFilesProblem,
} from "../../config/parse.ts";
import { defaultSettings, type Settings } from "../../config/schema.ts";
import { startsOf, wakeUpsOf, workflowFolder } from "../../config/wake-ups.ts";
import { BatonError } from "../../core/errors.ts";
import { parseProcess } from "../../workflow/parse.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { exitCodes } from "../exit.ts";

interface Options {
  base?: string;
  json?: true;
}

export const configCheck: CliCommand = (program, context) => {
  group(program, "config", "The configuration of a repository, `baton.yaml`.")
    .command("check [file]")
    .description("Check a `baton.yaml`: problems with their lines, or what it changes in effect.")
    .option("--base <file>", "Compare with this configuration instead of the defaults; `defaults` for these.")
    .option(...jsonOption)
    .action((file: string | undefined, { base, json }: Options) => {
      const { directory, print, exit } = context;
      const path = file ?? configPaths.find((one) => existsSync(join(directory, one)));
      if (path === undefined)
        throw new BatonError("BATON_INPUT_INVALID", `There is no ${configPaths.join(" nor ")} in ${directory}.`);
      const there = file === undefined ? configPaths.filter((one) => existsSync(join(directory, one))) : [];
      const parsed: ParsedConfig =
        there.length > 1
          ? { ok: false, problems: [twoFilesProblem(there)] }
          : parseConfig(read(directory, path), surroundingsOf(directory));
      const changes = parsed.ok ? effectiveDifference(settingsOf(directory, base), parsed.settings) : [];
      if (!parsed.ok) exit(exitCodes.no);
      if (json === true) {
        print(JSON.stringify({ path, ok: parsed.ok, problems: parsed.problems, changes }, null, 2));
        return;
      }
      for (const problem of parsed.problems) print(line(path, problem));
      print(verdict(path, parsed));
      for (const { sentence } of changes) print(`  ${sentence.replaceAll("`", "")}`);
      if (parsed.ok && changes.length === 0) print("  It changes nothing in effect.");
    });
};

/** The context of the check: existing processes, and the starts of jobs of Actions mode. */
function surroundingsOf(directory: string): ConfigSurroundings {
  const files = (folder: string): string[] => {
    const path = join(directory, folder);
    return existsSync(path) ? readdirSync(path) : [];
  };
  const own = files(processFolder).flatMap((name) => /^(.+)\.yaml$/.exec(name)?.[1] ?? []);
  const workflows = files(workflowFolder)
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => read(directory, join(workflowFolder, name)));
  const builtIn = builtInProcesses().names();
  const checked = own.map((name) => ({ name, parsed: parseProcess(read(directory, processPath(name)), null) }));
  return {
    processes: [...builtIn, ...own],
    inputs: inputsOf(builtIn, checked),
    wakeUps: workflows.flatMap(wakeUpsOf),
    starts: workflows.flatMap(startsOf),
  };
}

function read(directory: string, path: string): string {
  try {
    return readFileSync(resolve(directory, path), "utf8");
  } catch (thrown) {
    throw new BatonError("BATON_INPUT_INVALID", `"${path}" cannot be read.`, { cause: thrown });
  }
}

function settingsOf(directory: string, base: string | undefined): Settings {
  if (base === undefined || base === "defaults") return defaultSettings;
  const parsed = parseConfig(read(directory, base));
  if (parsed.ok) return parsed.settings;
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `${base} has problems itself:\n${parsed.problems.map((one) => line(base, one)).join("\n")}`,
  );
}

/** The format of compilers, so that editors and terminals find the place. */
function line(path: string, { line: row, column, severity, message, suggestion }: ConfigProblem): string {
  return `${path}:${row}:${column}: ${severity}: ${message}${suggestion === null ? "" : ` Did you mean \`${suggestion}\`?`}`;
}

function verdict(path: string, parsed: ParsedConfig): string {
  const errors = parsed.problems.filter(({ severity }) => severity === "error").length;
  const warnings = parsed.problems.length - errors;
  const counted = [
    ...(errors > 0 ? [`${errors} error${errors === 1 ? "" : "s"}`] : []),
    ...(warnings > 0 ? [`${warnings} warning${warnings === 1 ? "" : "s"}`] : []),
  ];
  return parsed.ok
    ? `${path} is right${counted.length === 0 ? "" : `, with ${counted.join()}`}.`
    : `${path} is not right: ${counted.join(", ")}.`;
}
