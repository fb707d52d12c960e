/** B1, B4: usage above an attempt's share grows in the journal first, so no other attempt gets that money. */
import { describe, expect, it } from "vitest";
import { alice } from "../../test/fakes/run-world.ts";
import { attemptEnded, lostAttempts } from "../core/decide.ts";
import type { RunEvent } from "../core/event.ts";
import { applyEvent, fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import { type EffectKey, noTokens, type RunId, type Usage } from "../core/vocabulary.ts";
import { dayAllowance, dayOf, ledgerSums } from "./allowance.ts";
import { metered, startAttempt } from "./metering.ts";

const day = { leftUsd: Number.POSITIVE_INFINITY, until: null, reason: "" };
const key = (name: string): EffectKey => name as EffectKey;

class Journal {
  state: RunState;

  constructor(budgetUsd: number, ...keys: string[]) {
    this.state = fold([
      this.#stored(
        {
          type: "run.created",
          runId: `run_${"0".repeat(26)}` as RunId,
          process: { name: "p", version: 1, stages: [] },
          input: {},
          thread: {
            repository: { id: 1, owner: "a", name: "b", defaultBranch: "main", installationId: 1 },
            number: 1,
            kind: "issue",
          },
          requestedBy: alice,
          trigger: { operationKey: "k", commentId: null, text: "" },
          budgetUsd,
          settings: {},
          settingsSha: null,
          parent: null,
          retryOf: null,
        },
        1,
      ),
    ]);
    for (const name of keys)
      this.append([
        {
          type: "effect.requested",
          key: key(name),
          kind: "agent",
          input: { title: name },
          cause: 1,
          timeoutMs: null,
          retry: { attemptsMax: 3, pauseMs: 0, pauseMaxMs: 0 },
          hints: {},
        },
      ]);
  }

  append(events: RunEvent[]): RunEvent[] {
    for (const event of events) applyEvent(this.state, this.#stored(event, this.state.position + 1));
    return events;
  }

  start(name: string, wantUsd: number, change: Partial<Parameters<typeof startAttempt>[1]> = {}): RunEvent[] {
    const attempt = (this.state.effects.get(key(name))?.attempts.length ?? 0) + 1;
    const start = { key: key(name), attempt, worker: "w", wantUsd, leastUsd: 0, day, othersAtWork: false, ...change };
    return this.append(startAttempt(this.state, start));
  }

  ask(
    name: string,
    usedUsd: number,
    wantUsd: number,
    leastUsd = wantUsd,
    capUsd = Number.POSITIVE_INFINITY,
  ): number | null {
    const request = { harness: "h", model: "m", wantUsd, leastUsd };
    const attempt = this.state.effects.get(key(name))?.attempts.length ?? 0;
    const { events, grantedUsd } = metered(this.state, key(name), attempt, {
      usage: usedUsd === 0 ? [] : [used(usedUsd)],
      held: [],
      request,
      capUsd,
    });
    this.append(events);
    return grantedUsd;
  }

  #stored(event: RunEvent, position: number) {
    return { stream: "s", position, at: position, schemaVersion: 1, event, previousHash: "", hash: "" };
  }
}

const used = (costUsd: number): Usage => ({
  harness: "h",
  model: "m",
  tokens: { ...noTokens, output: 1 },
  costUsd,
  priceSource: "table",
  priceTableVersion: "t",
});

describe("usage in flight counts in admission", () => {
  it.each([
    [5, 2, 4.5, 0.5],
    [5, 2, 2.01, 2],
    [3, 0.5, 2.9, 0.1],
  ])("of %d USD an attempt with %d alone uses %d: a second is given %d", (budgetUsd, wantUsd, usesUsd, second) => {
    const journal = new Journal(budgetUsd, "a", "b");
    journal.start("a", wantUsd);
    expect(journal.ask("a", 0, usesUsd)).toBe(usesUsd);
    const [event] = journal.start("b", wantUsd);
    expect(event).toMatchObject({ type: "effect.started", reservedUsd: expect.closeTo(second, 9) });
    expect(journal.state.money.reservedUsd).toBeLessThanOrEqual(budgetUsd + 1e-9);
  });

  it("what a second was given the first can use no more", () => {
    const journal = new Journal(5, "a", "b");
    journal.start("a", 2);
    journal.start("b", 2);
    expect(journal.ask("a", 2, 1.5, 0.5)).toBe(1);
    expect(journal.ask("b", 2, 1, 0.1)).toBeNull();
  });

  it("a harness that reported more than its share leaves only the rest to others", () => {
    const journal = new Journal(5, "a", "b");
    journal.start("a", 2);
    const told = { usage: [used(3.5)], held: [], request: null, capUsd: Number.POSITIVE_INFINITY };
    journal.append(metered(journal.state, key("a"), 1, told).events);
    expect(journal.start("b", 2)).toMatchObject([{ reservedUsd: expect.closeTo(1.5, 9) }]);
  });

  it("an agent that is told to stop keeps its money set aside until it has said its last", () => {
    const journal = new Journal(2, "a", "b");
    journal.start("a", 2);
    journal.append([{ type: "effect.cancelled", key: key("a"), reason: "", usage: [] }]);
    expect(journal.start("b", 1, { othersAtWork: true })).toEqual([]);
    journal.append(
      attemptEnded(
        journal.state,
        key("a"),
        1,
        { ok: false, error: { code: "BATON_CANCELLED", message: "" }, usage: [used(0.4)], kept: null },
        1,
      ),
    );
    expect(journal.start("b", 1)).toMatchObject([{ reservedUsd: 1 }]);
    expect(journal.state.money.spentUsd).toBe(0.4);
  });

  it("a request that no refusal of its own step stops is bounded by the step's share", () => {
    const journal = new Journal(5, "a");
    journal.start("a", 2);
    expect(journal.ask("a", 0.5, 2, 0.1, 0.75)).toBe(0.25);
    expect(journal.ask("a", 0.75, 2, 0.1, 0.75)).toBeNull();
  });
});

describe("after a crash", () => {
  it.each([
    [0, 0.3],
    [1.2, 0.3],
    [1.2, 1.5],
  ])("an attempt that used %d and has %d under way is charged both, once", (usedUsd, wantUsd) => {
    const journal = new Journal(5, "a");
    journal.start("a", 2);
    journal.ask("a", usedUsd, wantUsd);
    // A milestone moves no money.
    journal.append([{ type: "effect.progress", key: key("a"), attempt: 1, note: "n", usage: [used(9)] }]);
    journal.append(lostAttempts(journal.state, () => false, 1));
    expect(journal.state.money.spentUsd).toBeCloseTo(usedUsd + wantUsd, 9);
    expect(journal.state.money.reservedUsd).toBe(0);
    const usage = journal.state.effects.get(key("a"))?.attempts[0]?.usage ?? [];
    expect(usage.at(-1)).toMatchObject({ reserved: true, costUsd: wantUsd });
  });

  it("so is one that had been told to stop", () => {
    const journal = new Journal(5, "a");
    journal.start("a", 2);
    journal.ask("a", 0.5, 0.25);
    journal.append([{ type: "effect.cancelled", key: key("a"), reason: "", usage: [] }]);
    expect(journal.append(lostAttempts(journal.state, () => false, 1))).toHaveLength(1);
    expect(journal.state.money).toMatchObject({ spentUsd: 0.75, reservedUsd: 0 });
    expect(lostAttempts(journal.state, () => false, 1)).toEqual([]);
  });
});

describe("an attempt that is out of money", () => {
  const exceeded = (needed?: number) => ({
    ok: false as const,
    error: {
      code: "BATON_BUDGET_EXCEEDED" as const,
      message: "",
      ...(needed === undefined ? {} : { details: { neededUsd: `${needed}` } }),
    },
    usage: [used(1)],
    kept: null,
  });

  it.each([
    [1.2, 0.5, true],
    [1.2, undefined, false],
    [5, 0.5, false],
    [1.005, undefined, true],
  ])("of %d USD, needing %s, waits for people: %s", (budgetUsd, needed, stops) => {
    const journal = new Journal(budgetUsd, "a");
    journal.start("a", 1);
    const events = attemptEnded(journal.state, key("a"), 1, exceeded(needed), 1);
    expect(events.map(({ type }) => type)).toEqual(["effect.attempt-failed", ...(stops ? ["run.budget-stopped"] : [])]);
  });

  it("waits for others at work, and does not begin for less than it needs", () => {
    const journal = new Journal(3, "a", "b");
    journal.start("a", 1);
    journal.start("b", 1.9);
    journal.append(attemptEnded(journal.state, key("a"), 1, exceeded(0.5), 1));
    expect(journal.state.money.stop).toBeNull();
    expect(journal.start("a", 1, { leastUsd: 0.5, othersAtWork: true })).toEqual([]);
    expect(journal.start("a", 1, { leastUsd: 0.5 })).toMatchObject([
      { type: "run.budget-stopped", neededUsd: expect.closeTo(0.9, 9) },
    ]);
  });
});

describe("sums of the ledger", () => {
  const at = Date.UTC(2026, 10, 30, 23, 30);
  const line = (change: object) => ({
    runId: "r",
    key: "k",
    attempt: 1,
    kind: "settle" as const,
    repositoryId: 1,
    personId: 1,
    person: "alice",
    usd: 1,
    at,
    ...change,
  });

  it("are by repository, day and person; what is set aside counts until it is settled", () => {
    const lines = [
      line({}),
      line({ kind: "reserve", usd: 5 }),
      line({ runId: "s", kind: "reserve", usd: 2, person: "bob", personId: 2 }),
      line({ runId: "t", repositoryId: 2, usd: 4, at: at - 86_400_000 }),
      line({ runId: "old", person: undefined, personId: undefined, usd: 8 }),
    ];
    const { total, repositories, days, people } = ledgerSums(lines, { now: at, timeZone: "Europe/Berlin" });
    expect(total).toEqual({ spentUsd: 13, reservedUsd: 2 });
    expect(repositories.get(1)).toEqual({ spentUsd: 9, reservedUsd: 2 });
    expect(Object.fromEntries(days)).toEqual({
      "2026-12-01": { spentUsd: 9, reservedUsd: 2 },
      "2026-11-30": { spentUsd: 4, reservedUsd: 0 },
    });
    expect(Object.fromEntries(people)).toEqual({
      alice: { spentUsd: 5, reservedUsd: 0 },
      bob: { spentUsd: 0, reservedUsd: 2 },
    });
    expect(ledgerSums(lines, { now: at, timeZone: "UTC", personId: 2 }).total).toEqual({ spentUsd: 0, reservedUsd: 2 });
  });

  it.each([
    ["UTC", "2026-11-30", Date.UTC(2026, 10, 30), Date.UTC(2026, 11, 1)],
    ["Europe/Berlin", "2026-12-01", Date.UTC(2026, 10, 30, 23), Date.UTC(2026, 11, 1, 23)],
    ["America/New_York", "2026-11-30", Date.UTC(2026, 10, 30, 5), Date.UTC(2026, 11, 1, 5)],
    ["Asia/Kathmandu", "2026-12-01", Date.UTC(2026, 10, 30, 18, 15), Date.UTC(2026, 11, 1, 18, 15)],
    ["Pacific/Kiritimati", "2026-12-01", Date.UTC(2026, 10, 30, 10), Date.UTC(2026, 11, 1, 10)],
  ])("the day in %s", (timeZone, name, from, until) => {
    expect(dayOf(at, timeZone)).toEqual({ name, from, until });
  });

  it.each([
    ["has 23 hours", Date.UTC(2027, 2, 28, 12), 23],
    ["has 25 hours", Date.UTC(2026, 9, 25, 12), 25],
  ])("a day on which clocks change %s", (_, noon, hours) => {
    const { from, until } = dayOf(noon, "Europe/Berlin");
    expect((until - from) / 3_600_000).toBe(hours);
  });

  it("a day's budget counts what was settled today and what is set aside", () => {
    const lines = [
      line({ usd: 0.5 }),
      line({ runId: "y", at: at - 86_400_000 }),
      line({ runId: "s", kind: "reserve", usd: 2 }),
    ];
    const { leftUsd, until, reason } = dayAllowance(lines, 1, { dayUsd: 3, timeZone: "UTC" }, at);
    expect(leftUsd).toBe(0.5);
    expect(until).toBe(Date.UTC(2026, 11, 1));
    expect(reason).toBe(
      "This repository has used $2.50 of $3.00 on 2026-11-30 (@alice $2.50). $2.00 of it is set aside for agents at work. The next day begins at 2026-12-01 00:00 (UTC).",
    );
    expect(dayAllowance(lines, 2, { dayUsd: 3, timeZone: "UTC" }, at).leftUsd).toBe(3);
    expect(dayAllowance(lines, 1, { dayUsd: null, timeZone: "UTC" }, at).leftUsd).toBe(Number.POSITIVE_INFINITY);
  });
});
