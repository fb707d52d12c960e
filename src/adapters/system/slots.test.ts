import { expect, it } from "vitest";
import { Slots } from "./slots.ts";

it("runs at most so many at once, in order, also after one has failed", async () => {
  const slots = new Slots(2);
  const ends: (() => void)[] = [];
  const began: number[] = [];
  const work = (index: number): Promise<void> =>
    slots.use(async () => {
      began.push(index);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (index === 0) throw new Error("failed");
    });
  const all = [0, 1, 2, 3].map((index) => work(index).catch(() => {}));
  expect(began).toEqual([0, 1]);
  ends[0]?.();
  await all[0];
  await Promise.resolve();
  expect(began).toEqual([0, 1, 2]);
  ends[1]?.();
  await all[1];
  await Promise.resolve();
  expect(began).toEqual([0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  await Promise.all(all);
});
