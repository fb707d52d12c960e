/**
 * Y3: every key of `baton.yaml` changes behavior. The scenarios cover keys that no other test covers. The table at the end
 * names a test for each key of the schema, and a key without one fails.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { planOf, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { settingsJsonSchema } from "../../src/config/json-schema.ts";
import { defineProcess, ProcessRegistry } from "../../src/index.ts";
import type { HarnessRequest } from "../../src/ports/harness.ts";
import { ends, type ObservedWorld, observedWorld, ownComments, pulls, reaches, say, spy } from "./helpers.ts";

let world: ObservedWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

const green = { ...sampleScript, implement: sampleScript.repair };
const { costUsd: _, ...tokensOnly } = sampleScript.plan[0]?.usage ?? { costUsd: 0 };

it("the agent gets the harness, model, turns, time, silence and money that the file says", async () => {
  const requests: HarnessRequest[] = [];
  world = await observedWorld({
    harnesses: new Map([["other", spy("other", requests)]]),
    config:
      "harness: { default: other, model: m-9 }\nlimits: { turns: 7, agentMinutes: 3, silenceMinutes: 2, attemptUsd: 0.75 }\n",
  });
  say(world, "/baton run");
  const state = await ends(world);
  expect(state.effects.get("plan" as never)?.attempts[0]?.reservedUsd).toBe(0.75);
  expect(requests[0]).toMatchObject({
    model: "m-9",
    maxTurns: 7,
    timeoutMs: 180_000,
    silenceMs: 120_000,
  });
});

describe("servers of tools", () => {
  it("`mcp`: a step that must not write gets only those that cannot", async () => {
    const requests: HarnessRequest[] = [];
    world = await observedWorld({
      harnesses: new Map([["other", spy("other", requests)]]),
      config:
        "harness: { default: other }\nmcp:\n  docs: { url: 'http://127.0.0.1:9/mcp', access: read-only }\n  tracker: { command: [tracker, --stdio], environment: { MODE: quick } }\n",
      repositoryCommands: true,
      // A private address needs the operator's permission.
      environment: { BATON_SANDBOX_HOSTS: "127.0.0.1:9" },
    });
    say(world, "/baton run");
    await ends(world);
    const docs = { name: "docs", url: "http://127.0.0.1:9/mcp" };
    const tracker = { name: "tracker", command: ["tracker", "--stdio"], variables: { MODE: "quick" } };
    const given = (access: string): HarnessRequest["toolServers"] =>
      requests.find((request) => request.access === access)?.toolServers;
    expect(given("read-only")).toEqual([docs]);
    expect(given("write")).toEqual([docs, tracker]);
  });

  it("a program as a server needs the operator's leave", async () => {
    world = await observedWorld({ config: "harness: { default: command }\nmcp:\n  tracker: { command: [tracker] }\n" });
    say(world, "/baton run");
    const body = await world.until("the refusal", () => ownComments(world as ObservedWorld)[0]);
    expect(body).toMatch(/🚫.*mcp\.tracker.*BATON_REPOSITORY_COMMANDS=allow/);
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
  });
});

it("branches, review requests (also one that GitHub refuses) and the way to merge are as the file says", async () => {
  world = await observedWorld({
    script: green,
    config:
      "harness: { default: command }\nbranchPrefix: bots/\napprovals: { reviewers: [bob], teams: [core] }\nmerge: { mode: auto, method: merge }\n",
  });
  say(world, "/baton run");
  await reaches(world, "review");
  const [pull] = pulls(world);
  expect(pull?.pull.headRef).toMatch(/^bots\/issue-1-/);
  const asked = world.github.log.find(({ path }) => path.endsWith("/requested_reviewers"));
  expect(asked?.body).toMatchObject({ reviewers: ["bob"], team_reviewers: ["core"] });
  world.github.review({ repository: repositoryName, number: pull?.number as number, as: "bob", event: "APPROVE" });
  await ends(world);
  expect(world.github.log.find(({ path }) => path.endsWith("/merge"))?.body).toMatchObject({ merge_method: "merge" });
});

describe("money", () => {
  const spends = { ...green, plan: [{ text: planOf("A plan."), usage: tokensOnly }] };

  it("an unknown price stops the run and says which", async () => {
    world = await observedWorld({ script: spends });
    say(world, "/baton run");
    const state = await ends(world);
    expect(state.outcome?.error).toMatchObject({
      code: "BATON_PRICE_UNKNOWN",
      message: expect.stringContaining("scripted-model"),
    });
  });

  it("`budget.unknownPrice: allow` goes on, and says that the sum is a lower bound", async () => {
    world = await observedWorld({
      script: spends,
      config: "harness: { default: command }\nbudget: { unknownPrice: allow }\n",
    });
    say(world, "/baton run");
    expect((await reaches(world, "review")).money.complete).toBe(false);
    await world.until("the sum", () => ownComments(world as ObservedWorld)[0]?.includes("≥ $"));
  });

  it("`prices` prices it, `budget.warnAt` warns of it", async () => {
    world = await observedWorld({
      script: spends,
      config:
        "harness: { default: command }\nbudget: { runUsd: 2, warnAt: [0.01] }\nprices:\n  scripted-model: { input: 10, output: 20, cacheRead: 1, cacheWrite: 10 }\n",
    });
    say(world, "/baton run");
    const state = await reaches(world, "review");
    const plan = state.effects.get("plan" as never)?.attempts[0]?.usage[0];
    expect(plan).toMatchObject({ costUsd: expect.closeTo(0.0288, 6), priceSource: "table" });
    expect(state.money.warnedFraction).toBe(0.01);
  });
});

it("`process` names what `/baton run` runs; `limits.parallel` says how much of it at once", async () => {
  const sha = z.string();
  /** Each branch fails if it finds the other at work. */
  const alone = (mine: string, other: string, place: string): string[] => [
    process.execPath,
    "-e",
    `const fs = require("fs"); const at = (name) => "${place}/" + name; fs.writeFileSync(at("${mine}"), "");
     setTimeout(() => { const met = fs.existsSync(at("${other}")); fs.rmSync(at("${mine}")); process.exit(met ? 1 : 0); }, 300);`,
  ];
  let place = "";
  const custom = defineProcess({
    name: "custom",
    version: 1,
    summary: "Two steps.",
    stages: ["Work"],
    input: z.looseObject({ baseSha: sha }),
    output: z.object({ exitCodes: z.array(z.number().nullable()) }),
    async run(ctx, { baseSha }) {
      const step = (mine: string, other: string) => (branch: typeof ctx) =>
        branch.shell("step", { title: mine, sha: baseSha, command: alone(mine, other, place) });
      const { a, b } = await ctx.parallel("both", { a: step("a", "b"), b: step("b", "a") });
      return { exitCodes: [a.exitCode, b.exitCode] };
    },
    verdict: () => ({ name: "result", status: "passed", reason: "Done.", evidence: [], children: [] }),
  });
  world = await observedWorld({
    processes: new ProcessRegistry().register(custom),
    // The two search for each other in a directory that no sandbox shows them.
    environment: { BATON_SANDBOX: "off" },
    config: "harness: { default: command }\nprocess: custom\nlimits: { parallel: 1 }\n",
  });
  place = world.directory;
  say(world, "/baton run");
  const state = await ends(world);
  expect(state.process.name).toBe("custom");
  expect(state.outcome?.output).toEqual({ exitCodes: [0, 0] });
});

/** Key → [test file, the test's title there: the whole title, or the first entry of its row in a table]. */
const shownBy: Record<string, [file: string, title: string]> = {
  version: ["src/config/config.test.ts", "a newer version"],
  process: [
    "test/scenarios/settings.test.ts",
    "`process` names what `/baton run` runs; `limits.parallel` says how much of it at once",
  ],
  "harness.default": [
    "test/scenarios/settings.test.ts",
    "the agent gets the harness, model, turns, time, silence and money that the file says",
  ],
  "harness.model": [
    "test/scenarios/settings.test.ts",
    "the agent gets the harness, model, turns, time, silence and money that the file says",
  ],
  "harness.fallback": [
    "test/scenarios/routing.test.ts",
    "%s: after %s the next takes over, with the work and a word on it",
  ],
  "harness.prefer": ["test/scenarios/routing.test.ts", "`prefer: cheapest` goes by what a step is expected to cost"],
  "harness.profile": [
    "test/scenarios/routing.test.ts",
    "`profile: plan-only` plans and stops, by a harness that can be held to reading",
  ],
  "models.any": ["test/scenarios/routing.test.ts", "a role has its own model, others the common one"],
  "models.plan": ["test/scenarios/routing.test.ts", "a role has its own model, others the common one"],
  "models.implement": ["test/scenarios/routing.test.ts", "a role has its own model, others the common one"],
  "models.repair": ["src/routing/routing.test.ts", "takes the model of each role"],
  "models.address": ["src/routing/routing.test.ts", "takes the model of each role"],
  "models.review": ["src/routing/routing.test.ts", "takes the model of each role"],
  "models.verify": ["src/routing/routing.test.ts", "takes the model of each role"],
  tiers: ["test/scenarios/routing.test.ts", "from the given fraction of the budget on, the cheapest model does it"],
  profiles: ["test/scenarios/routing.test.ts", "one's own profile bounds who is chosen, and with what"],
  "budget.downgradeAt": [
    "test/scenarios/routing.test.ts",
    "from the given fraction of the budget on, the cheapest model does it",
  ],
  "harness.models": [
    "test/scenarios/model-proxy.test.ts",
    "a model that is not in `harness.models` is refused before it costs anything",
  ],
  "harness.command": ["test/scenarios/run.test.ts", "runs in place of the operator's where it is allowed"],
  mcp: ["test/scenarios/settings.test.ts", "`mcp`: a step that must not write gets only those that cannot"],
  "budget.runUsd": [
    "test/scenarios/run.test.ts",
    "a budget that is used up stops the work, keeps it, and a top-up goes on",
  ],
  "budget.dayUsd": [
    "test/scenarios/day-budget.test.ts",
    "the step that does not fit waits for the next day, and no other run starts",
  ],
  "budget.timeZone": [
    "test/scenarios/day-budget.test.ts",
    "the step that does not fit waits for the next day, and no other run starts",
  ],
  "budget.childShare": ["src/runner/child.test.ts", "alone, what `budget.childShare` says of what is left"],
  "budget.maxUsd": ["src/policy/policy.test.ts", "beyond budget.maxUsd"],
  "budget.warnAt": ["test/scenarios/settings.test.ts", "`prices` prices it, `budget.warnAt` warns of it"],
  "budget.unknownPrice": [
    "test/scenarios/settings.test.ts",
    "`budget.unknownPrice: allow` goes on, and says that the sum is a lower bound",
  ],
  prices: ["test/scenarios/settings.test.ts", "`prices` prices it, `budget.warnAt` warns of it"],
  "limits.attemptUsd": [
    "test/scenarios/settings.test.ts",
    "the agent gets the harness, model, turns, time, silence and money that the file says",
  ],
  "limits.attemptTokens": [
    "test/scenarios/model-proxy.test.ts",
    "`limits.attemptTokens` ends an attempt, and another goes on",
  ],
  "limits.turns": [
    "test/scenarios/settings.test.ts",
    "the agent gets the harness, model, turns, time, silence and money that the file says",
  ],
  "limits.agentMinutes": [
    "test/scenarios/settings.test.ts",
    "the agent gets the harness, model, turns, time, silence and money that the file says",
  ],
  "limits.silenceMinutes": [
    "test/scenarios/bad-input.test.ts",
    "an agent that hangs, then one that crashes, is tried again, and each try is in the thread",
  ],
  "limits.repairAttempts": ["test/scenarios/run.test.ts", "red for ever: stops after the limit with an honest verdict"],
  "limits.reviewRounds": ["processes/processes.test.ts", "requested changes are addressed, up to the limit"],
  "limits.parallel": [
    "test/scenarios/settings.test.ts",
    "`process` names what `/baton run` runs; `limits.parallel` says how much of it at once",
  ],
  "race.contestants": ["test/scenarios/race.test.ts", "/baton race tidy:a tidy:b tidy:c"],
  "race.checks": ["test/scenarios/race.test.ts", "a cancel in the middle takes the pushed branches away"],
  "sandbox.mode": [
    "src/policy/sandbox.test.ts",
    "$operator by the operator and $repository by the repository is never below the operator's",
  ],
  "sandbox.network": [
    "src/runner/perform/confine.test.ts",
    "`sandbox.network`: listed hosts and presets are reachable, within the operator's bound",
  ],
  "sandbox.setup": [
    "test/scenarios/sandbox.test.ts",
    "`sandbox.setup`: runs before the agent; a command that fails stops the run before anything is paid",
  ],
  "gates.required": ["src/gate/rules/checks-green.test.ts", "gates.required may be %s"],
  "gates.ignore": ["src/gate/rules/checks-green.test.ts", "gates.ignore: a red check does not count"],
  "gates.neutral": [
    "src/gate/rules/checks-green.test.ts",
    "%s passes only where a setting says so, and the verdict tells",
  ],
  "gates.skipped": [
    "src/gate/rules/checks-green.test.ts",
    "%s passes only where a setting says so, and the verdict tells",
  ],
  "gates.review": [
    "test/scenarios/review.test.ts",
    "a review comments on the line with a suggestion; applied, the check is green; the next review resolves its thread and edits its text",
  ],
  "review.event": [
    "test/scenarios/review.test.ts",
    "a finding that people resolved, rejected or deleted does not come back; one that stands is not repeated; a second look drops the rest",
  ],
  "review.comments": ["src/review/choose.test.ts", "the worst first, up to the bound"],
  "review.nits": ["src/review/choose.test.ts", "no nits where they are off"],
  "review.secondLook": ["processes/review/process.test.ts", "`review.secondLook: false`: nobody looks again"],
  "review.secondLookUsd": [
    "processes/review/process.test.ts",
    "the second look has a small share of the budget, a cheap model, and its failure leaves the findings",
  ],
  "review.instructions": [
    "test/scenarios/review.test.ts",
    "a review comments on the line with a suggestion; applied, the check is green; the next review resolves its thread and edits its text",
  ],
  "gates.noChecks": ["test/scenarios/run.test.ts", "`gates.noChecks: pass` accepts it and says so"],
  "gates.appearSeconds": ["src/gate/rules/checks-green.test.ts", "gates.appearSeconds"],
  "gates.timeoutMinutes": ["src/gate/rules/checks-green.test.ts", "gates.timeoutMinutes"],
  "gates.dispatch": [
    "test/action/dispatch.test.ts",
    "%s names the workflow that Baton starts, says in the thread, and sees end green",
  ],
  "approvals.self": ["test/scenarios/run.test.ts", "`approvals.self: allow` lets them, and the thread says so"],
  "approvals.count": ["src/policy/review-decision.test.ts", "approvals.count: says how many there are"],
  "approvals.people": ["src/policy/policy.test.ts", "somebody not listed"],
  "approvals.permission": ["src/policy/policy.test.ts", "a writer where approvals.permission asks for more"],
  "approvals.reviewers": [
    "test/scenarios/settings.test.ts",
    "branches, review requests (also one that GitHub refuses) and the way to merge are as the file says",
  ],
  "approvals.teams": [
    "test/scenarios/settings.test.ts",
    "branches, review requests (also one that GitHub refuses) and the way to merge are as the file says",
  ],
  "breakpoints.plan": [
    "test/scenarios/run.test.ts",
    "waits, is revised by a reason, and goes on once another person approves",
  ],
  "breakpoints.review": ["processes/processes.test.ts", "no review asked for"],
  "breakpoints.protectedPaths": ["test/scenarios/run.test.ts", "`breakpoints.protectedPaths: deny` publishes nothing"],
  protectedPaths: ["src/policy/policy.test.ts", "`protectedPaths` says which: others than Baton's own list, or none"],
  merge: ["test/scenarios/run.test.ts", "`merge: auto` merges the approved head and closes the issue"],
  "merge.mode": [
    "test/scenarios/settings.test.ts",
    "branches, review requests (also one that GitHub refuses) and the way to merge are as the file says",
  ],
  "merge.method": [
    "test/scenarios/settings.test.ts",
    "branches, review requests (also one that GitHub refuses) and the way to merge are as the file says",
  ],
  "commits.signOff": [
    "src/runner/perform/commit-options.test.ts",
    "`commits.signOff` signs every commit of a run off, joins included",
  ],
  "secrets.allow": [
    "src/adapters/workspace/scan-commits.test.ts",
    "`secrets.allow` lets strings pass that look like tokens, never a value of Baton's own",
  ],
  executor: [
    "test/action/remote.test.ts",
    "do the agents' work: commits come as bundles, nothing that may write reaches the agent",
  ],
  runnerWorkflow: ["src/runner/remote/remote-agent.test.ts", "`runnerWorkflow` names the workflow that is started"],
  "retention.compactDays": ["test/action/retention.test.ts", "compactDays: 1"],
  "retention.days": ["test/action/retention.test.ts", "compactDays: 1, days: 1"],
  branchPrefix: [
    "test/scenarios/settings.test.ts",
    "branches, review requests (also one that GitHub refuses) and the way to merge are as the file says",
  ],
  schedules: [
    "test/scenarios/schedules.test.ts",
    "an occurrence runs once, whoever asks and however often, as the person who merged the rule, in the dashboard issue",
  ],
  triggers: [
    "src/begin/fire-triggers.test.ts",
    "`triggers` start runs in the event's thread, as the person who caused it",
  ],
  "sweep.detectors": ["processes/sweep/process.test.ts", "detectors run in order, as `sweep.detectors` says"],
  "sweep.openPullRequests": ["src/runner/sweep-memory.test.ts", "`openPullRequests` and `findings` reach the sweep"],
  "sweep.changedLines": [
    "processes/sweep/process.test.ts",
    "a change of more lines than `sweep.changedLines` is not proposed: %i",
  ],
  "sweep.dayUsd": ["src/runner/sweep-memory.test.ts", "`dayUsd` and `monthUsd` of sweeps: %s"],
  "sweep.monthUsd": ["src/runner/sweep-memory.test.ts", "`dayUsd` and `monthUsd` of sweeps: %s"],
  "sweep.findings": ["src/runner/sweep-memory.test.ts", "`openPullRequests` and `findings` reach the sweep"],
  dashboard: ["src/begin/start-due.test.ts", "`dashboard: false` opens no issue and starts nothing"],
  "commands.run": ["src/policy/policy.test.ts", "a writer where commands.run asks for more"],
  "commands.steer": ["src/policy/policy.test.ts", "a triager who steers where commands.steer says so"],
  "commands.allow": ["src/policy/policy.test.ts", "a writer where commands.allow asks for more"],
  "commands.bots": [
    "test/scenarios/bad-input.test.ts",
    "bots are silent to Baton unless `commands.bots` lists their id, and then need the permission like anybody",
  ],
  "commands.mention": [
    "test/scenarios/commands-anywhere.test.ts",
    "by the name that `commands.mention` gives, and by no other",
  ],
};

describe("the table of keys", () => {
  const keys = leafKeys(settingsJsonSchema() as Node, "");

  it("names every key of the schema, and no other", () => {
    expect(Object.keys(shownBy).toSorted()).toEqual([...new Set([...keys, "merge"])].toSorted());
  });

  it.each(Object.entries(shownBy))("%s is shown by a test that is there", (key, [file, title]) => {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const quoted = title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    // `it("…",`, a row `["…",` of a table, or a story's `name: "…",`. This table does not count, because its titles come
    // second.
    expect(text).toMatch(new RegExp(`(?:\\(|\\[|name: )\\s*["'\`]${quoted}["'\`],`));
    expect(text).toContain(key.split(".").at(-1));
  });
});

interface Node {
  properties?: Record<string, Node>;
  anyOf?: Node[];
}

function leafKeys(node: Node, path: string): string[] {
  const options = [node, ...(node.anyOf ?? [])].flatMap(({ properties }) => Object.entries(properties ?? {}));
  if (options.length === 0 || path === "prices") return path === "" ? [] : [path];
  return options.flatMap(([key, child]) => leafKeys(child, path === "" ? key : `${path}.${key}`));
}
