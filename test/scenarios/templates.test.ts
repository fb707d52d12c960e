/**
 * The templates on the local GitHub. Parallel work becomes one pull request, red checks become green, and a run continues
 * from a plan.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import type { Harness, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import {
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  reaches,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

interface Deed {
  text?: string;
  files?: Record<string, string>;
  /** Runs in the workspace before it ends. */
  look?: (request: HarnessRequest) => void | Promise<void>;
}

/** Follows the entry of its step's key. Parallel steps need no common script. */
function deeds(byStep: Record<string, Deed>): Harness {
  return {
    name: "tidy",
    capabilities: {
      resume: false,
      readOnly: true,
      systemPrompt: true,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
      toolServers: false,
    },
    defaultModel: "tidy-model",
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request, onEvent): Promise<HarnessResult> {
      const deed = byStep[request.variables["BATON_STEP"] ?? ""] ?? {};
      await deed.look?.(request);
      for (const [path, text] of Object.entries(deed.files ?? {})) {
        mkdirSync(dirname(join(request.cwd, path)), { recursive: true });
        writeFileSync(join(request.cwd, path), text);
      }
      const usage = {
        model: "tidy-model",
        tokens: { input: 100, output: 10, cacheRead: 0, cacheWrite: 0 },
        costUsd: 0.01,
      };
      onEvent({ type: "usage", ...usage });
      return {
        ok: true,
        error: null,
        text: deed.text ?? "Done.",
        sessionId: null,
        usage: [usage],
        turns: 1,
        exitCode: 0,
        signal: null,
        transcript: "",
        transcriptTruncated: false,
        durationMs: 1,
      };
    },
  };
}

const begin = async (byStep: Record<string, Deed>, config = ""): Promise<void> => {
  world = await observedWorld({
    config: `version: 1\nharness: { default: tidy }\n${config}`,
    harnesses: new Map([["tidy", deeds(byStep)]]),
  });
};
const json = (value: object): string => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
const wrong = sampleScript.implement[0]?.files ?? {};
const right = sampleScript.repair[0]?.files ?? {};

it("coordinator: two steps at the same time, in scopes of their own, end in one pull request", async () => {
  const begun = new Set<string>();
  let both = (): void => {};
  const together = new Promise<void>((resolve) => (both = resolve));
  const meet = async ({ variables }: HarnessRequest): Promise<void> => {
    begun.add(variables["BATON_STEP"] ?? "");
    if (begun.size === 2) both();
    await together;
  };
  const step = { effort: "small", risk: "low" };
  await begin({
    plan: {
      text: `Two parts.\n\n${json({
        steps: [
          { ...step, id: "cart", title: "Count each item", scope: ["cart.js"] },
          { ...step, id: "docs", title: "Say what the total is", scope: ["docs"] },
          { ...step, id: "index", title: "Name the page", scope: ["README.md"], dependsOn: ["docs"] },
        ],
      })}`,
    },
    "work/cart/step": { look: meet, files: right, text: "### Intent\nCounts each item." },
    "work/docs/step": { look: meet, files: { "docs/total.md": "# Total\n" }, text: "### Intent\nSays it." },
    "work/index/step": { files: { "README.md": "# shop\n\n[Total](docs/total.md)\n" } },
  });
  say(world, "/baton run fix-ci");
  await world.until("the refusal", () =>
    ownComments(world).some((body) =>
      /`fix-ci` works on pull requests, and this is an issue\. Here there are: .*`coordinator`/.test(body),
    ),
  );
  expect(await runState(world)).toBeNull();
  say(world, "/baton run coordinator Keep it small.");
  const waiting = await reaches(world, "review");
  expect([...begun].sort()).toEqual(["work/cart/step", "work/docs/step"]);
  expect([...waiting.effects.keys()]).toContain("work/join");
  const [pull] = pulls(world);
  expect(pulls(world)).toHaveLength(1);
  expect(pull?.body).toMatch(/Counts each item\..*Says it\..*`README\.md`.*`cart\.js`.*`docs\/total\.md`/s);
  world.github.review({
    repository: repositoryName,
    number: pull?.number as number,
    as: "bob",
    event: "APPROVE",
  });
  const state = await ends(world);
  expect(state.outcome?.verdict).toMatchObject({ status: "passed", reason: expect.stringContaining("@bob") });
  expect(state.process).toMatchObject({ name: "coordinator" });
  // Three steps and the plan, in one account.
  expect(state.money.spentUsd).toBeCloseTo(0.04);
});

it("coordinator: a step for which nothing is left waits for what the one at work has set aside, before people are asked", async () => {
  const step = { effort: "small", risk: "low" };
  const parts = [
    { ...step, id: "cart", title: "Count each item", scope: ["cart.js"] },
    { ...step, id: "docs", title: "Say what the total is", scope: ["docs"] },
  ];
  await begin(
    {
      plan: { text: json({ steps: parts }) },
      "work/cart/step": { files: right },
      "work/docs/step": { files: { "docs/total.md": "# Total\n" } },
    },
    "budget: { runUsd: 1 }\nlimits: { attemptUsd: 1 }\n",
  );
  say(world, "/baton run coordinator");
  const state = await reaches(world, "review");
  const reserved = ["work/cart/step", "work/docs/step"].map((key) =>
    state.effects.get(key as never)?.attempts.map(({ reservedUsd }) => reservedUsd),
  );
  // The plan cost 0.01, then the first step.
  expect(
    reserved
      .flat()
      .map((usd) => usd?.toFixed(2))
      .toSorted(),
  ).toEqual(["0.98", "0.99"]);
  const journal = await world.baton.dependencies.store.read(state.runId);
  expect(journal.filter(({ event }) => event.type === "run.budget-stopped")).toEqual([]);
});

it("fix-ci makes the red checks of a pull request green; review then reads the change against its base", async () => {
  const seen: string[] = [];
  const look = ({ cwd, prompt }: HarnessRequest): void => {
    const change = prompt.slice(prompt.indexOf("## The change"));
    const present = execFileSync("git", ["rev-parse", "HEAD"], { cwd, encoding: "utf8" }).trim();
    seen.push(/Its files:\n```\n(.*?)\n```/s.exec(change)?.[1] ?? "", present, change);
  };
  const files: Record<string, string> = right;
  const [, quote] = (files["cart.js"] ?? "").split("\n");
  const finding = { path: "cart.js", line: 2, quote, severity: "minor", text: "Name the unit." };
  await begin({
    repair: { files: right, look: ({ prompt }) => void seen.push(prompt) },
    review: { look, text: `It counts.\n\n${json({ findings: [finding] })}` },
  });
  await world.github.push({
    repository: repositoryName,
    as: "alice",
    branch: "feature",
    files: wrong,
    message: "Count",
  });
  const { number } = await world.github.openPullRequest({
    repository: repositoryName,
    as: "alice",
    title: "Count each item",
    head: "feature",
  });
  say(world, "/baton run fix-ci", "alice", number);
  const fixed = await ends(world, number);
  expect(fixed.outcome?.verdict).toMatchObject({ status: "passed", reason: "The checks are green after 1 repair." });
  expect([...fixed.effects.keys()]).toEqual(["checks", "repair", "push", "checks#2"]);
  expect(seen[0]).toMatch(/What failed.*an empty cart costs nothing/s);
  const head = pulls(world)[0]?.pull.headSha;
  expect(fixed.outcome?.output).toMatchObject({ headSha: head, pullRequest: number });

  say(world, "/baton run review", "alice", number);
  const reviewed = await world.until("the review's end", async () => {
    const state = await runState(world, number);
    return state?.process.name === "review" && state.outcome !== null ? state : null;
  });
  expect(reviewed.outcome?.verdict).toMatchObject({ status: "passed" });
  expect(seen.slice(1, 3)).toEqual([expect.stringMatching(/^cart\.js \(\+\d+ -\d+\)$/), head]);
  // The pull request's whole change since the base, not since the earlier commit.
  expect(seen[3]).toMatch(/diff --git a\/cart\.js b\/cart\.js.*\n\+.*item\.count/s);
  expect(pulls(world)[0]?.pull.reviewComments).toMatchObject([
    { path: "cart.js", line: 2, body: expect.stringContaining("Name the unit.") },
  ]);
  expect(pulls(world)[0]?.pull.headSha).toBe(head);
});

describe("a plan in the thread", () => {
  it("changes nothing; implement carries it out as a draft", async () => {
    const prompts: string[] = [];
    const count = { id: "count", title: "Multiply price by count", effort: "small", risk: "low" };
    await begin({
      plan: {
        text: `Count.\n\n${json({ steps: [{ ...count, outcomes: ["Two at 3 cost 6"] }] })}`,
        files: { "cart.js": "// not this\n" },
      },
      implement: { files: right, look: ({ systemPrompt }) => void prompts.push(systemPrompt) },
      review: {
        text: `It does.\n\n${json({ findings: [] })}\n${json({ answers: [{ id: "count.1", met: true, evidence: "cart.js:2" }] })}`,
      },
    });
    say(world, "/baton run plan");
    const planned = await ends(world);
    expect(planned.outcome?.verdict.status).toBe("passed");
    expect([...planned.effects.keys()]).toEqual(["plan", "post"]);
    expect(ownComments(world).some((body) => /### Plan.*\| `count` \| Multiply price by count/s.test(body))).toBe(true);
    expect([...repositoryOf(world).refs.keys()].filter((ref) => ref.startsWith("refs/heads/"))).toEqual([
      "refs/heads/main",
    ]);

    say(world, "/baton run implement");
    const done = await world.until("the implementation's end", async () => {
      const state = await runState(world);
      return state?.process.name === "implement" && state.outcome !== null ? state : null;
    });
    expect(done.outcome?.verdict).toMatchObject({
      status: "passed",
      reason: expect.stringMatching(/draft #\d+ has green checks/),
    });
    expect(prompts[0]).toContain("Multiply price by count");
    const [pull] = pulls(world);
    expect(pull?.pull).toMatchObject({ draft: true, mergedAt: null });

    // W3.1: a reviewer of work with a plan in the issue answers the plan's expectations.
    say(world, "/baton run review", "alice", pull?.number as number);
    const reviewed = await ends(world, pull?.number as number);
    expect(reviewed.outcome?.output).toMatchObject({ answers: [{ id: "count.1", met: true, answered: true }] });
    expect(pulls(world)[0]?.pull.reviews.map(({ body }) => body)).toEqual([
      expect.stringMatching(/✅ met \| `count\.1` \| Two at 3 cost 6/),
    ]);
  });
});
