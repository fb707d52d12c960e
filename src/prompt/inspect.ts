/** The prompt of one attempt's agent, by section, next to the run's prompt before it (PROMPT-004, PERF-005). */
import type { Prompted } from "../core/instructions.ts";
import type { RunState } from "../core/state.ts";
import { addTokens, noTokens } from "../core/vocabulary.ts";
import { partsOf } from "./compose.ts";
import type { PromptDocument } from "./document.ts";
import { comparePrompts, type Measured, measure, type Prefix } from "./prefix.ts";

export interface Told {
  prompted: Prompted;
  document: PromptDocument;
}

export interface Inspection extends Pick<PromptDocument, "harness" | "model" | "delivery" | "resumed"> {
  step: string;
  attempt: number;
  promptId: string;
  strata: Measured[];
  /** The number of characters of stable and runtime at the start, in the reading order of a model. */
  cacheBoundary: number;
  edits: Prompted["edits"];
  /** null: it is the first prompt of the run. */
  before: ({ step: string; attempt: number; harness: string } & Prefix) | null;
  /** The service's own count of the attempt's input. null: no count (yet). */
  cached: { inputTokens: number; fromCacheTokens: number } | null;
  system: string;
  user: string;
}

export function inspectPrompt(told: Told, before: Told | null, state: Pick<RunState, "effects">): Inspection {
  const { prompted, document } = told;
  const { harness, model, delivery, resumed, sections } = document;
  return {
    step: prompted.key,
    attempt: prompted.attempt,
    promptId: prompted.promptId,
    harness,
    model,
    delivery,
    resumed,
    ...measure(sections),
    edits: prompted.edits,
    before:
      before === null
        ? null
        : {
            step: before.prompted.key,
            attempt: before.prompted.attempt,
            harness: before.document.harness,
            ...comparePrompts(before.document.sections, sections),
          },
    cached: cachedOf(state, prompted),
    ...partsOf(sections),
  };
}

function cachedOf({ effects }: Pick<RunState, "effects">, { key, attempt }: Prompted): Inspection["cached"] {
  const usage = effects.get(key)?.attempts.find((one) => one.attempt === attempt)?.usage ?? [];
  const { input, cacheRead, cacheWrite } = usage.reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens);
  const inputTokens = input + cacheRead + cacheWrite;
  return inputTokens === 0 ? null : { inputTokens, fromCacheTokens: cacheRead };
}
