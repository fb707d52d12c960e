/** The run that a person names: by its id, or by the beginning of an id that only one run has. */
import { BatonError } from "../core/errors.ts";
import { type RunId, runIdSchema } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";

/** After `run_`. A shorter beginning could name another run tomorrow. */
const charactersMin = 6;
const prefix = "run_";
/** Enough to see that several runs have it. */
const foundMax = 3;

/** null: there is none. */
export async function runNamed(store: Pick<Store, "run" | "runs">, word: string): Promise<RunId | null> {
  const id = runIdSchema.safeParse(word);
  if (id.success && (await store.run(id.data)) !== null) return id.data;
  const start = word.startsWith(prefix) ? word : `${prefix}${word}`;
  if (!/^run_[0-9a-zA-Z]*$/.test(start) || start.length < prefix.length + charactersMin) return null;
  const found = (await store.runs({ idStart: start, limit: foundMax })).map(({ runId }) => runId);
  if (found.length > 1)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `Several runs begin with "${start}": ${found.slice(0, 2).join(", ")}, ….`,
    );
  return found[0] ?? null;
}
