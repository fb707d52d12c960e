import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { limits } from "../../core/limits.ts";
import { RateBudget } from "./rate-budget.ts";

const minuteMs = 60_000;

/** Lets every ready task continue. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function world() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const budget = new RateBudget(clock, stop.signal);
  let admitted = 0;
  const ask = (contentWrite: boolean, times = 1): void => {
    for (let one = 0; one < times; one += 1)
      void budget.admit(contentWrite).then(() => {
        admitted += 1;
      });
  };
  /** The number of calls admitted since the last look. */
  const count = async (): Promise<number> => {
    await settled();
    const now = admitted;
    admitted = 0;
    return now;
  };
  return { clock, budget, stop, ask, count };
}

describe("the budget of one installation", () => {
  it("lets 60 content writes through in a minute, the 61st when the first is a minute old", async () => {
    const { clock, ask, count } = world();
    ask(true, 30);
    expect(await count()).toBe(30);
    clock.advance(20_000);
    ask(true, 31);
    expect(await count()).toBe(30);
    clock.advance(minuteMs - 20_001);
    expect(await count()).toBe(0);
    clock.advance(1);
    expect(await count()).toBe(1);
  });

  it("lets 400 through in an hour, however they are spread", async () => {
    const { clock, ask, count } = world();
    let through = 0;
    ask(true, 500);
    for (let minute = 0; minute < 59; minute += 1) {
      through += await count();
      clock.advance(minuteMs);
    }
    expect(through + (await count())).toBe(limits.contentWritesPerHourMax);
    clock.advance(minuteMs);
    expect(await count()).toBe(limits.contentWritesPerMinuteMax);
  });

  it("a read neither counts nor waits behind a write that has to", async () => {
    const { ask, count } = world();
    ask(true, limits.contentWritesPerMinuteMax + 5);
    ask(false, 200);
    expect(await count()).toBe(limits.contentWritesPerMinuteMax + 200);
  });

  it("while GitHub said to wait, nothing is sent, also when it says so twice", async () => {
    const { clock, budget, ask, count } = world();
    budget.block(30_000);
    budget.block(10_000);
    ask(false, 2);
    ask(true, 2);
    clock.advance(29_999);
    expect(await count()).toBe(0);
    clock.advance(1);
    expect(await count()).toBe(4);
  });

  it("a wait that is prolonged meanwhile is kept", async () => {
    const { clock, budget, ask, count } = world();
    budget.block(10_000);
    ask(false);
    await settled();
    budget.block(20_000);
    clock.advance(10_000);
    expect(await count()).toBe(0);
    clock.advance(10_000);
    expect(await count()).toBe(1);
  });

  it("RB4: at a stop nobody waits on, and what need not wait still goes", async () => {
    const { clock, budget, stop } = world();
    for (let one = 0; one < limits.contentWritesPerMinuteMax; one += 1) await budget.admit(true);
    const refused = { code: "BATON_GITHUB_LIMITED", retryAfterMs: minuteMs };
    const waiting = [budget.admit(true), budget.admit(true)].map((one) => expect(one).rejects.toMatchObject(refused));
    await settled();
    stop.abort();
    await Promise.all(waiting);
    await budget.admit(false);
    await expect(budget.admit(true)).rejects.toMatchObject(refused);
    budget.block(5_000);
    await expect(budget.admit(false)).rejects.toMatchObject({ code: "BATON_GITHUB_LIMITED", retryAfterMs: 5_000 });
    expect(clock.sleeping).toBe(0);
  });

  it("of two installations, one's writes do not hold up the other's", async () => {
    const one = world();
    const other = world();
    one.ask(true, limits.contentWritesPerMinuteMax + 1);
    other.ask(true);
    expect(await other.count()).toBe(1);
  });
});
