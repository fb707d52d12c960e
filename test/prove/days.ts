/**
 * The suite `days`: months of schedules of many repositories, on a clock that moves by hand, through downtimes, deaths, two
 * replicas at once and changes of daylight saving. What should have run is counted apart from the product: day by day, by `Intl`.
 */
import { builtInProcesses } from "../../processes/index.ts";
import { openMemory } from "../../src/adapters/memory/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { hasDue, startDue } from "../../src/begin/start-due.ts";
import { defaultSettings, type Settings } from "../../src/config/schema.ts";
import type { Repository } from "../../src/core/vocabulary.ts";
import { worthwhileUsd } from "../../src/money/budget.ts";
import type { LedgerRow, RunRow } from "../../src/ports/store.ts";
import { withDay } from "../../src/runner/day-budget.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { readBook } from "../../src/runner/schedule-book.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { repository as one, SmallGithub } from "../fakes/small-github.ts";
import { spy } from "../scenarios/helpers.ts";
import { Draw } from "./draw.ts";
import { flagOf, type Suite } from "./suite.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Both changes of the clocks of Europe and America lie within any 240 days from here; the first within 30. */
const beginsAt = Date.UTC(2026, 2, 1);
const jitterMinutes = 30;
/** USD. */
const runUsd = 0.5;

interface Rule {
  name: string;
  hour: number;
  minute: number;
  timeZone: string;
}

export interface DaysResult {
  runs: number;
  missed: number;
  doubled: number;
  /** Runs of a rule next to another of it, and days of a repository that cost more than `dayUsd`. */
  overLimit: number;
  spentUsd: number;
  /** The most starts in one minute, over all repositories: what jitter spreads. */
  busiestMinute: number;
}

export interface DaysOptions {
  seed: number;
  days: number;
  repositories: number;
  /** Of a day, for one repository: where it is less than its rules cost, some do not start. */
  dayUsd: number;
  /** Now and then the book of what ran is lost. Shows that the suite sees it. */
  forgetful?: boolean;
  /** Nobody asks what the day has left. Shows that the suite sees it. */
  careless?: boolean;
  say?(line: string): void;
}

const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kathmandu"];

export async function liveDays(options: DaysOptions): Promise<DaysResult> {
  const result: DaysResult = { runs: 0, missed: 0, doubled: 0, overLimit: 0, spentUsd: 0, busiestMinute: 0 };
  const minutes = new Map<number, number>();
  for (let index = 0; index < options.repositories; index += 1) {
    await liveOne(options, index, result, minutes);
    if ((index + 1) % 25 === 0)
      options.say?.(`${index + 1} of ${options.repositories} repositories, ${result.runs} runs`);
  }
  result.busiestMinute = Math.max(0, ...minutes.values());
  return result;
}

async function liveOne(
  { seed, days, dayUsd, forgetful = false, careless = false }: DaysOptions,
  index: number,
  result: DaysResult,
  minutes: Map<number, number>,
): Promise<void> {
  const draw = new Draw(seed, `repository ${index}`);
  const repository: Repository = { ...one, id: 1_000 + index };
  const rules: Rule[] = [
    // One that all repositories have, in the hour that clocks leave out and repeat.
    { name: "nightly", hour: 2, minute: 30, timeZone: "Europe/Berlin" },
    { name: "own", hour: draw.whole(0, 23), minute: draw.whole(0, 59), timeZone: draw.one(zones) },
  ];
  const config = [
    "harness: { default: command }",
    `budget: { runUsd: ${runUsd}, dayUsd: ${dayUsd} }`,
    "schedules:",
    ...rules.map(
      (rule) =>
        `  - { name: ${rule.name}, cron: "${rule.minute} ${rule.hour} * * *", timeZone: ${rule.timeZone}, process: explore, jitterMinutes: ${jitterMinutes} }`,
    ),
  ].join("\n");
  const clock = new ManualClock(beginsAt);
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
  const healthy = {
    store,
    clock,
    log: silentLog,
    owner: "days",
    redact: (text: string) => text,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    github: github.app(),
    repositoryCommands: true,
    publicUrl: null,
  } as unknown as Dependencies;
  const dying = { ...healthy, store: withoutWrites(store) };
  const lateAfterMs = 5 * minute;
  const look = async (dependencies: Dependencies): Promise<void> => {
    if (!(await hasDue(dependencies, repository.id, lateAfterMs))) return;
    await startDue(dependencies, repository, { runner: { wake: async () => false }, lateAfterMs });
  };
  await look(healthy);
  const budget = { ...defaultSettings.budget, dayUsd: careless ? null : dayUsd };
  const purse = new Purse();
  const active = new Map<string, ActiveRun>();
  const looks: Look[] = [];
  const endsAt = beginsAt + days * day;
  let seen = 0;
  const started: { rule: string; at: number; now: number }[] = [];
  while (clock.now() < endsAt) {
    // A few looks a day; now and then a downtime of up to three days.
    clock.advance(draw.whole(1, 40) === 1 ? draw.whole(day / 2, 3 * day) : draw.whole(2 * hour, 6 * hour));
    const now = clock.now();
    for (const [key, run] of active) {
      if (run.endsAt > now) continue;
      active.delete(key);
      const usd = draw.flip() ? run.heldUsd / 2 : run.heldUsd;
      purse.end(run, usd, now);
      await end(healthy, repository, run, usd);
    }
    const manner = draw.whole(1, 10);
    looks.push({
      at: now,
      died: manner === 1,
      busy: new Set([...active.values()].map(({ rule }) => rule)),
      isBroke: dayUsd - purse.usedUsd(now) < worthwhileUsd,
    });
    if (manner === 1) await look(dying).catch(() => {});
    else if (manner <= 4) await Promise.all([look(healthy), look(healthy)]);
    else await look(healthy);
    if (forgetful && manner === 5) await store.setValue(`schedule-book/${repository.id}`, null);
    const rows = await store.runs({ limit: 1_000_000 });
    for (const row of rows.slice(0, rows.length - seen)) {
      const event = (await store.read(row.runId))[0]?.event;
      if (event?.type !== "run.created" || event.startedBy?.kind !== "schedule") continue;
      const { name, at } = event.startedBy;
      started.push({ rule: name, at, now });
      if ([...active.values()].some(({ rule }) => rule === name)) result.overLimit += 1;
      const heldUsd = await setAside(healthy, repository, budget, row);
      const run = { runId: row.runId, rule: name, endsAt: now + draw.whole(minute, 5 * hour), heldUsd };
      active.set(row.runId, run);
      purse.begin(run);
      minutes.set(Math.floor(now / minute), (minutes.get(Math.floor(now / minute)) ?? 0) + 1);
    }
    seen = rows.length;
  }
  result.runs += started.length;
  result.spentUsd += purse.spentUsd;
  result.overLimit += purse.daysOver(dayUsd);
  for (const rule of rules) judge(rule, started, looks, result);
}

interface Look {
  at: number;
  /** Whoever looked was killed: the next one does it. */
  died: boolean;
  /** Rules whose run before was still active: `overlap: skip` lets the time go. */
  busy: ReadonlySet<string>;
  /** The day had no money left: the time is refused. */
  isBroke: boolean;
}

interface ActiveRun {
  runId: string;
  rule: string;
  endsAt: number;
  /** Set aside for it. */
  heldUsd: number;
}

/** What a repository spent, counted apart from the product: by days in UTC, as its `budget` has no time zone of its own. */
class Purse {
  readonly #days = new Map<string, number>();
  readonly #held = new Map<string, number>();

  begin({ runId, heldUsd }: ActiveRun): void {
    this.#held.set(runId, heldUsd);
  }

  end({ runId }: ActiveRun, usd: number, now: number): void {
    this.#held.delete(runId);
    const today = localDay(now, "UTC");
    this.#days.set(today, (this.#days.get(today) ?? 0) + usd);
  }

  /** Of the day: spent, and set aside. */
  usedUsd(now: number): number {
    return (this.#days.get(localDay(now, "UTC")) ?? 0) + sum(this.#held.values());
  }

  get spentUsd(): number {
    return sum(this.#days.values());
  }

  daysOver(dayUsd: number): number {
    return [...this.#days.values()].filter((usd) => usd > dayUsd + roundingUsd).length;
  }
}

const roundingUsd = 0.000_001;

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, one) => total + one, 0);
}

/** As an agent's step does before it starts: what the day still has, or nothing. */
async function setAside(
  dependencies: Dependencies,
  repository: Repository,
  budget: Settings["budget"],
  row: RunRow,
): Promise<number> {
  return withDay(dependencies, repository.id, budget, async ({ leftUsd }) => {
    const usd = leftUsd < worthwhileUsd ? 0 : Math.min(runUsd, leftUsd);
    const held = ledgerRow(repository, row, { kind: "reserve", usd, at: dependencies.clock.now() });
    if (usd > 0) await dependencies.store.write({ ledger: [held] });
    return usd;
  });
}

function ledgerRow(
  repository: Repository,
  { runId, threadKey }: RunRow,
  rest: Pick<LedgerRow, "kind" | "usd" | "at">,
): LedgerRow {
  const tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const work = { key: "explore", attempt: 1, harness: "command", model: "m", ...tokens };
  return { runId, threadKey, repositoryId: repository.id, ...work, ...rest };
}

/** Each local day has one time; it was run once, or a later one took its place, or the run before it was active. */
function judge(
  rule: Rule,
  started: readonly { rule: string; at: number }[],
  looks: readonly Look[],
  result: DaysResult,
): void {
  const mine = started.filter((run) => run.rule === rule.name).map(({ at }) => at);
  result.doubled += mine.length - new Set(mine.map((at) => localDay(at, rule.timeZone))).size;
  const ran = new Set(mine.map((at) => localDay(at, rule.timeZone)));
  // Until nobody looked any more.
  const times = expectedTimes(rule, looks.at(-1)?.at ?? beginsAt);
  for (const [index, at] of times.entries()) {
    const next = times[index + 1] ?? Number.POSITIVE_INFINITY;
    const during = looks.filter((look) => look.at >= at && look.at < next);
    const first = during.find((look) => look.at >= at + jitterMinutes * minute && !look.died);
    if (first === undefined || at <= beginsAt) continue;
    // Its own jitter is shorter, so it may have been let go before it must have begun.
    if (during.some(({ busy, isBroke }) => isBroke || busy.has(rule.name))) continue;
    if (!ran.has(localDay(at, rule.timeZone))) result.missed += 1;
  }
}

/** By minutes: the first of each local day whose clock shows the time, or the first after it where clocks leave it out. */
function expectedTimes({ hour: wantedHour, minute: wantedMinute, timeZone }: Rule, until: number): number[] {
  const wanted = wantedHour * 60 + wantedMinute;
  const times: number[] = [];
  let [last, best] = ["", Number.POSITIVE_INFINITY];
  for (let at = beginsAt; at < until; at += 15 * minute) {
    const today = localDay(at, timeZone);
    if (today !== last) {
      if (Number.isFinite(best)) times.push(best);
      [last, best] = [today, Number.POSITIVE_INFINITY];
    }
    // Quarters are fine enough: no zone changes its clocks within one.
    const [shownHour = 0, shownMinute = 0] = localTime(at, timeZone);
    const shown = shownHour * 60 + shownMinute;
    if (shown <= wanted && wanted < shown + 15 && !Number.isFinite(best)) best = at + (wanted - shown) * minute;
    else if (shown > wanted && !Number.isFinite(best) && today !== localDay(beginsAt, timeZone)) best = at;
  }
  if (best <= until) times.push(best);
  return times;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function parts(at: number, timeZone: string): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23" });
  formats.set(timeZone, format);
  return format.format(at);
}

function localDay(at: number, timeZone: string): string {
  return parts(at, timeZone).slice(0, 10);
}

function localTime(at: number, timeZone: string): number[] {
  return parts(at, timeZone).slice(11, 16).split(":").map(Number);
}

/** The run ends, and its money is settled. */
async function end(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  repository: Repository,
  { runId, rule }: ActiveRun,
  usd: number,
): Promise<void> {
  const row = await store.run(runId as never);
  if (row === null) return;
  const { dashboard } = await readBook(store, repository.id);
  const spent = ledgerRow(repository, row, { kind: "settle", usd, at: clock.now() });
  await store.write({
    run: { ...row, status: "completed" },
    thread: { threadKey: `${repository.id}#${dashboard}/${rule}`, activeRunId: null },
    ledger: [spent],
  });
}

/** Dies before what it did is in the book. */
function withoutWrites(store: Dependencies["store"]): Dependencies["store"] {
  return new Proxy(store, {
    get(target, name) {
      if (name === "setValue") return () => Promise.reject(new Error("killed"));
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

export const days: Suite = {
  name: "days",
  summary: "Over months, each time of a schedule runs once, or a later one took its place, within its limits.",
  flags: [
    { name: "days", summary: "days to live", default: 90, min: 1 },
    { name: "repositories", summary: "repositories with schedules", default: 300, min: 1 },
    { name: "day-cents", summary: "cents that a repository may spend in a day", default: 100, min: 0 },
  ],
  async prove(options) {
    const result = await liveDays({
      seed: options.seed,
      days: flagOf(options, "days"),
      repositories: flagOf(options, "repositories"),
      dayUsd: flagOf(options, "day-cents") / 100,
      say: (line) => options.say(line),
    });
    const held = result.missed + result.doubled + result.overLimit === 0 && result.runs > 0;
    const { missed, doubled, overLimit, ...more } = result;
    const lived = { days: flagOf(options, "days"), repositories: flagOf(options, "repositories") };
    return { held, result: { ...lived, missed, doubled, overLimit, ...more } };
  },
};
