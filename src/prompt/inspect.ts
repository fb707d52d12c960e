/** What one attempt's agent was told, taken apart, beside what the run told before it (PROMPT-004, PERF-005). */
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
  /** Characters from the start that stable and runtime take, in the order in which a model reads. */
  cacheBoundary: number;
  edits: Prompted["edits"];
  /** null: it is the first of the run. */
  before: ({ step: string; attempt: number; harness: string } & Prefix) | null;
  /** Of the attempt's input, by the service's own count; null: nothing was counted (yet). */
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
