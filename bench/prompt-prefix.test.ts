import { beforeAll, describe, expect, it } from "vitest";
import { openMemory } from "../src/adapters/memory/open.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import { comparePrompts } from "../src/prompt/prefix.ts";
import { driveTurns, type ToldTurn, turnsCount } from "./engine/turns.ts";
import { reuseOf } from "./prompt-prefix.ts";

let told: ToldTurn[];
beforeAll(async () => {
  const database = openMemory({ clock: systemClock, log: silentLog });
  told = await driveTurns(database);
  await database.queue.stop(0);
});

const between = (from: number, to: number) =>
  comparePrompts(told[from]?.document.sections ?? [], told[to]?.document.sections ?? []);

describe("a run of twenty turns through the Runner", () => {
  it("PERF-001: at least 95 % of stable and runtime begin as the prompt before did", () => {
    expect(told).toHaveLength(turnsCount + 1);
    expect(reuseOf(told.map(({ document }) => document.sections))).toBeGreaterThanOrEqual(0.95);
  });

  it("PERF-005: only the step from reading to writing breaks it, and says where", () => {
    const broken = told.flatMap((_, index) => {
      const { brokenBy } = between(index - 1, index);
      return index === 0 || brokenBy === null || brokenBy.stratum === "turn" ? [] : [{ index, ...brokenBy }];
    });
    expect(broken).toEqual([{ index: 1, name: "tools", stratum: "stable", why: "changed" }]);
  });

  it("an attempt after a crash gets the same prompt, and after it what is known of the first", () => {
    const again = told.findIndex(({ prompted }) => prompted.attempt === 2);
    expect(told[again - 1]?.prompted).toMatchObject({ key: told[again]?.prompted.key, attempt: 1 });
    expect(between(again - 1, again)).toMatchObject({ brokenBy: null });
    const added = told[again]?.document.sections.at(-1);
    expect(added?.name).toBe("resume");
    expect(added?.text).toMatch(
      /attempt 2 .*The harness ended by a signal[\s\S]*in this conversation[\s\S]*- Implement the plan/,
    );
  });

  it("OBS-003: what is kept is what was told: the same prompt has the same content hash", async () => {
    const ids = told.map(({ prompted }) => prompted.promptId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
    const database = openMemory({ clock: systemClock, log: silentLog });
    const once = (await driveTurns(database)).map(({ prompted }) => prompted.promptId);
    await database.queue.stop(0);
    // The first turns do not know a commit of the fake yet.
    expect(once.slice(0, 2)).toEqual(ids.slice(0, 2));
  });

  it("a handoff stands in the turn of the one after", () => {
    const third = told[2]?.document.sections.find(({ name }) => name === "handoffs");
    expect(third).toMatchObject({ stratum: "turn", text: expect.stringContaining("Case 2 was not tested.") });
  });
});
