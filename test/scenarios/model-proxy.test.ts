/**
 * The token that an agent gets instead of a model's key, and the count of its usage. The agent is a program that speaks like
 * Claude Code and does not report its usage. The model's service is scripted.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { defaultModelOf, modelRow } from "../../src/config/models.ts";
import type { EffectState } from "../../src/core/state.ts";
import type { EffectKey } from "../../src/core/vocabulary.ts";
import { type ModelServer, startModelServer } from "../fakes/model-server.ts";
import { ends, type ObservedWorld, observedWorld, ownComments, runState, say } from "./helpers.ts";

const secret = "sk-ant-api03-the-real-key-of-the-operator-0123456789";

/** Behaves like Claude Code: asks its model, edits, prints. It also keeps its observations in a file. */
const agent = `#!/usr/bin/env node
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const { env } = process;
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
const files = readdirSync(env.HOME, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "latin1")]);
const here = import.meta.dirname;
writeFileSync(join(here, "seen." + env.BATON_ROLE + ".json"), JSON.stringify({ env, argv: process.argv, prompt, files }));
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
const model = process.argv[process.argv.indexOf("--model") + 1];
say({ type: "system", subtype: "init", session_id: "00000000-0000-4000-8000-000000000000", model });
// Pi is told of its service in a file.
const modelsFile = join(env.HOME, ".pi", "agent", "models.json");
const baseUrl = env.ANTHROPIC_BASE_URL ?? JSON.parse(readFileSync(modelsFile, "utf8")).providers.baton.baseUrl;
const ask = () => fetch(baseUrl + "/v1/messages", {
  method: "POST",
  headers: { "x-api-key": env.ANTHROPIC_API_KEY, "content-type": "application/json" },
  body: JSON.stringify({ model, stream: true, max_tokens: 100, tools: [{ name: "Write" }], messages: [{ role: "user", content: prompt }] }),
});
const { steps, asks } = JSON.parse(readFileSync(join(here, "script.json"), "utf8"));
const statuses = [];
for (let asked = 0; asked < asks; asked += 1) {
  const response = await ask();
  await response.text();
  statuses.push(response.status);
  // It never gives up by itself, as some do not.
  if (response.status !== 200) asked -= 1;
}
const step = steps[env.BATON_ROLE] ?? { text: "Done." };
for (const [path, content] of Object.entries(step.files ?? {})) writeFileSync(path, content);
say({ type: "result", subtype: "success", is_error: false, num_turns: asks, result: step.text });
`;

let directory: string;
let service: ModelServer;
let world: ObservedWorld;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "baton-proxy-"));
  service = await startModelServer();
  service.script([
    { text: "Yes.", usage: { input: 40_000, output: 2_000, cacheRead: 10_000, cacheWrite: 0 }, forever: true },
  ]);
});
afterEach(async () => {
  await world.close();
  await service.close();
  rmSync(directory, { recursive: true, force: true });
});

const model = defaultModelOf("claude-code");
const { input = 0, output = 0, cacheRead = 0 } = modelRow(model)?.price ?? {};
const requestUsd = (40_000 * input + 2_000 * output + 10_000 * cacheRead) / 1e6;

async function begin(config = "", asks = 2, harness = "claude-code"): Promise<void> {
  const binary = join(directory, "claude.mjs");
  writeFileSync(binary, agent);
  chmodSync(binary, 0o755);
  const [plan, implement] = [sampleScript["plan"]?.[0], sampleScript["repair"]?.[0]];
  writeFileSync(join(directory, "script.json"), JSON.stringify({ steps: { plan, implement }, asks }));
  world = await observedWorld({
    config: `version: 1\nharness: { default: ${harness}${config.startsWith(",") ? config : ` }\n${config}`}\n`,
    harnesses: null,
    environment: {
      ANTHROPIC_API_KEY: secret,
      ANTHROPIC_BASE_URL: service.url,
      // The agent keeps its observations next to itself, outside its worktree.
      BATON_SANDBOX: "off",
      BATON_CLAUDE_BINARY: binary,
      BATON_PI_BINARY: binary,
    },
  });
  say(world, "/baton run");
}

const effectOf = async (key: string): Promise<EffectState | null> =>
  (await runState(world))?.effects.get(key as EffectKey) ?? null;

const ended = (key: string): Promise<EffectState> =>
  world.until(`${key} to have ended`, async () => {
    const effect = await effectOf(key);
    return effect !== null && effect.endedAt !== null ? effect : null;
  });

describe("the model's key", () => {
  it("is nowhere in the agent's environment, arguments, prompt or home; the service gets it", async () => {
    await begin();
    expect(await ended("implement")).toMatchObject({ status: "succeeded" });
    const seen = readFileSync(join(directory, "seen.implement.json"), "utf8");
    expect(seen).not.toContain(secret);
    const { env } = JSON.parse(seen) as { env: Record<string, string> };
    expect(env["ANTHROPIC_API_KEY"]).toMatch(/^baton-[\w-]{43}$/);
    expect(env["ANTHROPIC_BASE_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/anthropic$/);
    expect(new Set(service.requests.map(({ headers }) => headers["x-api-key"]))).toEqual(new Set([secret]));
    expect(JSON.stringify(service.requests)).not.toContain(env["ANTHROPIC_API_KEY"]);
    // A token is for one attempt, and ends with it.
    const plan = JSON.parse(readFileSync(join(directory, "seen.plan.json"), "utf8")) as { env: Record<string, string> };
    expect(plan.env["ANTHROPIC_API_KEY"]).not.toBe(env["ANTHROPIC_API_KEY"]);
    const late = await fetch(`${env["ANTHROPIC_BASE_URL"]}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": env["ANTHROPIC_API_KEY"] ?? "" },
      body: "{}",
    });
    expect(late.status).toBe(401);
  });

  it("what was used is right although the agent says nothing of it", async () => {
    await begin();
    const { attempts } = await ended("implement");
    const [usage, ...more] = attempts.at(-1)?.usage ?? [];
    expect(more).toEqual([]);
    expect(usage).toMatchObject({
      harness: "claude-code",
      model,
      tokens: { input: 80_000, output: 4_000, cacheRead: 20_000, cacheWrite: 0 },
      priceSource: "table",
    });
    expect(usage?.costUsd).toBeCloseTo(2 * requestUsd, 9);
    const state = await runState(world);
    const ledger = await world.baton.dependencies.store.ledger(state === null ? {} : { runId: state.runId });
    const settledUsd = ledger.filter(({ kind }) => kind === "settle").reduce((sum, { usd }) => sum + usd, 0);
    expect(settledUsd).toBeCloseTo(4 * requestUsd, 9);
  });
});

describe("bounds that hold whatever the agent does", () => {
  it("the budget: it is stopped at it, its work is kept and the run waits for money", async () => {
    await begin("budget: { runUsd: 1 }\n", 50);
    const state = await world.until("the run to wait for money", async () => {
      const now = await runState(world);
      return now?.money.stop == null ? null : now;
    });
    expect(state.effects.get("plan" as EffectKey)?.attempts[0]?.error?.code).toBe("BATON_BUDGET_EXCEEDED");
    // The next request may need more than is left.
    expect(state.money.spentUsd).toBeGreaterThan(1 - 2 * requestUsd);
    expect(state.money.spentUsd).toBeLessThanOrEqual(1);
    expect(service.requests.length).toBe(Math.round(state.money.spentUsd / requestUsd));
  });

  it("`limits.attemptTokens` ends an attempt, and another goes on", async () => {
    await begin("limits: { attemptTokens: 30000 }\n");
    const { attempts } = await world.until("a second attempt", async () => {
      const effect = await effectOf("plan");
      return effect !== null && effect.attempts.length > 0 && effect.attempts[0]?.error !== null ? effect : null;
    });
    expect(attempts[0]?.error?.code).toBe("BATON_HARNESS_TOKENS");
    expect(attempts[0]?.usage).toMatchObject([{ tokens: { input: 40_000 } }]);
  });

  it("`limits.turns`, where the harness has no flag for it: the next request is refused, and the attempt ends", async () => {
    await begin("limits: { turns: 3 }\n", 50, "pi");
    const first = await world.until("the first attempt to end", async () => {
      const attempt = (await effectOf("plan"))?.attempts[0];
      return attempt?.error == null ? null : attempt;
    });
    expect(first.error).toMatchObject({ code: "BATON_HARNESS_TURNS", message: expect.stringContaining("3 times") });
    expect(first.usage).toMatchObject([{ harness: "pi", tokens: { input: 3 * 40_000 } }]);
    expect(readFileSync(join(directory, "seen.plan.json"), "utf8")).not.toContain(secret);
  });

  it("a model that is not in `harness.models` is refused before it costs anything", async () => {
    await begin(", models: [claude-opus-4-1] }");
    const state = await world.until("the first attempt to fail", async () => {
      const now = await runState(world);
      const first = now?.effects.get("plan" as EffectKey)?.attempts[0];
      return first?.error == null ? null : first;
    });
    expect(state.error?.message).toMatch(/claude-code has no model that `harness\.models` allows \(claude-opus-4-1\)/);
    expect(service.requests).toEqual([]);
  });

  it("a key that the service refuses ends the step, not the agent's patience", async () => {
    service.script([{ status: 401, message: `invalid x-api-key ${secret}`, forever: true }]);
    await begin();
    const state = await ends(world);
    expect(state.effects.get("plan" as EffectKey)?.error?.code).toBe("BATON_HARNESS_AUTH");
    expect(service.requests).toHaveLength(2);
    expect(ownComments(world).join("\n")).not.toContain(secret);
    expect(existsSync(join(directory, "seen.implement.json"))).toBe(false);
  });
});
