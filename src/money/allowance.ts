/**
 * Computes the unused money for any budget over a time: the only function for it.
 *
 * AL1 Money counts on the day of its settlement. A reservation counts now, until it is settled.
 * AL2 A day is a calendar day in the configured time zone, even when clocks change.
 */

import { localOf, momentOf } from "../core/zone.ts";

/** The fields of a ledger row that sums need. */
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
  /** The first moment of the next day. */
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
  /** By login. Rows of an older Baton name nobody and are in no such sum. */
  people: ReadonlyMap<string, Sum>;
}

export interface SumOptions {
  now: number;
  timeZone: string;
  /** Only rows of this repository count. */
  repositoryId?: number;
  personId?: number;
  /** Only money settled from then on counts. */
  from?: number;
}

/** Sums of a ledger by repository, day and person. Attempts that have not ended count with their reservation. */
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
  /** The most for one day, in USD. null: no limit. */
  dayUsd: number | null;
  timeZone: string;
}

export interface Allowance {
  leftUsd: number;
  /** When the next day begins. null: there is no limit. */
  until: number | null;
  /** For people: the usage, the users, the time of new money, and the next step. */
  reason: string;
}

/** How far back a reservation may date: no attempt works longer. */
export const openAttemptMsMax = 3 * dayMs;

/** The money that this repository may still reserve today (AL1). */
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

export interface SweepBudget {
  dayUsd: number | null;
  monthUsd: number | null;
}

/** The first moment of the month, and of the next one. Limits of sweeps are in UTC. */
export function monthOf(now: number): { name: string; from: number; until: number } {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const from = Date.UTC(year, month, 1);
  return { name: new Date(from).toISOString().slice(0, 7), from, until: Date.UTC(year, month + 1, 1) };
}

/** The money that sweeps of a repository may still reserve (AL1). `lines`: those of sweeps only. */
export function sweepAllowance(
  lines: readonly LedgerLine[],
  repositoryId: number,
  { dayUsd, monthUsd }: SweepBudget,
  now: number,
): Allowance {
  const day = dayOf(now, "UTC");
  const month = monthOf(now);
  const spans = [
    { limitUsd: dayUsd, key: "sweep.dayUsd", ...day },
    { limitUsd: monthUsd, key: "sweep.monthUsd", ...month },
  ];
  let least: Allowance = { leftUsd: Number.POSITIVE_INFINITY, until: null, reason: "" };
  for (const { limitUsd, key, name, from, until } of spans) {
    if (limitUsd === null) continue;
    const { total } = ledgerSums(lines, { now, timeZone: "UTC", repositoryId, from });
    const usedUsd = total.spentUsd + total.reservedUsd;
    const leftUsd = limitUsd - usedUsd;
    if (leftUsd > least.leftUsd || (leftUsd === least.leftUsd && until <= (least.until ?? 0))) continue;
    least = {
      leftUsd,
      until,
      reason:
        `Sweeps of this repository have used $${usedUsd.toFixed(2)} of $${limitUsd.toFixed(2)} in ${name} (\`${key}\`). ` +
        `New money comes at ${new Date(until).toISOString().slice(0, 10)} 00:00 (UTC).`,
    };
  }
  return least;
}

/** The smaller allowance. If both are equal, the one that lasts longer. */
export function lesser(one: Allowance, other: Allowance): Allowance {
  if (one.leftUsd !== other.leftUsd) return one.leftUsd < other.leftUsd ? one : other;
  return (one.until ?? 0) >= (other.until ?? 0) ? one : other;
}
