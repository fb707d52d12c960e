/**
 * Several check runs of one name in one suite: two jobs that share the name, or one job that was rerun.
 *
 * TR1 A later round replaces a round of a name only if it has at least as many runs. So a success never hides another
 *     job.
 * TR2 Rounds are the attempts of the workflow run if they are known. For checks without a workflow run, a round begins
 *     when all earlier ones have ended. Within a workflow run, a job may wait for another one of its name.
 * TR3 Runs of unknown order are one round: each of them counts.
 * TR4 A commit status is one thing with one state: the newest counts.
 */
import type { CheckFact } from "./facts.ts";

/** A check that counts, with the ended tries that it supersedes, oldest first. */
export interface Try extends CheckFact {
  earlier: CheckFact[];
  /** 1: the first one. */
  number: number;
  /** A later round has fewer runs of this name, so it cannot replace this one. */
  notRunAgain: boolean;
  /** Another run also counts only because their attempts could not be read. */
  isUnordered: boolean;
}

/** Covers several Apps, suites, names and sources. */
export function countedTries(checks: readonly CheckFact[]): Try[] {
  const groups = new Map<string, CheckFact[]>();
  for (const check of checks.toSorted((a, b) => a.id - b.id)) {
    // Check runs and statuses have separate id sequences.
    const key = `${check.source}/${check.appId ?? ""}/${check.suiteId ?? ""}/${check.name}`;
    groups.set(key, [...(groups.get(key) ?? []), check]);
  }
  return [...groups.values()].flatMap(countedOf);
}

function countedOf(group: readonly CheckFact[]): Try[] {
  const rounds = group[0]?.source === "status" ? group.map((check) => [check]) : roundsOf(group);
  const superseded = rounds.map((round, index) =>
    rounds.slice(index + 1).some((later) => later.length >= round.length),
  );
  const counted: Try[] = [];
  rounds.forEach((round, index) => {
    if (superseded[index] === true) return;
    const before = rounds
      .slice(0, index)
      .filter((_, other) => superseded[other])
      .map((tries) => tries.filter((one) => one.status === "completed" && !round.some((now) => carriedOver(one, now))))
      .filter((tries) => tries.length > 0);
    for (const check of round)
      counted.push({
        ...check,
        earlier: before.flat(),
        number: before.length + 1,
        notRunAgain: index < rounds.length - 1,
        isUnordered: round.length > 1 && round.some(({ attempt }) => attempt === null),
      });
  });
  return counted;
}

/**
 * A new attempt lists the jobs that were not run again, with the times of their only run.
 * Source: https://github.com/PostHog/posthog/pull/65573 ("`started_at` (advances only on a real re-run)")
 */
function carriedOver(earlier: CheckFact, now: CheckFact): boolean {
  return (
    typeof now.attempt === "number" &&
    earlier.startedAt !== null &&
    earlier.startedAt === now.startedAt &&
    earlier.conclusion === now.conclusion
  );
}

function roundsOf(group: readonly CheckFact[]): CheckFact[][] {
  if (group.every(({ attempt }) => typeof attempt === "number")) {
    const attempts = new Map<number, CheckFact[]>();
    for (const check of group.toSorted((a, b) => (a.attempt ?? 0) - (b.attempt ?? 0)))
      attempts.set(check.attempt ?? 0, [...(attempts.get(check.attempt ?? 0) ?? []), check]);
    return [...attempts.values()];
  }
  if (group.some(({ attempt }) => attempt !== undefined)) return [[...group]];
  const rounds: CheckFact[][] = [];
  let endedAt = Number.NEGATIVE_INFINITY;
  for (const check of group.toSorted((a, b) => timeOf(a.startedAt) - timeOf(b.startedAt))) {
    const last = rounds.at(-1);
    // A job may begin in the same second in which another ends. No person who saw that end started it.
    if (last === undefined || (timeOf(check.startedAt) > endedAt && check.startedAt !== null)) rounds.push([check]);
    else last.push(check);
    endedAt = Math.max(endedAt, check.status === "completed" ? timeOf(check.completedAt ?? null) : endless);
  }
  return rounds;
}

const endless = Number.POSITIVE_INFINITY;

/** An unknown time orders nothing (TR3). */
function timeOf(time: string | null): number {
  const parsed = Date.parse(time ?? "");
  return Number.isNaN(parsed) ? endless : parsed;
}
