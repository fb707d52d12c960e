/** Real CLIs ask their models through Baton's proxy. They work unchanged, hold no key, and the proxy counts their usage. */
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { startModelProxy } from "../../src/adapters/model-proxy/proxy.ts";
import { addTokens, noTokens } from "../../src/core/vocabulary.ts";
import type { GrantRequest, ModelProxy } from "../../src/ports/model-proxy.ts";
import type { Turn } from "../fakes/model-server.ts";
import { reserveUpTo } from "../fakes/money.ts";
import { type Bench, setBench } from "./bench.ts";
import { type CliName, chosenClis } from "./cli.ts";

const secret = "sk-ant-the-real-key-that-no-cli-may-see";
const write: Turn = { text: "I will create the file.", deeds: [{ write: "hello.txt", content: "hi\n" }] };
const look: Turn = { text: "I will look.", deeds: [{ run: "env > env.txt" }] };
const done: Turn = { text: "Done.", usage: { input: 150, output: 25, cacheRead: 1_540, cacheWrite: 60 } };
const names: CliName[] = ["claude-code", "codex", "copilot", "gemini", "opencode", "pi"];

describe.each(names.filter((name) => chosenClis().includes(name)))("%s", (name) => {
  let bench: Bench;
  let proxy: ModelProxy;
  afterEach(async () => {
    await proxy.close();
    await bench.close();
  });

  const granted = async (limitUsd: number, ...turns: Turn[]) => {
    bench = await setBench(name, turns);
    const { url } = bench.server;
    proxy = await startModelProxy({
      anthropic: { baseUrl: url, secret, kind: "api-key" },
      gemini: { baseUrl: url, secret, kind: "api-key" },
      openai: { baseUrl: `${url}/v1`, secret, kind: "api-key" },
    });
    // About a tenth of a cent an answer, whatever the model.
    const priceUsd: GrantRequest["priceUsd"] = (_, { output }) => output / 100_000;
    return proxy.grant({
      priceUsd,
      // Models of the table may answer with 128,000 tokens. The proxy cuts the part without money.
      reserve: reserveUpTo(limitUsd, priceUsd),
      unknownPrice: "stop",
      tokensMax: null,
      requestsMax: null,
      models: null,
      providers: null,
      onUse: () => {},
      onRefusal: () => {},
    });
  };

  it("works, and the count is its own", async () => {
    const grant = await granted(1, write, look, done);
    const result = await bench.run({ models: grant.models });
    await grant.revoke();
    expect(result).toMatchObject({ ok: true, text: "Done.", turns: 3 });
    expect(bench.git("status", "--porcelain", "hello.txt")).toBe("?? hello.txt\n");
    const counted = grant.uses().reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens);
    const said = result.usage.reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens);
    // Side requests for titles and the like count as well. Not every CLI reports them.
    const { sideRequests } = bench.server;
    expect(counted.output - said.output).toBe(counted.output === said.output ? 0 : 85 * sideRequests.length);
    expect(grant.uses().reduce((sum, { estimated }) => sum + estimated, 0)).toBe(0);
    const received = [...bench.server.requests, ...sideRequests];
    const keys = received.map(
      ({ headers }) =>
        headers["x-api-key"] ?? headers["x-goog-api-key"] ?? headers.authorization?.replace("Bearer ", ""),
    );
    expect(new Set(keys)).toEqual(new Set([secret]));
    const held = spawnSync("grep", ["-rlF", secret, bench.directory], { encoding: "utf8" });
    expect(held.stdout).toBe("");
  });

  it("stops at the budget", async () => {
    const stop = new AbortController();
    const grant = await granted(0.001, { ...write, forever: true });
    grant.stopped.addEventListener("abort", () => stop.abort());
    const result = await bench.run({ models: grant.models }, stop.signal);
    await grant.revoke();
    expect(result.ok).toBe(false);
    expect(grant.stopReason()?.code).toBe("BATON_BUDGET_EXCEEDED");
    expect(bench.server.requests.length).toBeLessThanOrEqual(2);
  });
});
