import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BatonError } from "../../core/errors.ts";
import { detectorNamed, detectors, linesOf } from "../../sweep/detectors/index.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { table } from "../text.ts";

interface Options {
  sarif?: string;
  detector?: string;
  report?: string;
  root?: string;
  json?: true;
}

export const sweepDetect: CliCommand = (program, context) => {
  group(program, "sweep", "What scheduled sweeps find.")
    .command("detect")
    .description("Read a report as a detector of sweeps does, and print its findings.")
    .option("--sarif <file>", "A report in SARIF 2.1.0.")
    .option("--detector <name>", `The detector that reads --report: ${detectors.map(({ name }) => name).join(", ")}.`)
    .option("--report <file>", "The report for --detector.")
    .option("--root <directory>", "Where the tool saw the repository; default: here.")
    .option(...jsonOption)
    .action(({ sarif, detector, report, root, json }: Options) => {
      const { directory, print, note } = context;
      const name = sarif === undefined ? detector : "sarif";
      const path = sarif ?? report;
      if (name === undefined || path === undefined || (sarif !== undefined && (detector ?? report) !== undefined))
        throw new BatonError("BATON_INPUT_INVALID", "Write --sarif <file>, or --detector <name> with --report <file>.");
      const text = read(resolve(directory, path), path);
      const place = resolve(directory, root ?? ".");
      const options = { root: place, now: Date.now(), lineAt: linesOf((file) => present(join(place, file))) };
      const found = detectorNamed(name).read(text, options);
      if (json === true) return print(JSON.stringify(found, null, 2));
      for (const one of found.notes) note(one);
      if (found.findings.length === 0) return print("There are no findings.");
      print(
        table([
          ["SEVERITY", "RULE", "PLACE", "FINGERPRINT", "MESSAGE"],
          ...found.findings.map(({ severity, rule, path: file, line, fingerprint, message }) => [
            severity,
            rule,
            file === null ? "-" : `${file}${line === null ? "" : `:${line}`}`,
            fingerprint,
            message,
          ]),
        ]),
      );
    });
};

function present(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function read(path: string, given: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new BatonError("BATON_INPUT_INVALID", `"${given}" cannot be read.`, { cause: thrown });
  }
}
