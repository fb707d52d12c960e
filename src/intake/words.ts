/**
 * How much Baton says to one author in one thread.
 *
 * WO1 Each answer is a write to GitHub, from a limit that all repositories of an installation share. Anybody may write in a
 *     public thread. Within an hour an author gets a number of answers, then as many reactions, then silence.
 * WO2 The count is per thread and person, so nobody uses up the answers of another person.
 */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import type { Dependencies } from "../runner/dependencies.ts";

export type Voice = "words" | "reaction" | "silence";

const hourMs = 3_600_000;
/** Times of answers, by author. */
const answerTimes = defineValues("words:", z.record(z.string(), z.array(z.number())));
/** The most authors of a thread to remember. Beyond them, Baton forgets the author who was silent longest. */
const authorsMax = 50;

/** Counts one more answer to this author here. */
export async function voiceFor(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  { threadKey, authorId, trusted }: { threadKey: string; authorId: number; trusted: boolean },
): Promise<Voice> {
  const max = trusted ? limits.answersPerHourMax : limits.answersToStrangersPerHourMax;
  const key = answerTimes.at(threadKey);
  const since = clock.now() - hourMs;
  const known = new Map(Object.entries((await readValue(store, key)) ?? {}));
  const times = (known.get(`${authorId}`) ?? []).filter((at) => at > since);
  // Silence writes nothing, to the store either.
  if (times.length >= 2 * max) return "silence";
  known.set(`${authorId}`, [...times, clock.now()]);
  const kept = [...known]
    .map(([author, all]): [string, number[]] => [author, all.filter((at) => at > since)])
    .filter(([, all]) => all.length > 0)
    .toSorted(([, one], [, other]) => (other.at(-1) ?? 0) - (one.at(-1) ?? 0))
    .slice(0, authorsMax);
  await writeValue(store, key, Object.fromEntries(kept));
  return times.length < max ? "words" : "reaction";
}
