import { expect, it } from "vitest";
import type { Priority } from "../core/priority.ts";
import { AgentSlots } from "./agent-slots.ts";

function scene(count: number) {
  const clock = { ms: 0 };
  const slots = new AgentSlots(count, () => clock.ms);
  const turns: string[] = [];
  const ask = (key: string, priority: Priority, deadline: number | null = null) =>
    slots.request(key, { priority, deadline }, () => turns.push(key));
  return { slots, turns, ask, clock };
}

it.each([
  ["a person's run beside sweeps", ["low", "low"], "normal", true],
  ["a person's run beside people's", ["normal", "normal"], "normal", false],
  ["a person's run beside one of each", ["normal", "low"], "normal", true],
  ["a sweep beside people's runs", ["normal", "normal"], "low", false],
  ["a sweep beside sweeps", ["low", "low"], "low", false],
  ["an urgent run beside people's", ["normal", "high"], "critical", true],
  ["a sweep where a slot is free", ["normal"], "low", true],
] as const)("of two slots, %s", (_, held, priority, begins) => {
  const { ask } = scene(2);
  for (const [index, one] of held.entries()) expect(ask(`held ${index}`, one)).toBe(true);
  expect(ask("new", priority)).toBe(begins);
});

it("the highest priority goes first, then who waited longest; each has its turn once", () => {
  const { slots, turns, ask } = scene(1);
  ask("at work", "critical");
  for (const [key, priority] of [
    ["sweep", "low"],
    ["first", "normal"],
    ["second", "normal"],
    ["urgent", "high"],
  ] as const)
    expect(ask(key, priority)).toBe(false);
  expect(ask("sweep", "low")).toBe(false);
  expect(slots.waiting).toBe(4);
  for (const key of ["at work", "urgent", "first", "second", "sweep"]) slots.leave(key);
  expect(turns).toEqual(["urgent", "first", "second", "sweep"]);
  expect(slots.waiting).toBe(0);
  expect(ask("again", "low")).toBe(true);
});

it("a turn is kept for who got it, and who goes away takes none", () => {
  const { slots, turns, ask } = scene(1);
  ask("at work", "normal");
  ask("gone", "normal");
  ask("next", "normal");
  slots.leave("gone");
  slots.leave("at work");
  expect(turns).toEqual(["next"]);
  expect(ask("late", "normal")).toBe(false);
  expect(ask("next", "normal")).toBe(true);
  slots.leave("next");
  expect(turns).toEqual(["next", "late"]);
});

it("a person who comes while a sweep works leaves the sweep's slot to nobody else", () => {
  const { slots, turns, ask } = scene(1);
  ask("sweep", "low");
  expect(ask("person", "normal")).toBe(true);
  expect(ask("other sweep", "low")).toBe(false);
  slots.leave("sweep");
  expect(turns).toEqual([]);
  slots.leave("person");
  expect(turns).toEqual(["other sweep"]);
});

it("of one priority the earliest deadline goes first; a deadline never beats a priority", () => {
  const { slots, turns, ask } = scene(1);
  ask("at work", "critical");
  for (const [key, priority, deadline] of [
    ["none", "normal", null],
    ["late", "normal", 9_000],
    ["early", "normal", 1_000],
    ["sweep", "low", 1],
    ["same", "normal", 1_000],
    ["high", "high", null],
  ] as const)
    expect(ask(key, priority, deadline)).toBe(false);
  for (const key of ["at work", "high", "early", "same", "late", "none", "sweep"]) slots.leave(key);
  expect(turns).toEqual(["high", "early", "same", "late", "none", "sweep"]);
});

it("WT2: a far deadline waits its turn, a near one goes ahead, and no deadline is no reason to wait forever", () => {
  const { slots, turns, ask, clock } = scene(1);
  const hourMs = 3_600_000;
  ask("at work", "critical");
  ask("patient", "normal");
  clock.ms = 1;
  ask("far", "normal", 48 * hourMs);
  clock.ms = 2;
  ask("near", "normal", hourMs / 2);
  // Each hour somebody comes with a deadline half an hour later.
  for (let hour = 1; hour < 4; hour += 1) {
    clock.ms = hour * hourMs;
    ask(`hourly ${hour}`, "normal", clock.ms + hourMs / 2);
  }
  for (const key of ["at work", "near", "patient", "far", "hourly 1", "hourly 2"]) slots.leave(key);
  expect(turns).toEqual(["near", "patient", "far", "hourly 1", "hourly 2", "hourly 3"]);
});

it("WT4: another priority counts at once, for who waits and for who works", () => {
  const { slots, turns, ask } = scene(1);
  expect(ask("at work", "high")).toBe(true);
  expect([ask("first", "normal"), ask("second", "normal"), ask("third", "normal")]).toEqual([false, false, false]);
  expect(ask("second", "high")).toBe(false);
  expect(ask("third", "critical")).toBe(true);
  slots.leave("third");
  expect(turns).toEqual([]);
  // The run at work is less urgent now: the one that waits for it begins.
  expect(ask("at work", "low")).toBe(true);
  expect(turns).toEqual(["second"]);
  slots.leave("second");
  expect(turns).toEqual(["second", "first"]);
});
