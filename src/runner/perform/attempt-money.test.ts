/**
 * AM2, M4: a self-reporting harness ends with the report that exceeds its share. It is charged at most one more
 * reservation.
 */
import { expect, it } from "vitest";
import { defaultSettings } from "../../config/schema.ts";
import { noTokens, usdOf } from "../../core/vocabulary.ts";
import type { Metering } from "../../money/metering.ts";
import { AttemptMoney, type Metered } from "./attempt-money.ts";
import { Meter } from "./meter.ts";

const reservedUsd = 2;

/** A run with this much money in addition to the attempt's reservation. */
function attempt(spareUsd: number, shareUsd = Number.POSITIVE_INFINITY) {
  const meter = new Meter("command", defaultSettings, reservedUsd, shareUsd);
  const asked: Metering[] = [];
  let setAsideUsd = reservedUsd;
  const tell = async (metering: Metering): Promise<Metered> => {
    asked.push(metering);
    const { request, usage, capUsd } = metering;
    if (request === null) return { grantedUsd: null, reservedUsd: setAsideUsd };
    const leftUsd = Math.min(reservedUsd + spareUsd, capUsd) - usdOf(usage);
    const grantedUsd = Math.min(request.wantUsd, leftUsd);
    if (grantedUsd < request.leastUsd) return { grantedUsd: null, reservedUsd: setAsideUsd };
    setAsideUsd = Math.max(setAsideUsd, usdOf(usage) + grantedUsd);
    return { grantedUsd, reservedUsd: setAsideUsd };
  };
  const money = new AttemptMoney("command", meter, tell);
  const report = (costUsd: number): void => {
    meter.take({ type: "usage", model: "own", tokens: noTokens, costUsd });
    money.reported();
  };
  return { meter, money, report, asked };
}

it.each([
  ["within what is set aside", 0, [0.5, 1.9], false, 1.9],
  ["beyond it, where the run has more", 3, [0.5, 2.5], false, 2.5],
  ["far beyond it, where the run has more", 20, [15], false, 15],
  ["exactly it, with nothing left", 0, [2], true, 2],
  ["a little beyond all", 0, [1, 2.4], true, 2.4],
  ["far beyond all", 0, [1, 900], true, 4],
  ["far beyond all, in a burst", 1, [1, 2.5, 900], true, 5],
  ["beyond all by less than a reservation, in one report", 1, [4.9], true, 4.9],
  ["less again, after too much", 0, [900, 0.1], true, 4],
])("%s", async (_, spareUsd, reports, ends, chargedUsd) => {
  const { meter, money, report } = attempt(spareUsd);
  for (const usd of reports) report(usd);
  await money.told();
  expect(meter.exceeded.aborted).toBe(ends);
  expect(meter.spentUsd()).toBeCloseTo(chargedUsd, 9);
  expect(meter.spentUsd()).toBeLessThanOrEqual(reservedUsd + spareUsd + reservedUsd);
});

it("what is claimed beyond is kept, and moves no money", async () => {
  const { meter, money, report, asked } = attempt(0);
  report(900);
  await money.told();
  expect(meter.usage()).toMatchObject([{ costUsd: 4, reported: { costUsd: 900 } }]);
  // The charge equals the last report in the journal.
  expect(asked.at(-1)).toMatchObject({ request: null, usage: [{ costUsd: 4 }] });
  expect(meter.claimedUsd()).toBe(900);
});

it("one that passes its own share ends at once, whatever the run has left", async () => {
  const { meter, money, report } = attempt(50, 3);
  report(2.9);
  expect(meter.exceeded.aborted).toBe(false);
  report(3.1);
  expect(meter.exceeded.aborted).toBe(true);
  await money.told();
  expect(meter.spentUsd()).toBeCloseTo(3.1, 9);
});

it("asks for all that it claims at once, not step by step", async () => {
  const { money, report, asked } = attempt(1_000);
  report(600);
  await money.told();
  expect(asked.length).toBeLessThanOrEqual(2);
});
