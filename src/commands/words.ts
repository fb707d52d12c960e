/**
 * How much Baton says to one author in one thread.
 *
 * WO1 Each answer is a write to GitHub that all repositories of an installation share, and anybody may write in a public
 *     thread. Within an hour an author gets so many answers, then as many reactions, then silence.
 * WO2 The count is per thread and person, so nobody uses up what another gets.
 */
import { limits } from "../core/limits.ts";
import type { Json } from "../core/vocabulary.ts";
import type { Dependencies } from "../runner/dependencies.ts";

export type Voice = "words" | "reaction" | "silence";

const hourMs = 3_600_000;
/** Authors of one thread that are remembered; beyond them the one who was silent longest is forgotten. */
const authorsMax = 50;

/** Counts one more answer to this author here. */
export async function voiceFor(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  { threadKey, authorId, trusted }: { threadKey: string; authorId: number; trusted: boolean },
): Promise<Voice> {
  const max = trusted ? limits.answersPerHourMax : limits.answersToStrangersPerHourMax;
  const name = `words:${threadKey}`;
  const since = clock.now() - hourMs;
  const known = timesOf(await store.value(name));
  const times = (known.get(`${authorId}`) ?? []).filter((at) => at > since);
  // Silence writes nothing, here neither.
  if (times.length >= 2 * max) return "silence";
  known.set(`${authorId}`, [...times, clock.now()]);
  const kept = [...known]
    .map(([author, all]): [string, number[]] => [author, all.filter((at) => at > since)])
    .filter(([, all]) => all.length > 0)
    .toSorted(([, one], [, other]) => (other.at(-1) ?? 0) - (one.at(-1) ?? 0))
    .slice(0, authorsMax);
  await store.setValue(name, Object.fromEntries(kept) as Json);
  return times.length < max ? "words" : "reaction";
}

function timesOf(value: Json): Map<string, number[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map();
  return new Map(
    Object.entries(value).map(([author, times]) => [
      author,
      Array.isArray(times) ? times.filter((at) => typeof at === "number") : [],
    ]),
  );
}
