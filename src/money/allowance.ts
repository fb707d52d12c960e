/**
 * What may still be used, by any budget that is counted over a time: the one function for it.
 *
 * AL1 Money counts on the day on which it was settled; what is set aside counts now, until it is settled.
 * AL2 A day is the calendar's in the configured time zone, also where a clock is put forward or back.
 */

import { localOf, momentOf } from "../core/zone.ts";

/** A row of the ledger, as far as sums need it. */
export interface LedgerLine {
  runId: string;
  key: string;
  attempt: number;
  kind: "reserve" | "settle";
  repositoryId: number;
  personId?: number | undefined;
  person?: string | undefined;
  usd: number;
  at: number;
}

export interface Day {
  /** YYYY-MM-DD */
  name: string;
  from: number;
  /** The first moment of the next. */
  until: number;
}

const dayMs = 86_400_000;

/** The day of a moment (AL2). */
export function dayOf(at: number, timeZone: string): Day {
  const local = localOf(at, timeZone);
  const midnight = local - mod(local, dayMs);
  return {
    name: new Intl.DateTimeFormat("en-CA", {
      timeZone: "UTC",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    }).format(midnight),
    from: momentOf(midnight, timeZone),
    until: momentOf(midnight + dayMs, timeZone),
  };
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by;
}

export interface Sum {
  spentUsd: number;
  reservedUsd: number;
}

export interface LedgerSums {
  total: Sum;
  repositories: ReadonlyMap<number, Sum>;
  /** By name of the day (AL1). */
  days: ReadonlyMap<string, Sum>;
  /** By login; rows of an older Baton name nobody and are in no such sum. */
  people: ReadonlyMap<string, Sum>;
}

export interface SumOptions {
  now: number;
  timeZone: string;
  /** Only these count. */
  repositoryId?: number;
  personId?: number;
  /** Settled from then on. */
  from?: number;
}

/** Sums of a ledger by repository, day and person. Rows of a run's attempts that have not ended are what they set aside. */
export function ledgerSums(lines: readonly LedgerLine[], options: SumOptions): LedgerSums {
  const { now, timeZone, repositoryId, personId, from = Number.NEGATIVE_INFINITY } = options;
  const wanted = lines.filter(
    (line) =>
      (repositoryId === undefined || line.repositoryId === repositoryId) &&
      (personId === undefined || line.personId === personId),
  );
  const attemptOf = ({ runId, key, attempt }: LedgerLine): string => JSON.stringify([runId, key, attempt]);
  const settled = new Set(wanted.filter(({ kind }) => kind === "settle").map(attemptOf));
  const total: Sum = { spentUsd: 0, reservedUsd: 0 };
  const repositories = new Map<number, Sum>();
  const days = new Map<string, Sum>();
  const people = new Map<string, Sum>();
  const dayNames = new Map<number, string>();
  const dayName = (at: number): string => {
    const hour = Math.floor(at / 900_000);
    const known = dayNames.get(hour) ?? dayOf(at, timeZone).name;
    dayNames.set(hour, known);
    return known;
  };
  for (const line of wanted) {
    const isHeld = line.kind === "reserve";
    if (isHeld ? settled.has(attemptOf(line)) : line.at < from) continue;
    const sums = [
      total,
      sumOf(repositories, line.repositoryId),
      sumOf(days, dayName(isHeld ? now : line.at)),
      ...(line.person === undefined ? [] : [sumOf(people, line.person)]),
    ];
    for (const sum of sums) sum[isHeld ? "reservedUsd" : "spentUsd"] += line.usd;
  }
  return { total, repositories, days, people };
}

function sumOf<Key>(sums: Map<Key, Sum>, key: Key): Sum {
  const found = sums.get(key) ?? { spentUsd: 0, reservedUsd: 0 };
  sums.set(key, found);
  return found;
}

export interface DayBudget {
  /** The most for one day, in USD; null: none. */
  dayUsd: number | null;
  timeZone: string;
}

export interface Allowance {
  leftUsd: number;
  /** When the next day begins; null where nothing bounds. */
  until: number | null;
  /** For people: what was used, by whom, when there is more, and what to do. */
  reason: string;
}

/** How far back what is set aside may have been: no attempt works longer. */
export const openAttemptMsMax = 3 * dayMs;

/** What this repository may still set aside today (AL1). */
export function dayAllowance(
  lines: readonly LedgerLine[],
  repositoryId: number,
  { dayUsd, timeZone }: DayBudget,
  now: number,
): Allowance {
  if (dayUsd === null) return { leftUsd: Number.POSITIVE_INFINITY, until: null, reason: "" };
  const day = dayOf(now, timeZone);
  const { total, people } = ledgerSums(lines, { now, timeZone, repositoryId, from: day.from });
  const usedUsd = total.spentUsd + total.reservedUsd;
  const by = [...people]
    .map(([login, sum]) => ({ login, usd: sum.spentUsd + sum.reservedUsd }))
    .filter(({ usd }) => usd >= 0.005)
    .sort((a, b) => b.usd - a.usd || (a.login < b.login ? -1 : 1));
  const shown = by.slice(0, 3).map(({ login, usd }) => `@${login} $${usd.toFixed(2)}`);
  const who = shown.length === 0 ? "" : ` (${shown.join(", ")}${by.length > 3 ? `, ${by.length - 3} more` : ""})`;
  const held =
    total.reservedUsd < 0.005 ? "" : ` $${total.reservedUsd.toFixed(2)} of it is set aside for agents at work.`;
  return {
    leftUsd: dayUsd - usedUsd,
    until: day.until,
    reason:
      `This repository has used $${usedUsd.toFixed(2)} of $${dayUsd.toFixed(2)} on ${day.name}${who}.${held} ` +
      `The next day begins at ${dayOf(day.until, timeZone).name} 00:00 (${timeZone}).`,
  };
}
