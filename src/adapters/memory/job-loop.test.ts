import { setImmediate as macrotask } from "node:timers/promises";
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { silentLog } from "../system/log.ts";
import { openMemory } from "./open.ts";

function world() {
  const clock = new ManualClock();
  const { queue, store } = openMemory({ clock, log: silentLog });
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await macrotask();
  };
  return { clock, queue, store, advance };
}

it("hands a job out when the clock says so, not before", async () => {
  const { clock, queue, store, advance } = world();
  const at: number[] = [];
  await queue.work("run", 1, async () => void at.push(clock.now()));
  const begin = clock.now();
  await store.write({ jobs: [{ queue: "run", data: {}, startAt: begin + 1_000 }] });
  await advance(999);
  expect(at).toEqual([]);
  await advance(1);
  expect(at).toEqual([begin + 1_000]);
});

it("brings a failing job back later and later", async () => {
  const { clock, queue, store, advance } = world();
  const begin = clock.now();
  const at: number[] = [];
  await queue.work("run", 1, async () => {
    at.push(clock.now() - begin);
    if (at.length < 4) throw new Error("again");
  });
  await store.write({ jobs: [{ queue: "run", data: {} }] });
  await macrotask();
  for (const pause of [2_000, 4_000, 8_000, 1_000_000]) await advance(pause);
  expect(at).toEqual([0, 2_000, 6_000, 14_000]);
});

it("stops within its grace: the running handler is asked to end, no further job begins, no timer is left", async () => {
  const { clock, queue, store, advance } = world();
  const started = Promise.withResolvers<AbortSignal>();
  const release = Promise.withResolvers<void>();
  await queue.work("run", 1, async (_, signal) => {
    started.resolve(signal);
    await release.promise;
  });
  await store.write({
    jobs: [
      { queue: "run", data: {} },
      { queue: "run", data: {} },
      { queue: "run", data: {}, startAt: clock.now() + 5 },
    ],
  });
  const signal = await started.promise;
  const stopped = queue.stop(10);
  expect(signal.aborted).toBe(false);
  await advance(10);
  await stopped;
  expect(signal.aborted).toBe(true);
  expect(clock.sleeping).toBe(0);
  release.resolve();
});

it("stops as soon as the last handler ends, without waiting for the grace", async () => {
  const { clock, queue, store } = world();
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await queue.work("run", 1, async () => {
    started.resolve();
    await release.promise;
  });
  await store.write({ jobs: [{ queue: "run", data: {} }] });
  await started.promise;
  const stopped = queue.stop(60_000);
  release.resolve();
  await stopped;
  expect(clock.sleeping).toBe(0);
});
