/** The harness and the model of a step: by configuration, by failures, by money. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { commandHarness } from "../../src/adapters/harness/command/harness.ts";
import type { ErrorData } from "../../src/core/errors.ts";
import type { EffectState, RunState } from "../../src/core/state.ts";
import type { EffectKey, Tokens } from "../../src/core/vocabulary.ts";
import type { Harness, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import { repositoryAccess } from "../../src/runner/repository-access.ts";
import { ends, type ObservedWorld, observedWorld, ownComments, repositoryOf, runState, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

interface Asked extends HarnessRequest {
  harness: string;
  role: string;
}

const tokens: Tokens = { input: 1_000, output: 100, cacheRead: 0, cacheWrite: 0 };

/** Does the sample's work. `fault` decides by the number of earlier calls. */
function agent(
  name: string,
  asked: Asked[],
  change: {
    fault?: (times: number) => ErrorData | null;
    readOnly?: boolean;
    costUsd?: number;
    model?: string | null;
  } = {},
): Harness {
  let times = 0;
  return {
    name,
    capabilities: {
      resume: false,
      readOnly: change.readOnly ?? true,
      systemPrompt: true,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
      toolServers: true,
    },
    defaultModel: change.model ?? null,
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request): Promise<HarnessResult> {
      const role = request.variables["BATON_ROLE"] ?? "";
      asked.push({ ...request, harness: name, role });
      const error = change.fault?.(times) ?? null;
      times += 1;
      const steps: Record<string, { text: string; files?: Record<string, string> }[]> = sampleScript;
      const step = steps[role === "implement" ? "repair" : role]?.[0] ?? { text: "Done." };
      if (request.access === "write")
        for (const [path, text] of Object.entries(error === null ? (step.files ?? {}) : { "half.txt": `${name}\n` }))
          writeFileSync(join(request.cwd, path), text);
      return {
        ok: error === null,
        error,
        text: step.text,
        sessionId: null,
        usage: [{ model: request.model ?? "m", tokens, costUsd: change.costUsd ?? 0.01 }],
        turns: 1,
        exitCode: error === null ? 0 : 1,
        signal: null,
        transcript: "",
        transcriptTruncated: false,
        durationMs: 1_000,
      };
    },
  };
}

const begin = async (config: string, ...harnesses: Harness[]): Promise<void> => {
  world = await observedWorld({
    config: `version: 1\n${config}\n`,
    harnesses: new Map(harnesses.map((harness) => [harness.name, harness])),
  });
  say(world, "/baton run");
};

const ended = (key: string): Promise<EffectState> =>
  world.until(`${key} to have ended`, async () => {
    const effect = (await runState(world))?.effects.get(key as EffectKey);
    return effect !== undefined && effect.endedAt !== null ? effect : null;
  });

const who = (asked: Asked[]): string[] =>
  asked.map(({ role, harness, model }) => `${role}: ${harness} ${model ?? "-"}`);

describe("fallback", () => {
  it.each([
    ["BATON_HARNESS_AUTH", "a refused key"],
    ["BATON_HARNESS_QUOTA", "a used quota"],
    ["BATON_HARNESS_UNAVAILABLE", "a failing service"],
    ["BATON_HARNESS_CRASHED", "a crash"],
  ] as const)("%s: after %s the next takes over, with the work and a word on it", async (code, _what) => {
    const asked: Asked[] = [];
    const first = agent("first", asked, {
      fault: (times) => (times === 0 ? null : { code, message: "It is so.", retryAfterMs: 3_600_000 }),
    });
    await begin(
      "harness: { default: first, fallback: [second, third] }",
      first,
      agent("second", asked),
      agent("third", asked),
    );
    const effect = await ended("implement");
    expect(effect.status).toBe("succeeded");
    expect(who(asked)).toEqual(["plan: first -", "implement: first -", "implement: second -"]);
    expect(effect.attempts.map(({ agent }) => agent?.harness)).toEqual(["first", "second"]);
    expect(effect.attempts[0]?.error).toMatchObject({ code: "BATON_HARNESS_FALLBACK", details: { code } });
    const taken = asked.at(-1);
    expect(taken?.prompt).toMatch(/## Handoff\n\nAnother agent \(first\) began .*\n?.*git log [0-9a-f]{40}\.\.HEAD/);
    expect(asked[1]?.prompt).not.toContain("## Handoff");
    // The second attempt contains the first one's work.
    const files = (effect.output as { files: { path: string }[] }).files.map(({ path }) => path);
    expect(files).toEqual(expect.arrayContaining(["half.txt", "cart.js"]));
    const why = await world.until("the reasons", () =>
      ownComments(world).find((body) =>
        body.includes("**implement, attempt 2**: Goes to second: takes over as number 2"),
      ),
    );
    expect(why).toContain(`**first**: Next: is the default; failed at this step: ${code}`);
  });

  it("without anybody to take over, an error is what it was", async () => {
    const asked: Asked[] = [];
    const fault = (): ErrorData => ({ code: "BATON_HARNESS_AUTH", message: "No." });
    await begin("harness: { default: first }", agent("first", asked, { fault }), agent("second", asked));
    expect((await ended("plan")).error?.code).toBe("BATON_HARNESS_AUTH");
    expect(who(asked)).toEqual(["plan: first -"]);
  });

  it("a harness that fails again and again is left out for a while, in later runs too", async () => {
    const asked: Asked[] = [];
    const fault = (): ErrorData => ({ code: "BATON_HARNESS_CRASHED", message: "It fell." });
    // Plan and change each fail once at the first harness. With a third fault, its circuit opens.
    await begin(
      "harness: { default: first, fallback: [second] }",
      agent("first", asked, { fault }),
      agent("second", asked),
    );
    await ended("implement");
    const { store, clock } = world.baton.dependencies;
    const circuit = `repositories/${repositoryOf(world).id}/routing/circuit/first`;
    const kept = (await store.value(circuit)) as { outcomes: { at: number; ok: boolean }[] };
    expect(kept.outcomes.map(({ ok }) => ok)).toEqual([false, false]);
    await store.setValue(circuit, { ...kept, openUntil: clock.now() + 600_000, openings: 1 });
    say(world, "/baton cancel");
    await ends(world);
    const before = asked.length;
    say(world, "/baton run");
    await world.until("the second run to plan", () => asked.length > before);
    expect(asked[before]?.harness).toBe("second");
  });
});

/** A program as its own harness: a shell script that gets the prompt on standard input. */
const program = (name: string, script: string): Harness => ({
  ...commandHarness({ command: ["/bin/sh", "-c", script], keys: {}, scripted: true }),
  name,
});
const planned = `[ "$BATON_ROLE" = plan ] && { cat > /dev/null; echo '${sampleScript.plan[0]?.text ?? ""}'; exit 0; }`;

it("of three programs one is not installed, and the last finds the files of the second and is told of it", async () => {
  await begin(
    "harness: { default: ghost, fallback: [first, second] }",
    { ...commandHarness({ command: ["no-such-agent-here"], keys: {}, scripted: true }), name: "ghost" },
    program(
      "first",
      `${planned}; echo half > half.txt; echo '{"type":"error","message":"quota","status":429}'; exit 1`,
    ),
    program("second", `cat > told.txt; cp half.txt seen.txt; git log --format=%s -1 > subject.txt; echo Done.`),
  );
  const effect = await ended("implement");
  expect(effect).toMatchObject({ status: "succeeded", output: { harness: "second" } });
  const { headSha } = effect.output as { headSha: string };
  const state = (await runState(world)) as RunState;
  const access = await repositoryAccess(
    await world.baton.dependencies.github.installation(state.thread.repository.installationId),
    state.thread.repository,
    "read",
  );
  const read = (path: string) => world.baton.dependencies.workspaces.readFile(access, headSha, path);
  expect(await read("seen.txt")).toBe("half\n");
  expect(await read("told.txt")).toMatch(/## Handoff\n\nAnother agent \(first\) began /);
  expect(effect.attempts.map(({ error }) => error?.details?.["code"])).toEqual([
    "BATON_HARNESS_MISSING",
    "BATON_HARNESS_QUOTA",
    undefined,
  ]);
});

describe("models", () => {
  it("a role has its own model, others the common one", async () => {
    const asked: Asked[] = [];
    await begin(
      "harness: { default: first }\nmodels: { any: m-any, plan: m-plan, implement: strong }\ntiers: { first: { strong: m-strong } }",
      agent("first", asked),
    );
    await ended("implement");
    expect(who(asked)).toEqual(["plan: first m-plan", "implement: first m-strong"]);
  });

  it("from the given fraction of the budget on, the cheapest model does it", async () => {
    const asked: Asked[] = [];
    const tiers = "tiers: { first: { fast: gpt-5-nano, strong: gpt-5.5 } }";
    await begin(
      `harness: { default: first }\nmodels: { any: strong }\n${tiers}\nbudget: { runUsd: 20, downgradeAt: 0 }`,
      agent("first", asked),
    );
    await ended("implement");
    // Nothing is spent before the first step.
    expect(who(asked)).toEqual(["plan: first gpt-5.5", "implement: first gpt-5-nano"]);
    const reasons = (await runState(world))?.decisions.map(({ verdict }) => verdict.reason).join("\n");
    expect(reasons).toMatch(/gpt-5-nano in place of gpt-5\.5: only 19\.\d\d of 20\.00 USD are left/);
  });

  it("`prefer: cheapest` goes by what a step is expected to cost", async () => {
    const asked: Asked[] = [];
    await begin(
      "harness: { default: first, fallback: [second], prefer: cheapest }",
      agent("first", asked, { model: "gpt-5.5" }),
      agent("second", asked, { model: "gpt-5-nano" }),
    );
    await ended("plan");
    expect(who(asked)[0]).toBe("plan: second gpt-5-nano");
  });
});

describe("profiles", () => {
  it("`profile: plan-only` plans and stops, by a harness that can be held to reading", async () => {
    const asked: Asked[] = [];
    await begin(
      "harness: { default: first, fallback: [second], profile: plan-only }",
      agent("first", asked, { readOnly: false }),
      agent("second", asked),
    );
    const effect = await ended("implement");
    expect(who(asked)).toEqual(["plan: second -"]);
    expect(asked[0]?.access).toBe("read-only");
    expect(effect.error).toMatchObject({
      code: "BATON_HARNESS_UNSUITABLE",
      message: expect.stringContaining("only plan"),
    });
  });

  it("`profile: read-only`: what an agent writes all the same is thrown away, and the thread says so", async () => {
    const asked: Asked[] = [];
    const keen = agent("first", asked);
    const run = keen.run.bind(keen);
    await begin("harness: { default: first, profile: read-only }", {
      ...keen,
      run: (request, onEvent, signal) => run({ ...request, access: "write" }, onEvent, signal),
    });
    const effect = await ended("implement");
    expect(effect).toMatchObject({ status: "succeeded", output: { headSha: null, files: [], discarded: ["cart.js"] } });
    await ends(world);
    const status = await world.until("the status", () =>
      ownComments(world).find((body) => body.includes("read-only step: Baton discarded its changes (cart.js)")),
    );
    expect(status).toContain("**Not done.**");
    expect(repositoryOf(world).refs.size).toBe(1);
  });

  it("one's own profile bounds who is chosen, and with what", async () => {
    const asked: Asked[] = [];
    await begin(
      "harness: { default: first, fallback: [second], profile: careful }\nprofiles: { careful: { harnesses: [second], model: m-careful } }",
      agent("first", asked),
      agent("second", asked),
    );
    await ended("implement");
    expect(who(asked)).toEqual(["plan: second m-careful", "implement: second m-careful"]);
  });
});
