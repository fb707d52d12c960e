import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { changeValue } from "./change-value.ts";
import { againUnderLease, underLease } from "./under-lease.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const request = { name: "work", owner: "a", forMs: 30_000, retryMs: 100 };

function scene() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const takes = (): ReturnType<typeof store.acquireLease> => store.acquireLease("work", "b", clock.now(), 30_000);
  return { clock, store, takes };
}

it("UL1: work that takes longer than the lease keeps it", async () => {
  const { clock, store, takes } = scene();
  const others: unknown[] = [];
  await underLease({ store, clock }, request, async () => {
    for (let step = 0; step < 20; step += 1) {
      clock.advance(10_000);
      await tick();
      others.push(await takes());
    }
  });
  expect(others.every((one) => one === null)).toBe(true);
  // UL3
  expect(await takes()).not.toBeNull();
  expect(clock.sleeping).toBe(0);
});

it("UL2: a holder that stood still finds out, and `againUnderLease` repeats its work", async () => {
  const { clock, store, takes } = scene();
  let tries = 0;
  const work = againUnderLease({ store, clock }, request, async ({ demand }) => {
    tries += 1;
    if (tries === 1) {
      clock.advance(30_001);
      const other = await takes();
      if (other !== null) await store.releaseLease(other);
    }
    await demand();
    return "done";
  });
  expect(await work).toBe("done");
  expect(tries).toBe(2);
});

it("without patience left it gives up with the name of the lease; a store that fails once does not end the renewal", async () => {
  const { clock, store, takes } = scene();
  const other = await takes();
  const waiting = underLease({ store, clock }, { ...request, patienceMs: 250 }, async () => "done");
  const ended = expect(waiting).rejects.toMatchObject({ code: "BATON_LEASE_LOST", details: { lease: "work" } });
  for (let step = 0; step < 6; step += 1) {
    clock.advance(100);
    await tick();
  }
  await ended;
  if (other !== null) await store.releaseLease(other);
  let fails = 1;
  const flaky = {
    acquireLease: store.acquireLease.bind(store),
    releaseLease: store.releaseLease.bind(store),
    renewLease: async (...given: Parameters<typeof store.renewLease>) => {
      if (fails-- > 0) throw new Error("no network");
      return store.renewLease(...given);
    },
  };
  await underLease({ store: flaky, clock }, request, async () => {
    for (let step = 0; step < 6; step += 1) {
      clock.advance(10_000);
      await tick();
    }
    expect(await takes()).toBeNull();
  });
});

it("many that change one value at once lose no change", async () => {
  const { clock, store } = scene();
  const key = { name: "count", schema: { safeParse: (value: unknown) => ({ data: value as number | null }) } as never };
  const all = Promise.all(
    Array.from({ length: 20 }, () => changeValue<number>({ store, clock }, key, (before) => (before ?? 0) + 1)),
  );
  let done = false;
  void all.then(() => (done = true));
  while (!done) {
    clock.advance(50);
    await tick();
  }
  expect(await store.value("count")).toBe(20);
});
