import { BatonError } from "../../core/errors.ts";
import { transcriptOf } from "../../runner/run-texts.ts";
import { type CliCommand, gitOption, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";

interface Options {
  attempt?: string;
  git?: string;
  json?: true;
}

export const transcript: CliCommand = (program, context) => {
  program
    .command("transcript <run> <step>")
    .description("Print what the agent of one step wrote and did: its redacted transcript.")
    .option("--attempt <number>", "The attempt. Without it the newest.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (runId: string, step: string, { attempt, git, json }: Options) => {
      const found = await readRuns(context, git, async (runs) => {
        const kept = transcriptOf(await runs.events(runId), step, attempt === undefined ? null : Number(attempt));
        const text = kept.transcriptId === null ? null : await runs.blob(runId, kept.transcriptId);
        if (text === null)
          throw new BatonError(
            "BATON_INPUT_INVALID",
            `The transcript of "${step.slice(0, 60)}", attempt ${kept.attempt}, is not kept.`,
          );
        return { step: kept.key, attempt: kept.attempt, transcript: runs.redact(text) };
      });
      context.print(json === true ? JSON.stringify({ runId, ...found }, null, 2) : found.transcript);
    });
};
