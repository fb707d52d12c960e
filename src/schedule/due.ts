/**
 * Due occurrences, from settings, earlier runs, and now. The App's timetable and the jobs of Actions both call this
 * function.
 *
 * SD1 If a rule missed several occurrences, only the latest is due, once.
 * SD2 An occurrence is due at its moment plus the rule's jitter, which never changes.
 * SD3 No occurrence is due from before the rule's first reading, its last occurrence, or its resumption.
 */
import { latestTime, nextTime } from "./cron.ts";
import { jitterMs } from "./jitter.ts";

export interface ScheduleRule {
  name: string;
  cron: string;
  timeZone: string;
  overlap: "skip" | "queue";
  catchUp: "latest" | "none";
  jitterMinutes: number;
}

export interface ScheduleMemory {
  /** When Baton first saw the rule in its current form. */
  since: number;
  /** The last occurrence that Baton started or dropped. */
  last: number | null;
  /** An occurrence that waits for the run before it to end. */
  queued: number | null;
  /** When a person last resumed it. */
  resumedAt: number | null;
  paused: boolean;
  /** A run of it is active. */
  running: boolean;
}

export interface DueOccurrence {
  name: string;
  occurrence: number;
  /** When it should have started. */
  startAt: number;
  late: boolean;
  /** The number of earlier occurrences that never ran. */
  missed: number;
  /** `start`: a run. `skip`: dropped, for the reason. `wait`: the run before it is active. */
  what: "start" | "skip" | "wait";
  reason: "overlap" | "missed" | null;
}

interface DueQuestion {
  rules: readonly ScheduleRule[];
  memory(name: string): ScheduleMemory;
  /** Spreads repositories: one repository always has the same value. */
  seed: string;
  now: number;
  /** A start within this time is on time, because the timer that wakes Baton is not more exact. */
  lateAfterMs: number;
}

export function dueOccurrences({ rules, memory, seed, now, lateAfterMs }: DueQuestion): DueOccurrence[] {
  return rules.flatMap((rule): DueOccurrence[] => {
    const kept = memory(rule.name);
    if (kept.paused) return [];
    const jitter = jitterOf(rule, seed);
    const found = latestTime(rule, floorOf(kept, now), now - jitter);
    if (found === null) return [];
    const startAt = found.at + jitter;
    const late = now - startAt > lateAfterMs;
    const due = { name: rule.name, occurrence: found.at, startAt, late, missed: found.earlier };
    const isMissed = late && rule.catchUp === "none" && kept.queued === null;
    if (isMissed) return [{ ...due, what: "skip", reason: "missed" }];
    if (!kept.running) return [{ ...due, what: "start", reason: null }];
    return [{ ...due, what: rule.overlap === "queue" ? "wait" : "skip", reason: "overlap" }];
  });
}

/** The next start of a rule after now. null: never, or a person paused it. */
export function nextStart(rule: ScheduleRule, memory: ScheduleMemory, seed: string, now: number): number | null {
  if (memory.paused) return null;
  const jitter = jitterOf(rule, seed);
  const at = nextTime(rule, Math.max(floorOf(memory, now), now - jitter));
  return at === null ? null : at + jitter;
}

function jitterOf({ name, jitterMinutes }: ScheduleRule, seed: string): number {
  return jitterMs(`${seed}/${name}`, jitterMinutes);
}

/** A clock that was ahead for a while must not silence a rule until then. Its key prevents a second run of an occurrence. */
function floorOf({ since, last, resumedAt }: ScheduleMemory, now: number): number {
  return Math.max(Math.min(since, now), Math.min(last ?? since, now), Math.min(resumedAt ?? since, now));
}

/** The name of one occurrence: equal from every replica and every job. */
export function occurrenceKey(repositoryId: number, name: string, occurrence: number): string {
  return `schedule:${repositoryId}:${name}:${new Date(occurrence).toISOString()}`;
}
