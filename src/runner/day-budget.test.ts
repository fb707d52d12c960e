import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { defaultSettings, settingsSchema } from "../config/schema.ts";
import { noTokens, type RunId } from "../core/vocabulary.ts";
import type { LedgerRow, TransactionWrites } from "../ports/store.ts";
import { dayLeft, sweepLimitsOf, withDay } from "./day-budget.ts";

const repositoryId = 7;
const dayUsd = 5;
const wantUsd = 3;
const budget = { ...defaultSettings.budget, dayUsd, timeZone: "UTC" };

const reserved = (runId: string, at: number): LedgerRow => ({
  runId: runId as RunId,
  key: "implement",
  attempt: 1,
  kind: "reserve",
  repositoryId,
  threadKey: "7#1",
  harness: "",
  model: "",
  ...noTokens,
  usd: wantUsd,
  at,
});

/** Two replicas with one store. Each asks for three of the day's five dollars. */
function replicas() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const seen: string[] = [];
  const ask = (owner: string, before: () => Promise<void> = async () => {}) =>
    withDay({ store, clock, owner }, repositoryId, budget, async ({ leftUsd }, also: TransactionWrites) => {
      seen.push(`${owner} ${leftUsd}`);
      await before();
      if (leftUsd < wantUsd) return false;
      await store.append({
        runId: owner as RunId,
        expectedPosition: 0,
        events: [{ type: "run.resumed", by: { id: 1, login: "alice", kind: "user", permission: "write" } }],
        now: clock.now(),
        also: { ...also, ledger: [reserved(owner, clock.now())] },
      });
      return true;
    });
  return { clock, store, ask, seen };
}

const reservedUsd = async ({ store }: ReturnType<typeof replicas>): Promise<number> =>
  (await store.ledger({ repositoryId, since: 0 })).reduce((sum, { usd }) => sum + usd, 0);

// Replicas are separate processes: within one process, requests queue before they acquire the lease.
it.each([
  ["past its lease", 20_001],
  ["by a day's half", 12 * 3_600_000],
])("DB2: a holder that is delayed %s admits no money that another one was given", async (_, delayMs) => {
  const world = replicas();
  const { clock, store } = world;
  let delayed = false;
  const first = world.ask("run_first", async () => {
    if (delayed) return;
    delayed = true;
    clock.advance(delayMs);
    // Another process acquires the expired lease and the rest of the money.
    const lease = await store.acquireLease(`budget/${repositoryId}`, "run_second", clock.now(), 20_000);
    expect(lease).not.toBeNull();
    await store.append({
      runId: "run_second" as RunId,
      expectedPosition: 0,
      events: [{ type: "run.resumed", by: { id: 1, login: "bob", kind: "user", permission: "write" } }],
      now: clock.now(),
      also: {
        ...(lease === null ? {} : { holds: lease }),
        ledger: [reserved("run_second", clock.now())],
      },
    });
    if (lease !== null) await store.releaseLease(lease);
  });
  expect(await first).toBe(false);
  expect(world.seen).toEqual(["run_first 5", "run_first 2"]);
  expect(await reservedUsd(world)).toBe(wantUsd);
});

it("DB2: a holder whose lease ran out, but was taken by nobody, keeps what it decided", async () => {
  const world = replicas();
  expect(await world.ask("run_first", async () => world.clock.advance(60_000))).toBe(true);
  expect(await reservedUsd(world)).toBe(wantUsd);
});

it("DB1: of two that ask at once one gets the money", async () => {
  const world = replicas();
  expect(await Promise.all([world.ask("run_first"), world.ask("run_second")])).toEqual([true, false]);
  expect(world.seen).toEqual(["run_first 5", "run_second 2"]);
});

it("the run's own lease is its driver's matter: that loss is not tried again", async () => {
  const { store, clock } = replicas();
  let asked = 0;
  const lost = withDay({ store, clock, owner: "a" }, repositoryId, budget, async () => {
    asked += 1;
    throw Object.assign(new Error("lost"), { code: "BATON_LEASE_LOST" });
  });
  await expect(lost).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
  expect(asked).toBe(1);
});

describe("limits of sweeps", () => {
  const noDay = { ...budget, dayUsd: null };
  const sweepRow = (runId: string, process: string) => ({
    runId: runId as RunId,
    threadKey: "7#1",
    process,
    status: "running" as const,
    position: 0,
    createdAt: 0,
    updatedAt: 0,
    wakeAt: null,
    watches: [],
  });

  it.each([
    ["sweep.dayUsd", { dayUsd, monthUsd: null }, "2026-01-02"],
    ["sweep.monthUsd", { dayUsd: null, monthUsd: dayUsd }, "2026-02-01"],
    ["both, and the one that lasts longer", { dayUsd, monthUsd: dayUsd }, "2026-02-01"],
  ])("`%s`: of three sweeps that ask at once, one gets the money", async (_, sweep, until) => {
    const { clock, store } = replicas();
    for (const runId of ["run_a", "run_b", "run_c"]) await store.write({ run: sweepRow(runId, "sweep") });
    const reasons: string[] = [];
    const ask = (runId: string) =>
      withDay(
        { store, clock, owner: runId },
        repositoryId,
        noDay,
        async ({ leftUsd, reason }, also) => {
          if (leftUsd < wantUsd) return reasons.push(reason);
          await store.append({
            runId: runId as RunId,
            expectedPosition: 0,
            events: [{ type: "run.resumed", by: { id: 1, login: "alice", kind: "user", permission: "write" } }],
            now: clock.now(),
            also: { ...also, ledger: [reserved(runId, clock.now())] },
          });
          return 0;
        },
        sweep,
      );
    await Promise.all(["run_a", "run_b", "run_c"].map(ask));
    expect(await reservedUsd({ store } as ReturnType<typeof replicas>)).toBe(wantUsd);
    expect(reasons).toHaveLength(2);
    expect(reasons[0]).toContain(`have used $3.00 of $5.00`);
    expect(reasons[0]).toContain(`New money comes at ${until} 00:00 (UTC).`);
  });

  it("the work of people does not count, and does not wait for them", async () => {
    const { clock, store } = replicas();
    await store.write({ run: sweepRow("run_p", "issue-to-pr"), ledger: [reserved("run_p", clock.now())] } as never);
    const left = (sweep: { dayUsd: number; monthUsd: null } | null) =>
      withDay({ store, clock, owner: "a" }, repositoryId, noDay, async ({ leftUsd }) => leftUsd, sweep);
    expect(await left({ dayUsd, monthUsd: null })).toBe(dayUsd);
    expect(await left(null)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each<[string, string | undefined, string | null, number]>([
    ["of a sweep whose run another thread has", "sweep", null, dayUsd - wantUsd],
    ["of other work whose run another thread has", "issue-to-pr", null, dayUsd],
    ["of an older Baton, of a sweep", undefined, "sweep", dayUsd - wantUsd],
    ["of an older Baton, of other work", undefined, "issue-to-pr", dayUsd],
    ["of an older Baton, of a run that another thread has", undefined, null, dayUsd - wantUsd],
  ])("a row %s", async (_, process, run, left) => {
    const { clock, store } = replicas();
    const { process: __, ...unnamed } = { ...reserved("run_x", clock.now()), process };
    const ledger = [process === undefined ? unnamed : { ...unnamed, process }];
    await store.write({ ...(run === null ? {} : { run: sweepRow("run_x", run) }), ledger } as never);
    const asked: string[] = [];
    const seen = { ledger: store.ledger.bind(store), run: async (id: RunId) => (asked.push(id), store.run(id)) };
    expect((await dayLeft({ store: seen, clock }, repositoryId, noDay, { dayUsd, monthUsd: null })).leftUsd).toBe(left);
    expect(asked).toEqual(process === undefined ? ["run_x"] : []);
  });

  it.each([
    ["sweep", { dayUsd: 2 }, true],
    ["sweep", { monthUsd: 2 }, true],
    ["sweep", {}, false],
    ["explore", { dayUsd: 2, monthUsd: 2 }, false],
  ])("a run of `%s` with %j is bound by them: %s", (name, sweep, isBound) => {
    const settings = settingsSchema.parse({ sweep });
    const state = { process: { name, version: 1, stages: [] }, settings };
    expect(sweepLimitsOf(state as never) !== null).toBe(isBound);
  });
});
