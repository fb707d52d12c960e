/** A replica's experience with a harness counts for the others: circuits and history are in their shared store. */
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { defaultSettings } from "../../config/schema.ts";
import type { AgentInput } from "../../core/effect.ts";
import type { ErrorData } from "../../core/errors.ts";
import type { Usage, Verdict } from "../../core/vocabulary.ts";
import type { Harness } from "../../ports/harness.ts";
import type { PerformContext } from "./performer.ts";
import { remember, route } from "./route.ts";

const capabilities = {
  resume: true,
  readOnly: true,
  systemPrompt: true,
  maxTurns: true,
  maxUsd: true,
  reportsUsage: true,
  reportsCost: true,
  toolServers: true,
};
const harness = (name: string, defaultModel: string | null = null): Harness =>
  ({ name, capabilities, defaultModel }) as unknown as Harness;
const input = { role: "implement", access: "write", title: "Implement" } as unknown as AgentInput;
const settings = {
  ...defaultSettings,
  harness: { ...defaultSettings.harness, default: "first", fallback: ["second"] },
};
type Result = { error: ErrorData | null; usage: Usage[]; durationMs: number };
const failed = (code: ErrorData["code"]): Result => ({
  error: { code, message: "" },
  usage: [],
  durationMs: 1,
});
const fine: Result = { error: null, usage: [], durationMs: 60_000 };

/** Two replicas with their own harnesses, on one store. */
function replicas(harnesses = [harness("first"), harness("second")]) {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const replica = (repositoryId = 1) => {
    const thread = { repository: { id: repositoryId } };
    const verdicts: Verdict[] = [];
    const context = {
      dependencies: { store, clock, log: silentLog, harnesses: new Map(harnesses.map((one) => [one.name, one])) },
      state: { runId: "run_0123456789abcdef", thread, money: { budgetUsd: 10, spentUsd: 0, reservedUsd: 0 } },
      effect: { key: "implement", attempts: [] },
      attempt: 1,
      decided: async (verdict: Verdict) => void verdicts.push(verdict),
    } as unknown as PerformContext;
    return {
      verdicts,
      goes: async (change: Partial<typeof settings> = {}) => {
        const { choice } = await route(context, input, { ...settings, ...change });
        return choice.model === null ? choice.harness : `${choice.harness} ${choice.model}`;
      },
      learns: (name: string, model: string | null, result: Result) =>
        remember(context.dependencies, { harness: name, model, role: "implement", ...result }, context.state),
    };
  };
  return { clock, one: replica(), other: replica(), elsewhere: replica(2) };
}

it("failures of both open the circuit for both; by the clock a try goes, and its success closes it", async () => {
  const { clock, one, other } = replicas();
  await one.learns("first", null, failed("BATON_HARNESS_CRASHED"));
  await other.learns("first", null, failed("BATON_HARNESS_HUNG"));
  expect([await one.goes(), await other.goes()]).toEqual(["first", "first"]);
  await one.learns("first", null, failed("BATON_HARNESS_AUTH"));
  expect([await one.goes(), await other.goes()]).toEqual(["second", "second"]);
  expect(other.verdicts.at(-1)).toMatchObject({
    reason: "Goes to second: takes over as number 2.",
    children: [{ name: "first", reason: "failed too often lately; it is tried again in 60 s" }],
  });
  clock.advance(60_000);
  // Half open: another harness goes first if there is one. Otherwise this harness gets the test attempt.
  expect(await other.goes()).toBe("second");
  const alone = { harness: { ...settings.harness, fallback: [] } };
  expect(await other.goes(alone)).toBe("first");
  expect(other.verdicts.at(-1)?.reason).toContain("this is the try that tells");
  await other.learns("first", null, fine);
  expect(await one.goes()).toBe("first");
});

it.each(["BATON_HARNESS_CRASHED", "BATON_HARNESS_HUNG", "BATON_HARNESS_AUTH"] as const)(
  "one-repositorys-failures-stop-all: %s in one repository holds no other up",
  async (code) => {
    const { one, other, elsewhere } = replicas();
    for (let count = 0; count < 6; count += 1) await one.learns("first", "m", failed(code));
    expect([await one.goes(), await other.goes(), await elsewhere.goes()]).toEqual(["second", "second", "first"]);
  },
);

it("a try that fails closes the door for twice as long, for the other replica as well", async () => {
  const { clock, one, other } = replicas();
  for (let count = 0; count < 3; count += 1) await one.learns("first", null, failed("BATON_HARNESS_CRASHED"));
  clock.advance(60_000);
  await other.learns("first", null, failed("BATON_HARNESS_CRASHED"));
  clock.advance(60_000);
  const alone = { harness: { ...settings.harness, fallback: [] } };
  await expect(one.goes(alone)).rejects.toMatchObject({
    code: "BATON_HARNESS_UNAVAILABLE",
    retryAfterMs: 60_000,
    message: expect.stringContaining("first failed too often lately"),
  });
  expect(one.verdicts.at(-1)).toMatchObject({ status: "failed", reason: "No harness can do this." });
});

it("a model's quota leaves out that model of the harness, and no other", async () => {
  const { one, other } = replicas([harness("first", "big"), harness("second", "other")]);
  for (let count = 0; count < 3; count += 1) await one.learns("first", "big", failed("BATON_HARNESS_QUOTA"));
  expect(await other.goes()).toBe("second other");
  expect(await other.goes({ models: { ...settings.models, implement: "small" } })).toBe("first small");
});

it("what a step of one replica did cost is what the other goes by", async () => {
  const { one, other } = replicas();
  const cheapest = { harness: { ...settings.harness, prefer: "cheapest" as const } };
  const used = (costUsd: number) => ({
    ...fine,
    usage: [
      {
        harness: "x",
        model: "m",
        tokens: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
        costUsd,
        priceSource: "harness" as const,
        priceTableVersion: null,
      },
    ],
  });
  await one.learns("first", null, used(2));
  await one.learns("second", null, used(1));
  expect(await other.goes(cheapest)).toBe("second");
  await one.learns("first", null, used(0));
  for (let count = 0; count < 9; count += 1) await one.learns("first", null, used(0));
  expect(await other.goes(cheapest)).toBe("first");
});
