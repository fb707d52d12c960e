/**
 * Cron expressions: problems of one, and its moments. `croner` parses and computes them.
 *
 * CN1 An expression names local times. A local time that exists twice runs once. A time that does not exist runs once after
 *     the gap (ZN1). The library `croner` computes local times as if they were UTC. Then `zone.ts` turns them into moments.
 */
import { Cron } from "croner";
import { nearest } from "../core/nearest.ts";
import { localOf, momentOf } from "../core/zone.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** February 29 comes again within 8 years. */
const horizonMs = 9 * 366 * dayMs;
/** Above it, people read "more than". */
const missedMax = 100;

const nicknames = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"] as const;
const shape = "Write five fields: minute, hour, day of the month, month, day of the week. Example: `0 3 * * 1-5`.";

/** In words. null: there is no problem. */
export function cronProblem(text: string): string | null {
  const cron = text.trim();
  if (cron.startsWith("@") && !(nicknames as readonly string[]).includes(cron)) {
    const meant = nearest(cron, nicknames);
    return `is not a cron expression. ${meant === null ? shape : `Did you mean \`${meant}\`?`}`;
  }
  const fields = cron.split(/\s+/);
  if (!cron.startsWith("@") && fields.length > 5)
    return `has ${fields.length} fields, so it names seconds. A schedule is as fine as a minute. ${shape}`;
  if (!cron.startsWith("@") && fields.length < 5) return `has ${fields.length} of 5 fields. ${shape}`;
  let next: Date | null;
  try {
    next = parse(cron).nextRun(new Date(Date.UTC(2026, 0, 1)));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, "") : "it cannot be read";
    return `is not a cron expression: ${reason.charAt(0).toLowerCase()}${reason.slice(1).replace(/\.$/, "")}. ${shape}`;
  }
  return next === null || next.getTime() > Date.UTC(2026, 0, 1) + horizonMs
    ? "names a day that no calendar has. It never occurs."
    : null;
}

const parsed = new Map<string, Cron>();

function parse(text: string): Cron {
  const cron = text.trim();
  const known = parsed.get(cron);
  if (known !== undefined) return known;
  const made = new Cron(cron, { paused: true, timezone: "UTC", mode: "5-part" });
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(cron, made);
  return made;
}

export interface CronTimes {
  cron: string;
  timeZone: string;
}

/** No zone changes its clocks by more, except by a whole day. */
const changeMs = 3 * 3_600_000;

function changesNear(at: number, timeZone: string): boolean {
  const offset = (moment: number): number => localOf(moment, timeZone) - moment;
  return timeZone !== "UTC" && offset(at - changeMs) !== offset(at + changeMs);
}

/** The first moment after `after`. null: there is none. */
export function nextTime({ cron, timeZone }: CronTimes, after: number): number | null {
  const pattern = parse(cron);
  // Near a change of clocks, local times go back. So the search begins earlier and uses the first later moment.
  const back = changesNear(after, timeZone) ? changeMs : 0;
  let local = new Date(localOf(after, timeZone) - back);
  for (;;) {
    const found = pattern.nextRun(local);
    if (found === null) return null;
    const at = momentOf(found.getTime(), timeZone);
    if (at > after) return at;
    local = found;
  }
}

export function nextTimes(times: CronTimes, after: number, count: number): number[] {
  const found: number[] = [];
  for (let at: number | null = after; found.length < count; ) {
    at = nextTime(times, at);
    if (at === null) break;
    found.push(at);
  }
  return found;
}

/** The latest moment in (`after`, `until`], and the number of moments before it, at most `missedMax`. null: none. */
export function latestTime(times: CronTimes, after: number, until: number): { at: number; earlier: number } | null {
  let latest: number | null = null;
  // The end is near, but the beginning may be a year ago. So the search goes back in steps that double.
  for (let back = 2 * minuteMs; latest === null; back *= 2) {
    const from = Math.max(after, until - back);
    for (let at = nextTime(times, from); at !== null && at <= until; at = nextTime(times, at)) latest = at;
    if (from === after) break;
  }
  if (latest === null) return null;
  let earlier = 0;
  for (let at = nextTime(times, after); at !== null && at < latest && earlier < missedMax; at = nextTime(times, at))
    earlier += 1;
  return { at: latest, earlier };
}

const samples = 400;

/** The shortest time between two of many moments, by a clock that never changes. null: it occurs at most once. */
export function shortestPauseMs(cron: string): number | null {
  const found = nextTimes({ cron, timeZone: "UTC" }, Date.UTC(2026, 0, 1), samples);
  const pauses = found.slice(1).map((at, index) => at - (found[index] as number));
  return pauses.length === 0 ? null : Math.min(...pauses);
}
