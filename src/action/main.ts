/** The Action's main step. */
import { forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { toBatonError } from "../core/errors.ts";
import { createRedactor } from "../text/redact.ts";
import { annotationsOf, exitCodeOf, type JobReport, writeReport } from "./report.ts";
import { runAction } from "./run-action.ts";
import { readActionSettings } from "./settings.ts";

const stop = new AbortController();
// For the text of an error, which may occur before the settings are read.
const { INPUT_TOKEN, GITHUB_TOKEN, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY } = process.env;
// The platform asks first and kills the process a few seconds later.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(signal));

process.exitCode = await main();
// Open handles of a library must not keep the job running.
process.exit();

async function main(): Promise<number> {
  try {
    const settings = readActionSettings(process.env);
    // A self-hosted runner passes its own proxy to its jobs.
    const ignored = useProxies(process.env);
    if (ignored !== null) process.stderr.write(`${ignored}\n`);
    // An agent has the same user, and could read the job's tokens there.
    forgetEnvironment(settings.secrets);
    const { report, redact } = await runAction(settings, stop.signal);
    return await tell(report, settings, redact);
  } catch (thrown) {
    return tellFailure(thrown);
  }
}

async function tell(
  report: JobReport,
  files: Parameters<typeof writeReport>[1],
  redact: (text: string) => string,
): Promise<number> {
  await writeReport(report, files, redact);
  // A separate line could begin a command to the runner.
  const reason = report.reason.replaceAll(/\s*[\r\n]\s*/g, " ");
  process.stdout.write(`${redact(`Baton: ${report.verdict}. ${reason}`)}\n`);
  for (const annotation of annotationsOf(report)) process.stdout.write(`${redact(annotation)}\n`);
  return exitCodeOf(report);
}

/** Works without settings, and without a file to write to. */
async function tellFailure(thrown: unknown): Promise<number> {
  const error = toBatonError(thrown);
  const redact = createRedactor({ secrets: [INPUT_TOKEN, GITHUB_TOKEN].filter((one) => one !== undefined) });
  if (process.env["BATON_DEBUG"] !== undefined) process.stdout.write(`${redact(error.stack ?? "")}\n`);
  const report: JobReport = {
    verdict: "failed",
    reason: `${error.code}: ${error.message}\n${error.remedy}`,
    run: null,
    repositoryUrl: "",
    thread: null,
    steps: 0,
    statePushes: 0,
    apiCalls: { reads: 0, unchanged: 0, writes: 0 },
  };
  const files = { outputPath: GITHUB_OUTPUT ?? null, summaryPath: GITHUB_STEP_SUMMARY ?? null };
  return tell(report, files, redact).catch(() => tell(report, { outputPath: null, summaryPath: null }, redact));
}
