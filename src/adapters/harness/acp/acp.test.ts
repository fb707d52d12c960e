/**
 * The permissions and messages of an agent of the protocol. A small agent does what its prompt says (`test/fakes/acp`).
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultSettings } from "../../../config/schema.ts";
import type { HarnessEvent, HarnessRequest, HarnessResult } from "../../../ports/harness.ts";
import { Meter } from "../../../runner/perform/meter.ts";
import { AcpReader, acpAgent } from "./harness.ts";

const fake = fileURLToPath(new URL("../../../../test/fakes/acp/agent.mjs", import.meta.url));

let directory: string;
let cwd: string;
let events: HarnessEvent[];

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-acp-")));
  cwd = join(directory, "work");
  mkdirSync(cwd);
  events = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** One action of the fake agent: it asks Baton, sends an update, or answers the prompt. */
type Deed =
  | { ask: string; params: object; into: string }
  | { update: object }
  | { wait: "cancel" }
  | { stay: true }
  | { answer: object }
  | { exit: true };

function run(
  deeds: Deed[],
  request: Partial<HarnessRequest> = {},
  signal = new AbortController().signal,
  onEvent: (event: HarnessEvent) => void = () => {},
): Promise<HarnessResult> {
  return acpAgent({ name: "small", command: [fake] }).run(
    {
      ...base(),
      prompt: deeds.map((deed) => `do ${JSON.stringify(deed)}`).join("\n"),
      ...request,
    },
    (event) => {
      events.push(event);
      onEvent(event);
    },
    signal,
  );
}
const told = (file: string): unknown => JSON.parse(readFileSync(join(cwd, file), "utf8"));
const chunk = (words: string): Deed => ({
  update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: words } },
});

describe("version 2: the answer to a prompt does not end the turn", () => {
  const second = { variables: { BATON_TEST_VERSION: "2" } };
  const message = (messageId: string, words: string): Deed => ({
    update: { sessionUpdate: "agent_message", messageId, content: [{ type: "text", text: words }] },
  });
  const piece = (messageId: string, words: string): Deed => ({
    update: { sessionUpdate: "agent_message_chunk", messageId, content: { type: "text", text: words } },
  });

  it("what comes after the answer counts, until the agent is idle", async () => {
    const entries = [{ content: "Read", priority: "high", status: "completed" }];
    const call = { sessionUpdate: "tool_call_update", toolCallId: "1", title: "Reading", kind: "read" };
    const cost = { amount: 0.25, currency: "USD" };
    const result = await run(
      [
        piece("a", "I l"),
        piece("a", "ook."),
        message("a", "I look."),
        { update: { sessionUpdate: "plan_update", plan: { type: "items", planId: "p", entries } } },
        { update: { ...call, status: "pending", rawInput: { path: "a.js" } } },
        { update: { ...call, status: "cancelled" } },
        piece("b", "Half"),
        message("c", "Done."),
        { update: { sessionUpdate: "usage_update", used: 10, size: 100, cost } },
      ],
      second,
    );
    expect(result).toMatchObject({ ok: true, text: "Done.", sessionId: "acp-session-1", usage: [{ costUsd: 0.25 }] });
    expect(events.filter(({ type }) => type === "text" || type === "tool")).toEqual([
      { type: "text", text: "I look." },
      { type: "tool", name: "plan", detail: "1 of 1", state: "completed" },
      { type: "tool", name: "read", detail: "a.js", state: "started" },
      { type: "tool", name: "read", detail: "", state: "failed" },
      { type: "text", text: "Half" },
      { type: "text", text: "Done." },
    ]);
  });

  it.each([
    [{}, null],
    [{ stopReason: "refusal" }, "BATON_HARNESS_REFUSED"],
    [{ stopReason: "max_turn_requests" }, "BATON_HARNESS_TURNS"],
    [{ stopReason: "_paused" }, "BATON_HARNESS_CRASHED"],
    [{ error: { code: -32_603, message: "service answered 429" } }, "BATON_HARNESS_QUOTA"],
    [{ error: { code: -32_000, message: "log in" } }, "BATON_HARNESS_AUTH"],
  ])("idle with %j", async (answer, code) => {
    const result = await run([{ answer }], second);
    expect(result.ok).toBe(code === null);
    expect(result.error?.code ?? null).toBe(code);
  });

  it("an agent that ends before it is idle has not said how", async () => {
    expect(await run([message("a", "Soon."), { exit: true }], second)).toMatchObject({
      ok: false,
      error: { code: "BATON_HARNESS_OUTPUT" },
    });
  });

  it("an abort is told as a cancel, and its end waited for", async () => {
    const controller = new AbortController();
    const result = await run([{ wait: "cancel" }], second, controller.signal, ({ type }) => {
      if (type === "tool") controller.abort();
    });
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    expect(readFileSync(join(cwd, "cancelled.txt"), "utf8")).toBe("yes");
  });

  it.each([
    ["write", "edit", "option-allow_once"],
    ["read-only", "edit", "option-reject_once"],
    ["read-only", "read", "option-allow_once"],
  ] as const)("access %s, a tool of kind %s: %s", async (access, kind, optionId) => {
    const params = {
      title: "May it?",
      subject: { type: "tool_call", toolCall: { toolCallId: "1", title: "x", kind } },
    };
    await run([{ ask: "session/request_permission", params, into: "answer.json" }], { ...second, access });
    expect(told("answer.json")).toEqual({ result: { outcome: { outcome: "selected", optionId } } });
  });

  it("model, servers and login are told as it has them", async () => {
    const toolServers = [{ name: "words", command: ["/bin/words-server"], variables: {} }];
    const variables = { ...second.variables, BATON_TEST_LOGIN: "once" };
    expect(await run([], { variables, model: "model-1", toolServers })).toMatchObject({ ok: true });
    expect(readFileSync(join(cwd, "model.txt"), "utf8")).toBe("model id model-1");
    expect(told("session.json")).toMatchObject({ mcpServers: [{ type: "stdio", name: "words" }] });
    expect(told("initialize.json")).toMatchObject({ info: { name: "baton" }, capabilities: {} });
  });
});

describe("files", () => {
  const write = (path: string): Deed => ({
    ask: "fs/write_text_file",
    params: { path, content: "hi\n" },
    into: "answer.json",
  });
  const read = (path: string, more: object = {}): Deed => ({
    ask: "fs/read_text_file",
    params: { path, ...more },
    into: "answer.json",
  });

  it("writes into folders of the workspace that are not there yet", async () => {
    expect(await run([write(join(cwd, "a/b/hello.txt"))])).toMatchObject({ ok: true });
    expect(readFileSync(join(cwd, "a/b/hello.txt"), "utf8")).toBe("hi\n");
  });

  it("reads a part by lines", async () => {
    writeFileSync(join(cwd, "lines.txt"), "1\n2\n3\n4\n");
    await run([read(join(cwd, "lines.txt"), { line: 2, limit: 2 })]);
    expect(told("answer.json")).toMatchObject({ result: { content: "2\n3" } });
  });

  it("what is not there is told as the protocol has it", async () => {
    await run([read(join(cwd, "none.txt"))]);
    expect(told("answer.json")).toMatchObject({ error: { code: -32_002 } });
  });

  it.each([
    ["above", () => join(cwd, "../outside.txt")],
    ["elsewhere", () => join(directory, "outside.txt")],
    ["through a link to a folder", () => join(cwd, "link/outside.txt")],
    ["a link to a file", () => join(cwd, "file-link")],
    ["a link to nothing yet", () => join(cwd, "dangling")],
    ["the git directory", () => join(cwd, ".git/config")],
    ["the git directory in other letters", () => join(cwd, "sub/.GIT/hooks/pre-commit")],
    ["the workspace itself", () => cwd],
  ])("%s: neither read nor written", async (_, pathOf) => {
    const outside = join(directory, "outside.txt");
    writeFileSync(outside, "secret");
    mkdirSync(join(cwd, ".git"));
    writeFileSync(join(cwd, ".git/config"), "secret");
    symlinkSync(directory, join(cwd, "link"));
    symlinkSync(outside, join(cwd, "file-link"));
    symlinkSync(join(directory, "new.txt"), join(cwd, "dangling"));
    for (const deed of [read(pathOf()), write(pathOf())]) {
      await run([deed]);
      expect(told("answer.json")).toMatchObject({
        error: { message: expect.stringContaining("not in the workspace") },
      });
    }
    expect(readFileSync(outside, "utf8")).toBe("secret");
    expect(readFileSync(join(cwd, ".git/config"), "utf8")).toBe("secret");
    expect(existsSync(join(directory, "new.txt"))).toBe(false);
  });

  it("a step that may only read writes nothing, and the agent is told so before it begins", async () => {
    await run([write(join(cwd, "hello.txt"))], { access: "read-only" });
    expect(told("answer.json")).toMatchObject({ error: { message: expect.stringContaining("only read") } });
    expect(existsSync(join(cwd, "hello.txt"))).toBe(false);
    expect(told("initialize.json")).toMatchObject({
      clientCapabilities: { fs: { readTextFile: true, writeTextFile: false } },
    });
  });
});

describe("permission", () => {
  it.each([
    ["write", "edit", "option-allow_once"],
    ["write", "execute", "option-allow_once"],
    ["read-only", "read", "option-allow_once"],
    ["read-only", "search", "option-allow_once"],
    ["read-only", "edit", "option-reject_once"],
    ["read-only", "delete", "option-reject_once"],
    ["read-only", "execute", "option-reject_once"],
    ["read-only", undefined, "option-reject_once"],
  ] as const)("access %s, a tool of kind %s: %s", async (access, kind, optionId) => {
    const toolCall = { toolCallId: "1", title: "does it", ...(kind === undefined ? {} : { kind }) };
    await run([{ ask: "session/request_permission", params: { toolCall }, into: "answer.json" }], { access });
    expect(told("answer.json")).toEqual({ result: { outcome: { outcome: "selected", optionId } } });
  });

  it("the kind may have been told before, with the call", async () => {
    const call = { sessionUpdate: "tool_call", toolCallId: "1", title: "reads", kind: "read" };
    const asks = { ask: "session/request_permission", params: { toolCall: { toolCallId: "1" } }, into: "answer.json" };
    await run([{ update: call }, asks], { access: "read-only" });
    expect(told("answer.json")).toMatchObject({ result: { outcome: { optionId: "option-allow_once" } } });
  });

  it("without a fitting option the request is cancelled", async () => {
    const options = [{ optionId: "yes", name: "Yes", kind: "allow_once" }];
    const params = { toolCall: { toolCallId: "1", kind: "edit" }, options };
    await run([{ ask: "session/request_permission", params, into: "answer.json" }], { access: "read-only" });
    expect(told("answer.json")).toEqual({ result: { outcome: { outcome: "cancelled" } } });
  });
});

describe("the conversation", () => {
  it("ends an agent that would run on after its answer, as a success", async () => {
    const result = await run([{ stay: true }, chunk("Do"), chunk("ne.")]);
    expect(result).toMatchObject({
      ok: true,
      error: null,
      text: "Done.",
      sessionId: "acp-session-1",
      turns: 1,
      signal: "SIGTERM",
    });
  });

  it("tells text, tools and the plan as they come", async () => {
    const entries = [
      { content: "Read", priority: "high", status: "completed" },
      { content: "Write", priority: "high", status: "in_progress" },
    ];
    const call = { toolCallId: "1", title: "Reading", kind: "read" };
    await run([
      chunk("I look."),
      { update: { sessionUpdate: "plan", entries } },
      { update: { ...call, sessionUpdate: "tool_call", rawInput: { path: "a.js" } } },
      { update: { toolCallId: "1", sessionUpdate: "tool_call_update", status: "failed" } },
      chunk("Gone."),
    ]);
    expect(events.filter(({ type }) => type === "text" || type === "tool")).toEqual([
      { type: "text", text: "I look." },
      { type: "tool", name: "plan", detail: "1 of 2: Write", state: "completed" },
      { type: "tool", name: "read", detail: "a.js", state: "started" },
      { type: "tool", name: "read", detail: "", state: "failed" },
      { type: "text", text: "Gone." },
    ]);
  });

  it("a call that is first told of where leave is asked for it is told once", async () => {
    const toolCall = { toolCallId: "1", title: "Writes", kind: "edit", status: "pending" };
    await run([
      chunk("I write."),
      { ask: "session/request_permission", params: { toolCall }, into: "answer.json" },
      { update: { ...toolCall, sessionUpdate: "tool_call_update", status: "completed" } },
      chunk("Done."),
    ]);
    expect(events.filter(({ type }) => type === "text" || type === "tool")).toEqual([
      { type: "text", text: "I write." },
      { type: "tool", name: "edit", detail: "Writes", state: "started" },
      { type: "tool", name: "edit", detail: "", state: "completed" },
      { type: "text", text: "Done." },
    ]);
  });

  it("an abort is told as a cancel first", async () => {
    const controller = new AbortController();
    const result = await run([{ wait: "cancel" }], {}, controller.signal, ({ type }) => {
      if (type === "tool") controller.abort();
    });
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    expect(readFileSync(join(cwd, "cancelled.txt"), "utf8")).toBe("yes");
  });

  it.each([
    ["refusal", "BATON_HARNESS_REFUSED"],
    ["max_turn_requests", "BATON_HARNESS_TURNS"],
    ["max_tokens", "BATON_HARNESS_CRASHED"],
    ["cancelled", "BATON_HARNESS_CRASHED"],
  ])("%s is no success", async (stopReason, code) => {
    expect(await run([{ answer: { stopReason } }])).toMatchObject({ ok: false, error: { code } });
  });

  it.each([
    [{ code: -32_000, message: "Authentication required" }, "BATON_HARNESS_AUTH"],
    [{ code: 429, message: "Slow down" }, "BATON_HARNESS_QUOTA"],
    [
      { code: -32_603, message: "Internal error", data: { details: "service answered 503" } },
      "BATON_HARNESS_UNAVAILABLE",
    ],
    [{ code: -32_603, message: "Internal error" }, "BATON_HARNESS_CRASHED"],
  ])("the error %j of the prompt", async (error, code) => {
    expect(await run([{ answer: { error } }])).toMatchObject({ ok: false, error: { code } });
  });

  it("logs in with a key where the agent wants that, and says when it does not help", async () => {
    expect(await run([], { variables: { BATON_TEST_LOGIN: "once" } })).toMatchObject({ ok: true });
    const result = await run([], { variables: { BATON_TEST_LOGIN: "never" } });
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_AUTH" } });
  });

  it("a model that it offers is chosen; another is warned of", async () => {
    await run([], { model: "model-1" });
    expect(readFileSync(join(cwd, "model.txt"), "utf8")).toBe("model-1");
    await run([], { model: "model-2" });
    expect(events).toContainEqual({ type: "warning", text: expect.stringContaining('"model-2" is not passed on') });
  });

  it("servers of tools are named to it with the session, and carry the attempt's marker", async () => {
    await run([], {
      attemptMarker: "run/step/1",
      toolServers: [
        { name: "words", command: ["/bin/words-server", "--quiet"], variables: { WORDS: "some" } },
        { name: "docs", url: "https://docs.example.com/mcp" },
      ],
    });
    const { mcpServers } = told("session.json") as { mcpServers: { env?: { name: string }[] }[] };
    expect(mcpServers).toMatchObject([
      {
        name: "words",
        command: "/bin/words-server",
        args: ["--quiet"],
        env: expect.arrayContaining([
          { name: "WORDS", value: "some" },
          { name: "BATON_ATTEMPT", value: "run/step/1" },
        ]),
      },
      { type: "http", name: "docs", url: "https://docs.example.com/mcp" },
    ]);
  });

  it("the system text goes before the prompt: the protocol has no other place for it", async () => {
    const answer = { stopReason: "refusal" };
    const systemPrompt = `do ${JSON.stringify({ answer })}`;
    expect(await run([{ answer: { stopReason: "end_turn" } }], { systemPrompt })).toMatchObject({
      error: { code: "BATON_HARNESS_REFUSED" },
    });
  });

  it("its models are asked through the proxy: an address and a token each, no login", async () => {
    const access = (kind: "api-key" | "login") => ({ baseUrl: "http://127.0.0.1:9/x", key: "token-0123456789", kind });
    const harness = acpAgent({
      name: "small",
      command: ["sh", "-c", "env > environment.txt"],
    });
    await harness.run(
      { ...base(), models: { anthropic: access("login"), gemini: access("api-key") } },
      () => {},
      new AbortController().signal,
    );
    const seen = readFileSync(join(cwd, "environment.txt"), "utf8");
    expect(seen).toContain("GEMINI_API_KEY=token-0123456789");
    expect(seen).toContain("GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9/x");
    expect(seen).not.toContain("ANTHROPIC");
  });
});

function base(): HarnessRequest {
  return {
    cwd,
    homePath: join(directory, "home"),
    systemPrompt: "",
    prompt: "",
    access: "write",
    model: null,
    resumeSessionId: null,
    maxTurns: null,
    maxUsd: null,
    timeoutMs: 300_000,
    silenceMs: 300_000,
    attemptMarker: `acp/${directory}/1`,
    variables: {},
  };
}

describe("usage", () => {
  const read = (...messages: object[]): HarnessResult["usage"] => {
    const reader = new AcpReader("m");
    for (const message of messages) reader.take(JSON.stringify({ jsonrpc: "2.0", ...message }), "stdout");
    return reader.end().usage;
  };
  const cost = (amount: number, currency: string) => ({
    method: "session/update",
    params: { update: { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount, currency } } },
  });

  it("is nothing where nothing is told", () => {
    expect(read({ id: 2, result: { stopReason: "end_turn" } })).toEqual([]);
  });

  it("money of another currency is not taken for dollars", () => {
    expect(read(cost(1, "EUR"))).toEqual([]);
    expect(read(cost(0.5, "USD"), cost(0.75, "USD"))).toMatchObject([{ model: "m", costUsd: 0.75 }]);
  });

  it("usage-that-falls-is-believed: a second meter, of which the largest figure counts", () => {
    const meter = new Meter("small", defaultSettings, 5);
    const reader = new AcpReader("m");
    for (const amount of [0.5, 2, 0.01])
      for (const event of reader.take(JSON.stringify({ jsonrpc: "2.0", ...cost(amount, "USD") }), "stdout"))
        meter.take(event);
    expect(meter.spentUsd()).toBe(2);
    const settled = meter.settle({ usage: reader.end().usage } as HarnessResult);
    expect(settled).toMatchObject([{ model: "m", costUsd: 2, priceSource: "harness" }]);
    expect(meter.fell).toBe(true);
  });

  it("a second meter stands next to what passed Baton's proxy", () => {
    const meter = new Meter("small", defaultSettings, 5);
    const tokens = { input: 1_000, output: 0, cacheRead: 0, cacheWrite: 0 };
    meter.count({ model: "claude-sonnet-5-5", tokens, requests: 1, estimated: 0 });
    for (const event of new AcpReader("claude-sonnet-5-5").take(
      JSON.stringify({ jsonrpc: "2.0", ...cost(3, "USD") }),
      "stdout",
    ))
      meter.take(event);
    expect(meter.usage()).toMatchObject([{ costUsd: 0.002, priceSource: "table", reported: { costUsd: 3 } }]);
  });

  it("is by model where the agent says so", () => {
    const model_usage = [
      { model: "a", token_count: { input_tokens: 10, output_tokens: 2 } },
      { model: "b", token_count: { input_tokens: 7, output_tokens: -1 } },
    ];
    const tokens = (input: number, output: number) => ({ input, output, cacheRead: 0, cacheWrite: 0 });
    expect(read({ id: 2, result: { stopReason: "end_turn", _meta: { quota: { model_usage } } } })).toEqual([
      { model: "a", tokens: tokens(10, 2), costUsd: null },
      { model: "b", tokens: tokens(7, 0), costUsd: null },
    ]);
  });
});
