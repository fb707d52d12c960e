/**
 * How much Baton says to one author in one thread.
 *
 * WO1 Each answer is a write to GitHub, from a limit that all repositories of an installation share. Within an hour a
 *     person who may run or steer gets a number of answers, then as many reactions, then silence.
 * WO3 Anybody may write in a public thread. A stranger gets one answer a day, then some reactions, then silence.
 * WO2 The count is per thread and person, so nobody uses up the answers of another person.
 */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import type { Dependencies } from "../runner/dependencies.ts";

export type Voice = "words" | "reaction" | "silence";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Times of answers, by author. */
const answerTimes = defineValues("words:", z.record(z.string(), z.array(z.number())));
/** The most authors of a thread to remember. Beyond them, Baton forgets the author who was silent longest. */
const authorsMax = 50;

/** Counts one more answer to this author here. */
export async function voiceFor(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  { threadKey, authorId, trusted }: { threadKey: string; authorId: number; trusted: boolean },
): Promise<Voice> {
  const max = trusted ? limits.answersPerHourMax : limits.answersToStrangersPerDayMax;
  const key = answerTimes.at(threadKey);
  const since = clock.now() - (trusted ? hourMs : dayMs);
  const known = new Map(Object.entries((await readValue(store, key)) ?? {}));
  const times = (known.get(`${authorId}`) ?? []).filter((at) => at > since);
  // Silence writes nothing, to the store either.
  if (times.length >= max + (trusted ? max : limits.reactionsToStrangersPerDayMax)) return "silence";
  known.set(`${authorId}`, [...times, clock.now()]);
  const kept = [...known]
    .map(([author, all]): [string, number[]] => [author, newest(all, clock.now() - dayMs)])
    .filter(([, all]) => all.length > 0)
    .toSorted(([, one], [, other]) => (other.at(-1) ?? 0) - (one.at(-1) ?? 0))
    .slice(0, authorsMax);
  await writeValue(store, key, Object.fromEntries(kept));
  return times.length < max ? "words" : "reaction";
}

/** No author needs more to be answered with silence. */
function newest(times: readonly number[], since: number): number[] {
  return times.filter((at) => at > since).slice(-2 * limits.answersPerHourMax);
}
