/** The run that a person names: by its id, or by the beginning of an id that only one run has. */
import { BatonError } from "../core/errors.ts";
import { type RunId, runIdSchema } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";

/** After `run_`. A shorter beginning could name another run tomorrow. */
const charactersMin = 6;
const prefix = "run_";

/** null: there is none. */
export async function runNamed(store: Pick<Store, "run" | "runs">, word: string): Promise<RunId | null> {
  const found = await runsNamed(store, word, 2);
  const [only, other] = found;
  if (other !== undefined)
    throw new BatonError("BATON_INPUT_INVALID", `Several runs begin with "${word}": ${found.join(", ")}, ….`);
  return only ?? null;
}

/** Runs that the word may mean, `most` at most. */
export async function runsNamed(store: Pick<Store, "run" | "runs">, word: string, most: number): Promise<RunId[]> {
  const id = runIdSchema.safeParse(word);
  if (id.success && (await store.run(id.data)) !== null) return [id.data];
  const start = word.startsWith(prefix) ? word : `${prefix}${word}`;
  if (!/^run_[0-9a-zA-Z]*$/.test(start) || start.length < prefix.length + charactersMin) return [];
  return (await store.runs({ idStart: start, limit: most })).map(({ runId }) => runId);
}
