import { BatonError } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import { nearest } from "../../core/nearest.ts";
import { type CliCommand, gitOption, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";

interface Options {
  attempt?: string;
  git?: string;
  json?: true;
}

interface Kept {
  key: string;
  attempt: number;
  transcriptId: string | null;
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
        const kept = find(await runs.events(runId), step, attempt);
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

/** The newest attempt of the step with a known end. */
function find(events: readonly StoredEvent[], step: string, attempt: string | undefined): Kept {
  const ended = events.flatMap(({ event }) => transcriptOf(event));
  const found = ended.findLast((one) => one.key === step && (attempt === undefined || one.attempt === Number(attempt)));
  if (found !== undefined) return found;
  const known = [...new Set(ended.map(({ key }) => key))].join(", ") || "none";
  const near = nearest(
    step,
    ended.map(({ key }) => key),
  );
  const which = attempt === undefined ? "" : ` in attempt ${attempt.slice(0, 10)}`;
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `No agent has ended at a step "${step.slice(0, 60)}"${which}.${near === null ? "" : ` Did you mean "${near}"?`} Steps with a transcript: ${known}.`,
  );
}

/** Only agents leave a transcript: in their output, or with a failed attempt. */
function transcriptOf(event: StoredEvent["event"]): Kept[] {
  if (event.type === "effect.succeeded") {
    const { transcriptId } = (event.output ?? {}) as { transcriptId?: unknown };
    if (typeof transcriptId !== "string" && transcriptId !== null) return [];
    return [{ key: event.key, attempt: event.attempt, transcriptId }];
  }
  if (event.type !== "effect.attempt-failed" && event.type !== "effect.failed") return [];
  const { kept } = event;
  if (kept === null || kept === undefined) return [];
  return [{ key: event.key, attempt: event.attempt, transcriptId: kept.transcriptId ?? null }];
}
