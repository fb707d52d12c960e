/** Kept texts of a run's agents, found by step and attempt in its journal: transcripts and prompts. */
import { BatonError } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import type { Prompted } from "../core/instructions.ts";
import { nearest } from "../core/nearest.ts";

export interface KeptTranscript {
  key: string;
  attempt: number;
  /** null: it is not kept. */
  transcriptId: string | null;
}

/** The newest attempt of the step with a known end, or the named one. */
export function transcriptOf(events: readonly StoredEvent[], step: string, attempt: number | null): KeptTranscript {
  const ended = events.flatMap(({ event }) => transcriptsIn(event));
  const found = ended.findLast((one) => one.key === step && (attempt === null || one.attempt === attempt));
  if (found !== undefined) return found;
  const known = [...new Set(ended.map(({ key }) => key))].join(", ") || "none";
  const near = nearest(
    step,
    ended.map(({ key }) => key),
  );
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `No agent has ended at a step "${step.slice(0, 60)}"${within(attempt)}.${near === null ? "" : ` Did you mean "${near}"?`} Steps with a transcript: ${known}.`,
  );
}

/** Only agents leave a transcript: in their output, or with a failed attempt. */
function transcriptsIn(event: StoredEvent["event"]): KeptTranscript[] {
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

/** The prompt of the step's newest or named attempt, and the prompt before it in the run. */
export function promptsOf(
  events: readonly StoredEvent[],
  step: string,
  attempt: number | null,
): { prompted: Prompted; before: Prompted | undefined } {
  const all = events.flatMap(({ event }): Prompted[] => (event.type === "effect.prompted" ? [event] : []));
  const index = all.findLastIndex((one) => one.key === step && (attempt === null || one.attempt === attempt));
  const prompted = all[index];
  if (prompted !== undefined) return { prompted, before: all[index - 1] };
  const known = [...new Set(all.map(({ key }) => key))].join(", ") || "none";
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `No agent was told anything at a step "${step.slice(0, 60)}"${within(attempt)}. It has: ${known}.`,
  );
}

function within(attempt: number | null): string {
  return attempt === null ? "" : ` in attempt ${attempt}`;
}
