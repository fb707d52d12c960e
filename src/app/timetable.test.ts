import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { Timetable } from "./timetable.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function replica(owner: string, clock: ManualClock, store: Dependencies["store"], errors: string[] = []): Dependencies {
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (text: string) => void errors.push(text),
    child: () => log,
  };
  return { clock, store, owner, log } as unknown as Dependencies;
}

it("TT1, TT3: begins at once and comes back; of two replicas one does it, each its own where it is for each", async () => {
  const clock = new ManualClock();
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const { store, close } = openMemory({ clock, log });
  const done: string[] = [];
  const round = (name: string, by: "one" | "each") => ({
    name,
    by,
    intervalMs: 1_000,
    work: async ({ owner }: Dependencies) => {
      done.push(`${name} by ${by === "one" ? "one" : owner}`);
      return null;
    },
  });
  const rounds = [round("shared", "one"), round("own", "each")];
  const tables = ["a", "b"].map((owner) => new Timetable(replica(owner, clock, store), rounds));
  for (const table of tables) table.start();
  await tick();
  expect(done.toSorted()).toEqual(["own by a", "own by b", "shared by one"]);
  clock.advance(1_000);
  await tick();
  expect(done).toHaveLength(6);
  await Promise.all(tables.map((table) => table.stop()));
  expect(clock.sleeping).toBe(0);
  await close();
});

it("TT1: a round that takes longer than its lease stays the only one; another replica is told of a lost lease", async () => {
  const clock = new ManualClock();
  const { store, close } = openMemory({ clock, log: silentLog });
  const begun: string[] = [];
  const lost: unknown[] = [];
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const round = {
    name: "slow",
    by: "one" as const,
    intervalMs: 30_000,
    async work({ owner }: Dependencies, stillOurs: () => Promise<void>) {
      begun.push(owner);
      if (begun.length > 1) return null;
      await ended;
      // The machine stood still, and another replica took the lease.
      clock.advance(60_000);
      await store.acquireLease("round:slow", "c", clock.now(), 1);
      await stillOurs().catch((thrown: unknown) => lost.push(thrown));
      return null;
    },
  };
  const tables = ["a", "b"].map((owner) => new Timetable(replica(owner, clock, store), [round]));
  for (const table of tables) table.start();
  for (let step = 0; step < 20; step += 1) {
    clock.advance(9_000);
    await tick();
  }
  expect(begun).toEqual(["a"]);
  end();
  await tick();
  await tick();
  expect(lost).toMatchObject([{ code: "BATON_LEASE_LOST" }]);
  await Promise.all(tables.map((table) => table.stop()));
  await close();
});

it("TT2: a round that fails is told and comes again", async () => {
  const clock = new ManualClock();
  const errors: string[] = [];
  let times = 0;
  const work = async (): Promise<null> => {
    times += 1;
    throw new Error("no network");
  };
  const table = new Timetable(replica("a", clock, {} as never, errors), [
    { name: "x", by: "each", intervalMs: 10, work },
  ]);
  table.start();
  await tick();
  clock.advance(10);
  await tick();
  expect([times, errors]).toEqual([2, ["A round failed", "A round failed"]]);
  await table.stop();
});
