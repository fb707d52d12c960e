/**
 * Moments and local times of a time zone.
 *
 * ZN1 A local time that exists twice is its first moment. A local time that does not exist is the first moment after
 *     the gap.
 */
const minuteMs = 60_000;
/** No zone changes its clocks twice within so short a time. */
const aroundMs = 6 * 3_600_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, made);
  return made;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The offset of the zone's clocks from UTC, in milliseconds. */
function offsetMs(at: number, timeZone: string): number {
  if (timeZone === "UTC") return 0;
  const values: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) values[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = values;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

/** The local time of the zone, expressed as if it were UTC. */
export function localOf(at: number, timeZone: string): number {
  return at + offsetMs(at, timeZone);
}

/** The moment of a local time, expressed as if it were UTC (ZN1). */
export function momentOf(local: number, timeZone: string): number {
  const before = offsetMs(local - aroundMs - offsetMs(local, timeZone), timeZone);
  const after = offsetMs(local + aroundMs - offsetMs(local, timeZone), timeZone);
  const fits = [local - before, local - after].filter((at) => localOf(at, timeZone) === local);
  if (fits.length > 0) return Math.min(...fits);
  // In the gap: the first moment with the new offset.
  let [low, high] = [local - before - aroundMs, local - after + aroundMs];
  while (high - low > minuteMs) {
    const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
    if (offsetMs(middle, timeZone) === before) low = middle;
    else high = middle;
  }
  return Math.ceil(high / minuteMs) * minuteMs;
}

/** `2026-03-29 03:00`, as clocks of the zone show it. */
export function showLocal(at: number, timeZone: string): string {
  return new Date(localOf(at, timeZone)).toISOString().slice(0, 16).replace("T", " ");
}
