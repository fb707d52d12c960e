/** The Action's main step. */
import { appendFile } from "node:fs/promises";
import { forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { toBatonError } from "../core/errors.ts";
import { createRedactor } from "../thread/redact.ts";
import { annotationOf, escapeData, exitCodeOf, output, writeReport } from "./report.ts";
import { runAction } from "./run-action.ts";
import { readActionSettings } from "./settings.ts";

const stop = new AbortController();
// For words of an error, which may come before settings are read.
const { INPUT_TOKEN, GITHUB_TOKEN, GITHUB_OUTPUT } = process.env;
// The platform asks first and kills a few seconds later.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(signal));

process.exitCode = await main();
// Whatever a library still holds open does not hold the job.
process.exit();

async function main(): Promise<number> {
  try {
    const settings = readActionSettings(process.env);
    // An agent is of the same user, and could read the job's tokens there.
    forgetEnvironment(settings.secrets);
    const { report, redact } = await runAction(settings, stop.signal);
    await writeReport(report, settings, redact);
    process.stdout.write(`${redact(`Baton: ${report.verdict}. ${report.reason}`)}\n`);
    const annotation = annotationOf(report);
    if (annotation !== null) process.stdout.write(`${redact(annotation)}\n`);
    return exitCodeOf(report);
  } catch (thrown) {
    const error = toBatonError(thrown);
    const redact = createRedactor({ secrets: [INPUT_TOKEN, GITHUB_TOKEN].filter((one) => one !== undefined) });
    const text = redact(`${error.code}: ${error.message}\n${error.remedy}`);
    process.stdout.write(`::error title=Baton::${escapeData(text)}\n`);
    if (process.env["BATON_DEBUG"] !== undefined) process.stdout.write(`${redact(error.stack ?? "")}\n`);
    if (GITHUB_OUTPUT !== undefined) await appendFile(GITHUB_OUTPUT, output("verdict", "failed")).catch(() => {});
    return 1;
  }
}
