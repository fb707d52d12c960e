import { expect, it } from "vitest";
import { Coalesced } from "./coalesced.ts";

it("who asks meanwhile shares the next turn, which begins after each of them asked", async () => {
  const coalesced = new Coalesced<number>();
  const ends: (() => void)[] = [];
  let begun = 0;
  const body = (): Promise<number> => {
    begun += 1;
    const turn = begun;
    return new Promise((resolve) => ends.push(() => resolve(turn)));
  };
  const first = coalesced.run("a", body);
  const others = [coalesced.run("a", body), coalesced.run("a", body)];
  const elsewhere = coalesced.run("b", body);
  expect(begun).toBe(2);
  ends[0]?.();
  ends[1]?.();
  expect(await first).toBe(1);
  expect(await elsewhere).toBe(2);
  await expect.poll(() => begun).toBe(3);
  ends[2]?.();
  expect(await Promise.all(others)).toEqual([3, 3]);
  void coalesced.run("a", body);
  expect(begun).toBe(4);
});

it("a turn that fails fails for those who share it, and not for the next", async () => {
  const coalesced = new Coalesced<string>();
  const failing = coalesced.run("a", () => Promise.reject(new Error("first")));
  const next = coalesced.run("a", async () => "well");
  await expect(failing).rejects.toThrow("first");
  expect(await next).toBe("well");
});
