/** A review is waited for while the checks of its commit go on. */
import { expect, it } from "vitest";
import { z } from "zod";
import { bob, RunWorld } from "../../../test/fakes/run-world.ts";
import { settingsSchema } from "../../config/schema.ts";
import { observe } from "../../core/decide.ts";
import type { EffectKey } from "../../core/vocabulary.ts";
import type { CheckFact } from "../../gate/facts.ts";
import { defineProcess } from "../../process/process.ts";
import { headline } from "../../thread/render/headline.ts";
import { breakpointPerformer } from "./breakpoint.ts";
import { gatePerformer } from "./gate.ts";
import type { Observation, ObservePerformer } from "./performer.ts";

const sha = "a".repeat(40);
const check = (name: string, change: Partial<CheckFact> = {}): CheckFact => ({
  name,
  source: "check-run",
  appId: 1,
  suiteId: 1,
  sha,
  status: "completed",
  conclusion: "success",
  id: 1,
  url: null,
  startedAt: "2026-11-30T10:00:00Z",
  completedAt: "2026-11-30T10:01:00Z",
  summary: "",
  ...change,
});
const red = check("test", { id: 2, conclusion: "failure", startedAt: "2026-11-30T11:00:00Z" });
const again = check("test", { id: 2, status: "in_progress", conclusion: null, startedAt: "2026-11-30T11:00:00Z" });
const approval = {
  id: 5,
  author: { id: bob.id, login: bob.login, kind: "user" },
  permission: "maintain",
  state: "approved",
  sha,
  body: "",
  comments: [],
  submittedAt: "2026-11-30T12:00:00Z",
};

const reviewed = defineProcess({
  name: "reviewed",
  version: 1,
  summary: "",
  stages: [],
  input: z.object({}),
  output: z.object({}),
  verdict: () => ({ name: "result", status: "passed", reason: "Done.", evidence: [], children: [] }),
  async run(ctx) {
    await ctx.gate("checks", { title: "Checks", gate: "checks-green", sha });
    await ctx.breakpoint("review", { title: "Review", kind: "review", subject: { pullRequest: 2, sha } });
    return {};
  },
});

interface Seen {
  checks: CheckFact[];
  reviews?: object[];
  required?: string[];
}

/** The run, and what it sees next. */
async function underReview(noChecks: "fail" | "pass", first: CheckFact[]) {
  const world = await RunWorld.start(reviewed, {});
  const settings = settingsSchema.parse({ gates: { noChecks } });
  world.state.settings = settings as never;
  let [now, calls] = [world.clock + 86_400_000, 0];
  const dependencies = { github: { identity: async () => ({ appId: 99 }) }, clock: { now: () => now } };
  const look = (performer: ObservePerformer, key: string, { checks, reviews = [], required = [] }: Seen) =>
    performer.observe({
      state: world.state,
      effect: world.state.effects.get(key as EffectKey),
      github: {
        checks: async () => {
          calls += 1;
          return checks;
        },
        checkSuites: async () => [],
        requiredChecks: async () => required.map((name) => ({ name, appId: null })),
        checkLog: async () => "",
        reviews: async () => reviews,
        pullRequest: async () => ({ number: 2, state: "open", headSha: sha, baseRef: "main", author: null }),
        pusher: async () => null,
        baseChangedAt: async () => null,
      },
      dependencies,
    } as never);
  const gate = await look(gatePerformer, "checks", { checks: first });
  await world.succeed("checks", (gate as Extract<Observation, { final: true }>).output);
  return {
    calls: () => calls,
    /** Two minutes later, unless the look comes at once. */
    async sees(seen: Seen, afterMs = 120_000) {
      now += afterMs;
      const found = await look(breakpointPerformer, "review", seen);
      await world.append(observe(world.state, "review" as EffectKey, found.verdict, found.facts));
      return { final: found.final, headline: headline(world.state).sentence.replaceAll("\u200b", "") };
    },
  };
}

it.each<[string, CheckFact[], string]>([
  ["a check that was run again is red", [red], "`test`"],
  ["a check runs again", [again], "`test`"],
  ["another check came later and is red", [check("test"), { ...red, name: "lint" }], "`lint`"],
  ["the only green check is gone", [check("test", { conclusion: "cancelled" })], "`test`"],
])("the headline of a review follows the checks: %s, and an approval waits for them", async (_, checks, named) => {
  const run = await underReview("fail", [check("test")]);
  expect((await run.sees({ checks: [check("test")] })).headline).toContain("#2 is green and needs a review");
  const waiting = await run.sees({ checks });
  expect(waiting.headline).toMatch(/^\*\*#2 is no longer green\.\*\*/);
  expect(waiting.headline).toContain("needs an approving review");
  expect(waiting.headline).toContain(named);
  const held = await run.sees({ checks, reviews: [approval] });
  expect(held.final).toBe(false);
  expect(held.headline).toContain("@bob approved aaaaaaa. Baton continues when its checks are green again");
  expect((await run.sees({ checks: [check("test", { id: 3 })] })).headline).toContain("#2 is green and needs a review");
  expect((await run.sees({ checks: [check("test", { id: 3 })], reviews: [approval] })).final).toBe(true);
});

it("a required check that is added later, and no check at all where the settings accept that", async () => {
  const run = await underReview("fail", [check("test")]);
  expect((await run.sees({ checks: [check("test")], required: ["e2e"] })).headline).toContain("is no longer green");
  const without = await underReview("pass", []);
  expect((await without.sees({ checks: [], reviews: [approval] })).final).toBe(true);
});

it("a hundred deliveries about a commit within a minute read its checks once, and an approval reads them at once", async () => {
  const run = await underReview("fail", [check("test")]);
  const before = run.calls();
  for (let delivery = 0; delivery < 100; delivery += 1) await run.sees({ checks: [check("test")] }, 500);
  expect(run.calls() - before).toBe(1);
  expect((await run.sees({ checks: [again], reviews: [approval] }, 1)).final).toBe(false);
  expect((await run.sees({ checks: [again] }, 60_000)).headline).toContain("is no longer green");
});
