/** A whole main step: from the environment of a runner to the exit code. `main.ts` is the program around it. */
import { toBatonError } from "../core/errors.ts";
import { createRedactor } from "../text/redact.ts";
import { annotationsOf, exitCodeOf, type JobReport, writeReport } from "./report.ts";
import { runAction } from "./run-action.ts";
import { type ActionSettings, readActionSettings } from "./settings.ts";

interface JobStreams {
  /** The runner obeys commands in these lines. */
  out(text: string): void;
  /** Lines of the log. Without it, they go to standard error. */
  log?: { write(line: string): void };
}

export async function runJob(
  environment: Record<string, string | undefined>,
  streams: JobStreams,
  stop: AbortSignal,
  prepare: (settings: ActionSettings) => void = () => {},
): Promise<number> {
  // For the text of an error, which may occur before the settings are read, or after `prepare` cleared the environment.
  const { INPUT_TOKEN, GITHUB_TOKEN, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, BATON_DEBUG } = environment;
  try {
    const settings = readActionSettings(environment);
    prepare(settings);
    const { report, redact } = await runAction(settings, stop, streams.log);
    return await tell(report, settings, redact, streams);
  } catch (thrown) {
    const error = toBatonError(thrown);
    const redact = createRedactor({ secrets: [INPUT_TOKEN, GITHUB_TOKEN].filter((one) => one !== undefined) });
    if (BATON_DEBUG !== undefined) streams.out(`${redact(error.stack ?? "")}\n`);
    const report = failure(`${error.code}: ${error.message}\n${error.remedy}`);
    // Works without settings, and without a file to write to.
    const files = { outputPath: GITHUB_OUTPUT ?? null, summaryPath: GITHUB_STEP_SUMMARY ?? null };
    return tell(report, files, redact, streams).catch(() =>
      tell(report, { outputPath: null, summaryPath: null }, redact, streams),
    );
  }
}

async function tell(
  report: JobReport,
  files: Parameters<typeof writeReport>[1],
  redact: (text: string) => string,
  { out }: JobStreams,
): Promise<number> {
  await writeReport(report, files, redact);
  // A separate line could begin a command to the runner.
  const reason = report.reason.replaceAll(/\s*[\r\n]\s*/g, " ");
  out(`${redact(`Baton: ${report.verdict}. ${reason}`)}\n`);
  for (const annotation of annotationsOf(report)) out(`${redact(annotation)}\n`);
  return exitCodeOf(report);
}

function failure(reason: string): JobReport {
  return {
    verdict: "failed",
    reason,
    run: null,
    repositoryUrl: "",
    thread: null,
    steps: 0,
    statePushes: 0,
    apiCalls: { reads: 0, unchanged: 0, writes: 0 },
  };
}
