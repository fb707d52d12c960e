import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localOf, momentOf, showLocal } from "../core/zone.ts";
import { cronProblem, latestTime, nextTime, nextTimes, shortestPauseMs } from "./cron.ts";
import { disabledNotice } from "./disabled.ts";
import { dueOccurrences, nextStart, occurrenceKey, type ScheduleMemory, type ScheduleRule } from "./due.ts";
import { jitterMs } from "./jitter.ts";

const at = (text: string): number => Date.parse(text);
const iso = (moment: number): string => new Date(moment).toISOString().slice(0, 16);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const rule = (over: Partial<ScheduleRule> = {}): ScheduleRule => ({
  name: "nightly",
  cron: "0 3 * * *",
  timeZone: "UTC",
  overlap: "skip",
  catchUp: "latest",
  jitterMinutes: 0,
  ...over,
});
const memory = (over: Partial<ScheduleMemory> = {}): ScheduleMemory => ({
  since: at("2026-03-01T00:00Z"),
  last: null,
  queued: null,
  resumedAt: null,
  paused: false,
  running: false,
  ...over,
});
const due = (one: ScheduleRule, kept: ScheduleMemory, now: string | number) =>
  dueOccurrences({
    rules: [one],
    memory: () => kept,
    seed: "1",
    now: typeof now === "number" ? now : at(now),
    lateAfterMs: 5 * minute,
  });

describe("cron expressions", () => {
  it.each([
    ["0 3 * * *"],
    ["*/15 * * * *"],
    ["0 9 * * MON-FRI"],
    ["0 0 L * *"],
    ["0 0 29 2 *"],
    ["@daily"],
    ["  0 3 * * *  "],
  ])("%s is one", (text) => expect(cronProblem(text)).toBeNull());

  it.each([
    ["* * * * * *", /6 fields, so it names seconds/],
    ["*/5 * * * * *", /seconds/],
    ["0 0 30 2 *", /never occurs/],
    ["0 0 31 4,6,9,11 *", /never occurs/],
    ["0 25 * * *", /invalid value for hour: 25/],
    ["61 * * * *", /minute/],
    ["every day", /2 of 5 fields/],
    ["", /fields/],
    ["@dayly", /Did you mean `@daily`/],
    ["@every 1s", /not a cron expression/],
    ["0 3 * * fun", /not a cron expression/],
  ])("%s is refused", (text, why) => expect(cronProblem(text)).toMatch(why));

  it.each([
    ["*/15 * * * *", 15 * minute],
    ["0 3 * * *", day],
    ["0 3,4 * * *", hour],
    ["@hourly", hour],
  ])("the shortest pause of %s", (cron, pause) => expect(shortestPauseMs(cron)).toBe(pause));
});

describe("daylight saving", () => {
  const berlin = "Europe/Berlin";
  it("a time that does not exist runs once, after the gap", () => {
    const found = nextTimes({ cron: "30 2 * * *", timeZone: berlin }, at("2026-03-28T12:00Z"), 2);
    expect(found.map(iso)).toEqual(["2026-03-29T01:00", "2026-03-30T00:30"]);
    expect(showLocal(found[0] ?? 0, berlin)).toBe("2026-03-29 03:00");
  });
  it("many times in one gap run once together", () => {
    const found = nextTimes({ cron: "*/15 2 * * *", timeZone: berlin }, at("2026-03-28T12:00Z"), 2);
    expect(found.map(iso)).toEqual(["2026-03-29T01:00", "2026-03-30T00:00"]);
  });
  it("a time that exists twice runs once", () => {
    const found = nextTimes({ cron: "30 2 * * *", timeZone: berlin }, at("2026-10-24T12:00Z"), 2);
    expect(found.map(iso)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
    const many = nextTimes({ cron: "*/30 2 * * *", timeZone: berlin }, at("2026-10-24T12:00Z"), 3);
    expect(many.map(iso)).toEqual(["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-26T01:00"]);
  });
  it.each([
    ["America/New_York", "30 2 * * *", "2026-03-08T00:00Z", "2026-03-08T07:00"],
    ["America/New_York", "30 1 * * *", "2026-11-01T00:00Z", "2026-11-01T05:30"],
    ["Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00Z", "2026-10-03T15:30"],
    ["America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00Z", "2018-11-04T03:00"],
    ["Asia/Kathmandu", "0 0 * * *", "2026-01-01T00:00Z", "2026-01-01T18:15"],
  ])("%s %s after %s", (timeZone, cron, after, expected) =>
    expect(iso(nextTime({ cron, timeZone }, at(after)) ?? 0)).toBe(expected),
  );

  const zones = ["UTC", berlin, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"];
  const crons = ["30 2 * * *", "*/20 * * * *", "0 0 1 * *", "15 1,2,3 * * 0", "0 12 * * 1"];
  it("moments only go forward, none lies at or before where it was asked from, and every local time is met once", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...crons),
        fc.integer({ min: at("2026-01-01"), max: at("2027-06-01") }),
        (timeZone, cron, from) => {
          const found = nextTimes({ cron, timeZone }, from, 30);
          const ordered = [from, ...found].every((one, index, all) => index === 0 || one > (all[index - 1] ?? 0));
          // From any point in the middle, the rest is the same.
          const middle = found[9] ?? from;
          return ordered && nextTimes({ cron, timeZone }, middle, 5).join() === found.slice(10, 15).join();
        },
      ),
      { numRuns: 60 },
    );
  });
  it("a local time and its moment fit, where it exists", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: at("2026-01-01") / minute, max: at("2027-06-01") / minute }),
        (zone, minutes) => {
          const moment = minutes * minute;
          const again = momentOf(localOf(moment, zone), zone);
          // The second of two moments with one local time gives the first one.
          return again === moment || (again < moment && localOf(again, zone) === localOf(moment, zone));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a workflow that GitHub disables", () => {
  const last = at("2026-03-01T12:00Z");
  it.each([
    ["private", { isPublic: false, lastCommitAt: last }, last + 100 * day, null],
    ["a month old", { isPublic: true, lastCommitAt: last }, last + 30 * day, null],
    ["no commit is known", { isPublic: true, lastCommitAt: null }, last, null],
    ["two weeks before", { isPublic: true, lastCommitAt: last }, last + 46 * day, /from 2026-04-30 on/],
    ["afterwards", { isPublic: true, lastCommitAt: last }, last + 70 * day, /from 2026-04-30 on/],
  ])("%s", (_, facts, now, said) => {
    const notice = disabledNotice(facts, now);
    if (said === null) expect(notice).toBeNull();
    else expect(notice).toMatch(said);
  });
});

describe("what is due", () => {
  it.each([
    ["before its first time", rule(), memory(), "2026-03-01T02:59Z", []],
    ["at its time", rule(), memory(), "2026-03-01T03:00Z", [["start", "2026-03-01T03:00", false, 0]]],
    ["ran already", rule(), memory({ last: at("2026-03-01T03:00Z") }), "2026-03-01T09:00Z", []],
    ["after a downtime of 4 days", rule(), memory(), "2026-03-04T12:00Z", [["start", "2026-03-04T03:00", true, 3]]],
    [
      "after a downtime, with no catching up",
      rule({ catchUp: "none" }),
      memory(),
      "2026-03-04T12:00Z",
      [["skip", "2026-03-04T03:00", true, 3]],
    ],
    ["paused", rule(), memory({ paused: true }), "2026-03-04T12:00Z", []],
    ["resumed after its time", rule(), memory({ resumedAt: at("2026-03-04T04:00Z") }), "2026-03-04T12:00Z", []],
    [
      "its run is active",
      rule(),
      memory({ running: true }),
      "2026-03-01T03:00Z",
      [["skip", "2026-03-01T03:00", false, 0]],
    ],
    [
      "its run is active, and it queues",
      rule({ overlap: "queue" }),
      memory({ running: true }),
      "2026-03-01T03:00Z",
      [["wait", "2026-03-01T03:00", false, 0]],
    ],
    [
      "it queued, and the run has ended, with no catching up",
      rule({ overlap: "queue", catchUp: "none" }),
      memory({ queued: at("2026-03-01T03:00Z") }),
      "2026-03-01T09:00Z",
      [["start", "2026-03-01T03:00", true, 0]],
    ],
    ["the clock was ahead for a while", rule(), memory({ last: at("2027-03-01T03:00Z") }), "2026-03-04T12:00Z", []],
    [
      "seen for the first time after its time",
      rule(),
      memory({ since: at("2026-03-04T04:00Z") }),
      "2026-03-04T12:00Z",
      [],
    ],
  ] as const)("%s", (_, one, kept, now, expected) => {
    expect(
      due(one, kept, now).map(({ what, occurrence, late, missed }) => [what, iso(occurrence), late, missed]),
    ).toEqual(expected);
  });

  it("a clock that was ahead silences nothing: the next time runs", () => {
    const kept = memory({ last: at("2027-03-01T03:00Z") });
    expect(nextStart(rule(), kept, "1", at("2026-03-04T12:00Z"))).toBe(at("2026-03-05T03:00Z"));
  });

  it("asked however seldom or often, with a clock that jumps, each occurrence starts at most once", () => {
    const rules = [rule(), rule({ name: "often", cron: "*/7 * * * *", jitterMinutes: 5 })];
    const jumps = fc.array(fc.integer({ min: -3 * hour, max: 2 * day }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(jumps, (steps) => {
        const kept = new Map(rules.map(({ name }) => [name, memory()]));
        const started: string[] = [];
        let now = at("2026-03-01T00:00Z");
        for (const step of steps) {
          now = Math.max(at("2026-02-01T00:00Z"), now + step);
          const found = dueOccurrences({
            rules,
            memory: (name) => kept.get(name) ?? memory(),
            seed: "42",
            now,
            lateAfterMs: minute,
          });
          for (const { name, occurrence, startAt } of found) {
            expect(startAt).toBeLessThanOrEqual(now);
            started.push(occurrenceKey(1, name, occurrence));
            kept.set(name, { ...(kept.get(name) ?? memory()), last: occurrence });
          }
        }
        return new Set(started).size === started.length;
      }),
      { numRuns: 100 },
    );
  });

  it("a year of downtime of a rule of every minute is looked through in no time", () => {
    const found = latestTime({ cron: "* * * * *", timeZone: "Europe/Berlin" }, at("2025-03-01"), at("2026-03-01"));
    expect(found).toEqual({ at: at("2026-03-01"), earlier: 100 });
  });

  it("300 repositories with one cron are spread evenly, each always to the same second", () => {
    const seeds = Array.from({ length: 300 }, (_, index) => `${1_000 + index}/nightly`);
    const quarters = [0, 0, 0, 0];
    for (const seed of seeds) {
      const ms = jitterMs(seed, 60);
      expect(jitterMs(seed, 60)).toBe(ms);
      expect(ms).toBeLessThan(hour);
      const quarter = Math.floor(ms / (hour / 4));
      quarters[quarter] = (quarters[quarter] ?? 0) + 1;
    }
    for (const count of quarters) expect(count).toBeGreaterThan(45);
    expect(jitterMs("1/nightly", 0)).toBe(0);
  });
});
