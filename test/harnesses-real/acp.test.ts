/** The adapter of the Agent Client Protocol over a real agent: `gemini --acp`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findByMarker } from "../../src/adapters/child/survivors.ts";
import { acpAgent } from "../../src/adapters/harness/acp/harness.ts";
import type { HarnessEvent, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import type { Turn } from "../fakes/model-server.ts";
import { type Bench, setBench } from "./bench.ts";
import { chosenClis, cliPath } from "./cli.ts";

const write: Turn = { text: "I will create the file.", deeds: [{ write: "hello.txt", content: "hi\n" }] };
const shell: Turn = { text: "Now git.", deeds: [{ run: "git status --porcelain > status.txt" }] };
const done: Turn = { text: "Done.", usage: { input: 150, output: 25, cacheRead: 0, cacheWrite: 0 } };

describe.skipIf(!chosenClis().includes("gemini"))("gemini --acp", () => {
  let bench: Bench;
  let events: HarnessEvent[];

  const run = (more: Partial<HarnessRequest> = {}, signal = new AbortController().signal): Promise<HarnessResult> => {
    events = [];
    const variables = ["GEMINI_CLI_TRUST_WORKSPACE=false", "GEMINI_CLI_NO_RELAUNCH=true"];
    // It takes "not there" for a failure: without `reads: false` it creates no files.
    const command = ["env", ...variables, cliPath("gemini"), "--acp"];
    return acpAgent({ name: "my-gemini", command, reads: false }).run(
      bench.request({
        model: "gemini-2.5-pro",
        models: { gemini: { baseUrl: bench.server.url, key: "token-of-this-attempt", kind: "api-key" } },
        ...more,
      }),
      (event) => events.push(event),
      signal,
    );
  };
  afterEach(async () => {
    const left = await findByMarker(bench.marker);
    await bench.close();
    if (left.length > 0) throw new Error(`Left running: ${left.join(", ")}`);
  });

  it("edits the worktree and runs commands with Baton's permission; text, tools and usage are told", async () => {
    bench = await setBench("gemini", [write, shell, done]);
    const result = await run({ systemPrompt: "Rule seven: be brief." });
    expect(result).toMatchObject({ ok: true, error: null, text: "Done." });
    expect(readFileSync(join(bench.worktree, "hello.txt"), "utf8")).toBe("hi\n");
    expect(readFileSync(join(bench.worktree, "status.txt"), "utf8")).toContain("?? hello.txt");
    expect(events.flatMap((event) => (event.type === "text" ? [event.text] : []))).toEqual([
      "I will create the file.",
      "Now git.",
      "Done.",
    ]);
    expect(events.filter(({ type }) => type === "session")).toMatchObject([{ sessionId: result.sessionId }]);
    expect(bench.server.requests[0]?.model).toBe("gemini-2.5-pro");
    expect(bench.server.requests[0]?.user.join("\n")).toContain("Rule seven: be brief.");
    expect(bench.server.requests[0]?.headers["x-goog-api-key"]).toBe("token-of-this-attempt");
    expect(result.usage).toMatchObject([{ model: "gemini-2.5-pro" }]);
    expect(result.usage[0]?.tokens.output).toBeGreaterThanOrEqual(25);
  });

  it("read-only: what it asks leave for is refused", async () => {
    bench = await setBench("gemini", [write, shell, done]);
    await run({ access: "read-only" });
    expect(bench.git("status", "--porcelain")).toBe("");
  });

  it("an abort while a tool runs ends the tool too", async () => {
    bench = await setBench("gemini", [{ text: "Sleeping.", deeds: [{ run: "echo $$ > tool.pid; exec sleep 600" }] }]);
    const controller = new AbortController();
    const running = run({}, controller.signal);
    await bench.appears("tool.pid");
    controller.abort();
    expect(await running).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    expect(bench.processesIn(bench.worktree)).toEqual([]);
  });

  it("a refused key is told as such", async () => {
    bench = await setBench("gemini", [{ status: 401, forever: true }]);
    expect(await run()).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_AUTH" } });
    expect(existsSync(join(bench.worktree, "hello.txt"))).toBe(false);
  });
});
