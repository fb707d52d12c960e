/** The readers' results for streams recorded from the real CLIs (`test/fixtures/harness`), and for other input. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../core/errors.ts";
import type { HarnessEvent, HarnessResult } from "../../ports/harness.ts";
import { ClaudeCodeReader } from "./claude-code/harness.ts";
import { CodexReader } from "./codex/harness.ts";
import { CommandReader } from "./command/harness.ts";
import { CopilotReader, sumOf } from "./copilot/harness.ts";
import { GeminiReader, sumOfAnswers } from "./gemini/harness.ts";
import { OpencodeReader } from "./opencode/harness.ts";
import { PiReader } from "./pi/harness.ts";
import type { StreamReader } from "./run-harness.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/harness/", import.meta.url));

function read(reader: StreamReader, file: string): { events: HarnessEvent[]; end: ReturnType<StreamReader["end"]> } {
  const events = readFileSync(`${fixtures}${file}.jsonl`, "utf8")
    .split("\n")
    .flatMap((line) => reader.take(line, "stdout"));
  return { events, end: reader.end() };
}

const used = (
  model: string,
  input: number,
  output: number,
  cacheRead: number,
  cacheWrite: number,
  costUsd: number | null,
) => [{ model, tokens: { input, output, cacheRead, cacheWrite }, costUsd }] satisfies HarnessResult["usage"];

interface Case {
  /** The reader's report on the end. Null: all is well. */
  code: ErrorCode | null;
  /** Set when the reader stops the CLI itself. */
  givesUp?: ErrorCode;
  finished?: boolean;
  sessionId: string | null;
  text?: string;
  usage: HarnessResult["usage"];
  turns: number;
  tools?: string[];
  retries?: (number | null)[];
}

const sonnet = "claude-sonnet-4-5";
const twoTurns = used(sonnet, 1350, 110, 1840, 100, 0.006626999999999999);
const written = ["Write started", "Write completed"];
const done = "Done: hello.txt exists.";

const claudeCases: Record<string, Case> = {
  success: {
    code: null,
    sessionId: "87c6c9df-af3f-4165-929e-941c939d7d6a",
    text: done,
    usage: twoTurns,
    turns: 2,
    tools: written,
  },
  "success.first": {
    code: null,
    sessionId: "b94d07e7-a019-4c55-ae74-3eae494c8f8a",
    text: done,
    usage: twoTurns,
    turns: 2,
    tools: written,
  },
  // The session's total is 1,360 in and 115 out. The earlier attempt has paid for its part.
  "followup.resumed": {
    code: null,
    sessionId: "b94d07e7-a019-4c55-ae74-3eae494c8f8a",
    usage: used(sonnet, 10, 5, 0, 0, 0.000105),
    turns: 1,
  },
  "commit.wt": {
    code: null,
    sessionId: "d297f48f-a94e-4d17-b0ed-7c59b7d2445e",
    text: done,
    usage: used(sonnet, 2550, 195, 2140, 140, 0.011741999999999999),
    turns: 3,
    tools: [...written, "Bash started", "Bash failed"],
  },
  badtool: {
    code: null,
    sessionId: "5e321bad-60f0-4868-ad18-33d024520c30",
    usage: twoTurns,
    turns: 2,
    tools: ["no_such_tool started", "no_such_tool failed"],
  },
  mcp: {
    code: null,
    sessionId: "c031e484-5e7c-4388-a206-062a22692f2d",
    usage: twoTurns,
    turns: 2,
    tools: ["mcp__echo__echo started", "mcp__echo__echo completed"],
  },
  flaky429: {
    code: null,
    sessionId: "2a4beb5b-6ed7-4944-8e85-3d5e5d67c271",
    text: done,
    usage: twoTurns,
    turns: 2,
    tools: written,
    retries: [429, 429],
  },
  err401: {
    code: null,
    givesUp: "BATON_HARNESS_AUTH",
    finished: false,
    sessionId: "251dac08-e465-427b-b3c9-ac2f3d5029a3",
    usage: [],
    turns: 0,
    retries: [401, 401, 401, 401, 401, 401, 401, 401, 401],
  },
  "err401.retry1": {
    code: "BATON_HARNESS_AUTH",
    givesUp: "BATON_HARNESS_AUTH",
    sessionId: "2ced4c29-730a-4493-a004-da6c462b65b5",
    usage: [],
    turns: 1,
    retries: [401],
  },
  refuse: {
    code: "BATON_HARNESS_REFUSED",
    sessionId: "56716757-dc67-4b74-9603-39dada17168c",
    usage: used(sonnet, 2400, 170, 600, 80, 0.01023),
    turns: 2,
  },
  "loop.maxturns": {
    code: "BATON_HARNESS_TURNS",
    sessionId: "3f4f1e34-b044-40b9-abd1-39a9d343a5c0",
    usage: used(sonnet, 2400, 170, 600, 80, 0.01023),
    turns: 3,
    tools: ["Bash started", "Bash completed", "Bash started", "Bash completed"],
  },
  "loop.budget": {
    code: "BATON_BUDGET_EXCEEDED",
    sessionId: "f7f33225-bbbc-4955-a775-223445359649",
    usage: used(sonnet, 2400, 170, 600, 80, 0.01023),
    turns: 2,
    tools: ["Bash started", "Bash completed", "Bash started"],
  },
  // Killed, so there is no result line. The input side of its requests is known and counted.
  "mid-kill.termgroup": {
    code: null,
    finished: false,
    sessionId: "66ab0a29-c3b7-46fb-b94c-309622c7dafd",
    text: "Sleeping.",
    usage: used(sonnet, 1200, 0, 300, 40, null),
    turns: 1,
    tools: ["Bash started", "Bash failed"],
  },
};

const gpt = "gpt-5.1-codex";
const commanded = ["command started", "command completed"];
const codexCases: Record<string, Case> = {
  success: {
    code: null,
    sessionId: "01a1fbbb-b2d4-7540-a115-94f90ddef422",
    text: done,
    usage: used(gpt, 1450, 110, 1840, 0, null),
    turns: 2,
    tools: commanded,
  },
  "success.first": {
    code: null,
    sessionId: "01a1fbc2-95ef-7482-af90-e87f59f34da4",
    usage: used(gpt, 1450, 110, 1840, 0, null),
    turns: 2,
    tools: commanded,
  },
  // Less the 3,290 in (1,840 of them cached) and 110 out of the first attempt. See `resumedCodex`.
  "followup.resumed": {
    code: null,
    sessionId: "01a1fbc2-95ef-7482-af90-e87f59f34da4",
    text: "Yes, I remember.",
    usage: used(gpt, 84, 11, 700, 0, null),
    turns: 1,
  },
  "commit.wt": {
    code: null,
    sessionId: "01a1fbc6-4c46-75e2-b4d5-3b4cec94ca93",
    usage: used(gpt, 2690, 195, 2140, 0, null),
    turns: 3,
    tools: commanded,
  },
  badtool: {
    code: null,
    sessionId: "01a1fbca-d991-7cf0-a320-4db83e5d3230",
    usage: used(gpt, 1450, 110, 1840, 0, null),
    turns: 1,
  },
  mcp: {
    code: null,
    sessionId: "01a1fbc8-42b8-7b41-9666-8614b267ac5c",
    usage: used(gpt, 1450, 110, 1840, 0, null),
    turns: 1,
    tools: ["echo started", "echo completed"],
  },
  flaky429: {
    code: null,
    sessionId: "01a1fbc6-51de-7040-967e-70ba67eac8bd",
    usage: used(gpt, 1450, 110, 1840, 0, null),
    turns: 2,
    tools: commanded,
    retries: [429, 429],
  },
  err401: {
    code: "BATON_HARNESS_AUTH",
    givesUp: "BATON_HARNESS_AUTH",
    sessionId: "01a1fbbe-6a59-7c91-9b97-c2e56f4df342",
    usage: [],
    turns: 0,
    retries: [401, 401, 401, 401, 401],
  },
  err429: {
    code: "BATON_HARNESS_QUOTA",
    sessionId: "01a1fbc1-1059-76f3-a0ac-d0c810951f9c",
    usage: [],
    turns: 0,
  },
  refuse: {
    code: "BATON_HARNESS_REFUSED",
    sessionId: "01a1fbbe-cdec-7c12-8ab0-2b0f640f2936",
    usage: used(gpt, 1240, 85, 300, 0, null),
    turns: 1,
  },
  "mid-kill.termgroup": {
    code: null,
    finished: false,
    sessionId: "01a1fbcc-769c-76a2-bdfb-52d786e463a5",
    text: "Sleeping.",
    usage: [],
    turns: 1,
    tools: ["command started"],
  },
};

const piCases: Record<string, Case> = {
  badtool: {
    code: null,
    sessionId: "01a1fbca-f878-7557-8f7d-198f14ec9b91",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1350, 110, 1840, 100, null),
    tools: ["no_such_tool started", "no_such_tool failed"],
  },
  "commit.wt": {
    code: null,
    sessionId: "01a1fbc6-7079-749e-b473-9f4c83407c2f",
    text: "Done: hello.txt exists.",
    turns: 3,
    usage: used("fake-model", 2550, 195, 2140, 140, null),
    tools: ["write started", "write completed", "bash started", "bash completed"],
  },
  err401: {
    code: "BATON_HARNESS_AUTH",
    sessionId: "01a1fbbe-ba07-750a-8769-7caf9d1ec03f",
    text: "",
    turns: 0,
    usage: [],
  },
  err429: {
    code: "BATON_HARNESS_QUOTA",
    sessionId: "01a1fbc2-0740-7583-b8da-4a9765f7bf06",
    text: "",
    turns: 0,
    usage: [],
    retries: [429, 429, 429],
  },
  flaky429: {
    code: null,
    sessionId: "01a1fbc6-a761-7257-82dc-a777d0e5073d",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1350, 110, 1840, 100, null),
    tools: ["write started", "write completed"],
    retries: [429, 429],
  },
  "followup.resumed": {
    code: null,
    sessionId: "01a1fbc2-dafc-7788-b880-f4a407e7f6e3",
    text: "Yes, I remember.",
    turns: 1,
    usage: used("fake-model", 77, 11, 700, 7, null),
  },
  "mid-kill.termgroup": {
    code: null,
    sessionId: "01a1fbcc-afcf-766a-ab4b-cbf2e3085aae",
    text: "Sleeping.",
    turns: 1,
    finished: false,
    usage: used("fake-model", 1200, 85, 300, 40, null),
    tools: ["bash started"],
  },
  refuse: {
    code: "BATON_HARNESS_REFUSED",
    sessionId: "01a1fbbf-36de-7346-8ffd-e5e4feb62a1b",
    text: "I can't help with that.",
    turns: 1,
    usage: used("fake-model", 1200, 85, 300, 40, null),
  },
  "success.first": {
    code: null,
    sessionId: "01a1fbc2-dafc-7788-b880-f4a407e7f6e3",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1350, 110, 1840, 100, null),
    tools: ["write started", "write completed"],
  },
  success: {
    code: null,
    sessionId: "01a1fbbb-e3ae-743d-9488-07afa156233c",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1350, 110, 1840, 100, null),
    tools: ["write started", "write completed"],
  },
};

// It prints no usage, and only the words of a refusal. The session's own file has both (`sumOf`).
const copilotCases: Record<string, Case> = {
  badtool: {
    code: null,
    sessionId: "393da3d8-01f9-4b22-a41c-700725b470e9",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: [],
    tools: ["no_such_tool started", "no_such_tool failed"],
  },
  "commit.wt": {
    code: null,
    sessionId: "1d1f9127-61f4-4bde-b523-53693ed8c869",
    text: "Done: hello.txt exists.",
    turns: 3,
    usage: [],
    tools: ["create started", "create completed", "bash started", "bash completed"],
  },
  err401: {
    code: "BATON_HARNESS_AUTH",
    sessionId: "ef824033-2125-4b5d-bde8-cc58b218a1da",
    text: "",
    turns: 0,
    givesUp: "BATON_HARNESS_AUTH",
    usage: [],
    retries: [401, 401, 401],
  },
  err429: {
    code: "BATON_HARNESS_QUOTA",
    sessionId: "1f0808b1-c2d2-4d49-873f-f1b9653c3813",
    text: "",
    turns: 0,
    givesUp: "BATON_HARNESS_QUOTA",
    usage: [],
    retries: [429, 429, 429, 429, 429, 429],
  },
  flaky429: {
    code: null,
    sessionId: "d6e4ac79-b76c-4d23-ba1a-9336c1480045",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: [],
    tools: ["create started", "create completed"],
    retries: [429, 429],
  },
  "followup.resumed": {
    code: null,
    sessionId: "ab1be4bb-18b0-4f27-ae77-6ad05a6432a4",
    text: "Yes, I remember.",
    turns: 1,
    usage: [],
  },
  mcp: {
    code: null,
    sessionId: "f67c78c3-1d80-4cbf-8b3f-c180dc7c52ee",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: [],
    tools: ["echo-echo started", "echo-echo completed"],
  },
  "mid-kill.termgroup": {
    code: null,
    sessionId: null,
    text: "Sleeping.",
    turns: 1,
    finished: false,
    usage: [],
    tools: ["bash started"],
  },
  refuse: {
    code: null,
    sessionId: "10d0350c-917e-42de-85ed-001e0c25e16d",
    text: "I can't help with that.",
    turns: 1,
    usage: [],
  },
  "success.first": {
    code: null,
    sessionId: "ab1be4bb-18b0-4f27-ae77-6ad05a6432a4",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: [],
    tools: ["create started", "create completed"],
  },
  success: {
    code: null,
    sessionId: "0d9a4af7-2081-414f-a5a6-90c6287fa382",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: [],
    tools: ["create started", "create completed"],
  },
};

// Only its log shows retries. A killed step has printed no usage.
const opencodeCases: Record<string, Case> = {
  badtool: {
    code: null,
    sessionId: "ses_e04351acaffe52q93M0gdEIEBZ",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1450, 110, 1840, 0, null),
    tools: ["invalid started", "invalid failed"],
  },
  "commit.wt": {
    code: null,
    sessionId: "ses_e0439a26effexm6FgEAtMWkyjj",
    text: "Done: hello.txt exists.",
    turns: 3,
    usage: used("fake-model", 2690, 195, 2140, 0, null),
    tools: ["write started", "write completed", "bash started", "bash completed"],
  },
  err401: { code: "BATON_HARNESS_AUTH", sessionId: "ses_e04416571ffesZykWWt1GAkZUh", text: "", turns: 0, usage: [] },
  err429: { code: "BATON_HARNESS_QUOTA", sessionId: "ses_e043ee376ffe0ramBGC2nCrBo6", text: "", turns: 0, usage: [] },
  flaky429: {
    code: null,
    sessionId: "ses_e0439901bffeusbwsI1q2kf0kn",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1450, 110, 1840, 0, null),
    tools: ["write started", "write completed"],
  },
  "followup.resumed": {
    code: null,
    sessionId: "ses_e043d4e14ffec8DG5sdnekUwQ0",
    text: "Yes, I remember.",
    turns: 1,
    usage: used("fake-model", 84, 11, 700, 0, null),
  },
  mcp: {
    code: null,
    sessionId: "ses_e04363375ffeVSl88L9Dj0GMUa",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1450, 110, 1840, 0, null),
    tools: ["echo_echo started", "echo_echo completed"],
  },
  "mid-kill.termgroup": {
    code: null,
    sessionId: "ses_e0430a446ffeuR8rTdkAoYRmn4",
    text: "Sleeping.",
    turns: 0,
    finished: false,
    usage: [],
  },
  refuse: {
    code: "BATON_HARNESS_REFUSED",
    sessionId: "ses_e0440fbe5ffeIdPxnAVmOdgw6m",
    text: "",
    turns: 1,
    usage: used("fake-model", 1240, 85, 300, 0, null),
  },
  "success.first": {
    code: null,
    sessionId: "ses_e043d4e14ffec8DG5sdnekUwQ0",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1450, 110, 1840, 0, null),
    tools: ["write started", "write completed"],
  },
  success: {
    code: null,
    sessionId: "ses_e0444354effe50TeB2g40czvNY",
    text: "Done: hello.txt exists.",
    turns: 2,
    usage: used("fake-model", 1450, 110, 1840, 0, null),
    tools: ["write started", "write completed"],
  },
};

const flash = "gemini-2.5-flash";
const geminiTurns = used(flash, 1450, 110, 1840, 0, null);
const geminiWritten = ["write_file started", "write_file completed"];

const geminiCases: Record<string, Case> = {
  badtool: {
    code: null,
    sessionId: "344095be-30b7-45d1-89ff-15f36b15d1be",
    text: done,
    turns: 2,
    usage: geminiTurns,
    tools: ["no_such_tool started", "no_such_tool failed"],
  },
  "commit.wt": {
    code: null,
    sessionId: "7af5d417-3a7c-4d6b-94b0-f7c6b70b31b1",
    text: done,
    turns: 3,
    usage: used(flash, 2690, 195, 2140, 0, null),
    tools: [...geminiWritten, "run_shell_command started", "run_shell_command completed"],
  },
  err401: {
    code: "BATON_HARNESS_AUTH",
    sessionId: "efd9016f-2a49-4d29-aee0-746bf06e4f6e",
    text: "",
    turns: 0,
    usage: [],
  },
  // The CLI was still retrying when Baton stopped it. Standard error shows its tries.
  err429: {
    code: null,
    finished: false,
    sessionId: "c0320ae4-87cc-4665-b209-6377cc0658ae",
    text: "",
    turns: 0,
    usage: [],
  },
  flaky429: {
    code: null,
    sessionId: "c76b59d5-abe7-470c-8f75-e3563ee423bf",
    text: done,
    turns: 2,
    usage: geminiTurns,
    tools: geminiWritten,
  },
  "followup.resumed": {
    code: null,
    sessionId: "35de98df-04a6-4497-91e0-f61c013ffb8b",
    text: "Yes, I remember.",
    turns: 1,
    usage: used(flash, 84, 11, 700, 0, null),
  },
  mcp: {
    code: null,
    sessionId: "6d35a53d-d4f0-4b51-84b4-47187f4b860c",
    text: done,
    turns: 2,
    usage: geminiTurns,
    tools: ["mcp_lab_lab_echo started", "mcp_lab_lab_echo completed"],
  },
  "mid-kill.termgroup": {
    code: null,
    finished: false,
    sessionId: "5473b128-7c55-4099-b107-8a90a85ead42",
    text: "Sleeping.",
    turns: 1,
    usage: [],
    tools: ["run_shell_command started"],
  },
  // Exit code 0.
  refuse: {
    code: "BATON_HARNESS_REFUSED",
    sessionId: "c29a3d90-ed60-4e4b-a799-edd2cd4bfffa",
    text: "",
    turns: 0,
    usage: used(flash, 4960, 340, 1200, 0, null),
  },
  "success.first": {
    code: null,
    sessionId: "35de98df-04a6-4497-91e0-f61c013ffb8b",
    text: done,
    turns: 2,
    usage: geminiTurns,
    tools: geminiWritten,
  },
  success: {
    code: null,
    sessionId: "479760c0-7d29-46ee-b1fc-f551169bf8c4",
    text: done,
    turns: 2,
    usage: geminiTurns,
    tools: geminiWritten,
  },
};

const resumedCodex = {
  before: { input: 1450, output: 110, cacheRead: 1840, cacheWrite: 0 },
  now: () => null,
};
const codexReader = (name: string): CodexReader =>
  name === "followup.resumed" ? new CodexReader(gpt, resumedCodex) : new CodexReader(gpt);

const suites: [string, Record<string, Case>, (name: string) => StreamReader][] = [
  ["claude", claudeCases, () => new ClaudeCodeReader()],
  ["codex", codexCases, codexReader],
  ["opencode", opencodeCases, () => new OpencodeReader("fake-model")],
  ["pi", piCases, () => new PiReader()],
  ["copilot", copilotCases, () => new CopilotReader()],
  ["gemini", geminiCases, () => new GeminiReader()],
];

describe.each(suites)("recorded streams of %s", (cli, cases, create) => {
  it.each(Object.entries(cases))("%s", (name, expected) => {
    const reader = create(name);
    const { events, end } = read(reader, `${cli}.${name}`);
    expect(end.error?.code ?? null).toBe(expected.code);
    expect(reader.giveUp?.code).toBe(expected.givesUp);
    expect(end).toMatchObject({
      finished: expected.finished ?? true,
      sessionId: expected.sessionId,
      usage: expected.usage,
      turns: expected.turns,
    });
    expect(end.text).toBe(expected.text ?? end.text);
    const tools = events.flatMap((event) => (event.type === "tool" ? [`${event.name} ${event.state}`] : []));
    expect(tools).toEqual(expected.tools ?? []);
    const retries = events.flatMap((event) => (event.type === "retry" ? [event.status] : []));
    expect(retries).toEqual(expected.retries ?? []);
    expect(events.filter(({ type }) => type === "session")).toMatchObject(
      expected.sessionId === null ? [] : [{ sessionId: expected.sessionId }],
    );
    // The last usage event equals the result. Live figures and final ones never disagree.
    const last = events.findLast(({ type }) => type === "usage");
    expect(last === undefined ? [] : [last]).toEqual(expected.usage.map((one) => ({ type: "usage", ...one })));
  });

  it("every recorded stream is in the table", () => {
    const recorded = readdirSync(fixtures).filter((file) => file.startsWith(`${cli}.`));
    expect(recorded.map((file) => file.slice(cli.length + 1, -".jsonl".length)).sort()).toEqual(
      Object.keys(cases).sort(),
    );
  });
});

describe("Claude Code", () => {
  const take = (reader: StreamReader, ...events: object[]): HarnessEvent[] =>
    events.flatMap((event) => reader.take(JSON.stringify(event), "stdout"));
  const init = { type: "system", subtype: "init", session_id: "s-1", model: sonnet };
  const start = (id: string, model: string, input: number) => ({
    type: "stream_event",
    event: { type: "message_start", message: { id, model, usage: { input_tokens: input, output_tokens: 1 } } },
  });
  const delta = (output: number) => ({
    type: "stream_event",
    event: { type: "message_delta", usage: { output_tokens: output } },
  });

  it("output tokens come from the stream, not from the stale count of the assistant line", () => {
    const reader = new ClaudeCodeReader();
    const message = { id: "m1", model: sonnet, usage: { input_tokens: 10, output_tokens: 1 }, content: [] };
    take(reader, init, start("m1", sonnet, 10), { type: "assistant", message }, delta(321));
    expect(reader.end().usage).toEqual(used(sonnet, 10, 321, 0, 0, null));
  });

  it("a subagent's model is counted on its own, and a dated name as the name that was asked for", () => {
    const reader = new ClaudeCodeReader();
    take(reader, init, start("m1", `${sonnet}-20250929`, 10), delta(5), start("m2", "claude-haiku-4-5", 7), delta(3));
    expect(reader.end().usage).toEqual([
      ...used(sonnet, 10, 5, 0, 0, null),
      ...used("claude-haiku-4-5", 7, 3, 0, 0, null),
    ]);
  });

  it("pieces of the stream are not kept in the transcript, whole lines are", () => {
    const reader = new ClaudeCodeReader();
    expect(reader.keeps(JSON.stringify(delta(1)))).toBe(false);
    expect(reader.keeps(JSON.stringify(init))).toBe(true);
  });

  it("a denied tool is told", () => {
    const denials = [{ tool_name: "Bash", tool_input: { command: "rm -r ." } }];
    const result = { type: "result", subtype: "success", is_error: false, permission_denials: denials };
    expect(take(new ClaudeCodeReader(), init, result)).toContainEqual({
      type: "warning",
      text: "Not permitted: Bash rm -r .",
    });
  });

  it.each([429, 500, 529])("gives up at the third retry of a %i", (status) => {
    const reader = new ClaudeCodeReader();
    const retry = (attempt: number) => ({ type: "system", subtype: "api_retry", attempt, error_status: status });
    take(reader, init, retry(1), retry(2));
    expect(reader.giveUp).toBeNull();
    take(reader, retry(3));
    expect(reader.giveUp?.code).toBe(status === 429 ? "BATON_HARNESS_QUOTA" : "BATON_HARNESS_UNAVAILABLE");
  });
});

describe("Codex", () => {
  it("counts what runs from the session's file, less what earlier attempts used", () => {
    const tokens = { input: 110, output: 12, cacheRead: 1000, cacheWrite: 0 };
    const reader = new CodexReader(gpt, {
      before: { input: 100, output: 10, cacheRead: 900, cacheWrite: 0 },
      now: () => tokens,
    });
    reader.take('{"type":"thread.started","thread_id":"t-1"}', "stdout");
    const events = reader.take('{"type":"item.completed","item":{"type":"agent_message","text":"One."}}', "stdout");
    expect(events).toContainEqual({ type: "usage", ...used(gpt, 10, 2, 100, 0, null)[0] });
    tokens.output = 40;
    expect(reader.end()).toMatchObject({ finished: false, usage: used(gpt, 10, 30, 100, 0, null) });
  });

  it("cache writes are not counted as input a second time", () => {
    const reader = new CodexReader(gpt);
    const usage = { input_tokens: 100, cached_input_tokens: 30, cache_write_input_tokens: 20, output_tokens: 5 };
    reader.take(JSON.stringify({ type: "turn.completed", usage }), "stdout");
    expect(reader.end().usage).toEqual(used(gpt, 50, 5, 30, 20, null));
  });
});

describe("Copilot CLI", () => {
  const record = (more: object): string =>
    JSON.stringify({
      type: "session.usage_record",
      data: {
        usage: {
          model: sonnet,
          inputTokens: 1540,
          outputTokens: 85,
          cacheReadTokens: 300,
          cacheWriteTokens: 40,
          ...more,
        },
      },
    });

  it("sums the answers of its file; cached tokens are not input a second time", () => {
    const sum = sumOf([record({ finishReason: "tool_calls" }), record({ finishReason: "stop", outputTokens: 5 })]);
    expect(sum).toEqual({ usage: used(sonnet, 2400, 90, 600, 80, null), finishReason: "stop" });
  });

  it("an answer that the service filtered is a refusal, though the CLI ends well", () => {
    const reader = new CopilotReader("s-1", { read: () => sumOf([record({ finishReason: "content_filter" })]) });
    expect(read(reader, "copilot.refuse").end).toMatchObject({
      finished: true,
      error: { code: "BATON_HARNESS_REFUSED", message: expect.stringContaining("I can't help with that.") },
    });
  });
});

describe("Gemini CLI", () => {
  const tries = (reader: GeminiReader, ...lines: string[]): HarnessEvent[] =>
    lines.flatMap((line) => reader.take(line, "stderr"));
  const failed = (attempt: number, status: number): string =>
    `Attempt ${attempt} failed with status ${status}. Retrying with backoff... _ApiError: {"error":{"code":${status}}}`;
  const result = (message: string): string =>
    JSON.stringify({ type: "result", status: "error", error: { type: "unknown", message }, stats: {} });

  it("reads its tries from standard error and stops the third", () => {
    const reader = new GeminiReader();
    expect(tries(reader, failed(1, 429), failed(2, 429))).toMatchObject([
      { type: "retry", status: 429, attempt: 1 },
      { type: "retry", status: 429, attempt: 2 },
    ]);
    expect(reader.giveUp).toBeNull();
    tries(reader, failed(3, 429));
    expect(reader.giveUp?.code).toBe("BATON_HARNESS_QUOTA");
  });

  it("does not sit out a long pause that the service asks for", () => {
    const reader = new GeminiReader();
    tries(reader, "Attempt 1 failed: Please retry in 47s.. Retrying after 51234ms...");
    expect(reader.giveUp).toMatchObject({ code: "BATON_HARNESS_QUOTA", retryAfterMs: 51_234 });
  });

  it.each([
    ["its last words have no status: that of its tries counts", "[API Error: Slow down]", "BATON_HARNESS_QUOTA"],
    [
      "a key that Google calls a bad request",
      '[API Error: {"error":{"code":400,"message":"API key not valid."}}]',
      "BATON_HARNESS_AUTH",
    ],
    ["a fault", '[API Error: {"error":{"code": 503}}]', "BATON_HARNESS_UNAVAILABLE"],
  ] as const)("%s", (_, message, code) => {
    const reader = new GeminiReader();
    tries(reader, failed(1, 429), "Attempt 3 failed: Slow down. Max attempts reached");
    reader.take(result(message), "stdout");
    expect(reader.end().error?.code).toBe(code);
  });

  it("thoughts are output, though it leaves them out of its count", () => {
    const reader = new GeminiReader();
    const models = { [flash]: { total_tokens: 190, input_tokens: 100, output_tokens: 30, cached: 40, input: 60 } };
    reader.take(JSON.stringify({ type: "result", status: "success", stats: { models } }), "stdout");
    expect(reader.end()).toMatchObject({ error: null, usage: used(flash, 60, 90, 40, 0, null) });
  });

  it("counts what runs by the session's file: each answer once, none of earlier attempts", () => {
    const answer = (id: string, output: number): string =>
      JSON.stringify({
        id,
        type: "gemini",
        model: flash,
        tokens: { input: 100, cached: 40, output, thoughts: 5, tool: 0 },
      });
    const lines = ['{"type":"user"}', answer("old", 9), answer("a", 10), answer("a", 20), "{cut"];
    expect(sumOfAnswers(lines, [answer("old", 9)])).toEqual(used(flash, 60, 25, 40, 0, null));
    const reader = new GeminiReader(() => sumOfAnswers(lines, []));
    const events = reader.take('{"type":"tool_result","status":"success"}', "stdout");
    expect(events).toContainEqual({ type: "usage", ...used(flash, 120, 39, 80, 0, null)[0] });
  });

  it("where an error came from is no warning", () => {
    const reader = new GeminiReader();
    expect(reader.warns("    at throwErrorIfNotOK (chunk.js:1:2)")).toBe(false);
    expect(reader.warns("Error executing tool run_shell_command: no")).toBe(true);
  });
});

describe("OpenCode", () => {
  const failed = (why: string, small = "false"): string =>
    `timestamp=0 level=ERROR message="stream error" providerID=baton small=${small} agent=build error.error="AI_APICallError: ${why}"`;

  it("reads retries from the log and stops the third in a row", () => {
    const reader = new OpencodeReader(sonnet);
    const events = [1, 2].flatMap(() => reader.take(failed("Too many requests"), "stderr"));
    expect(events).toMatchObject([
      { type: "retry", status: 429, attempt: 1 },
      { type: "retry", status: 429, attempt: 2 },
    ]);
    expect(reader.giveUp).toBeNull();
    reader.take(failed("Internal error"), "stderr");
    expect(reader.giveUp?.code).toBe("BATON_HARNESS_UNAVAILABLE");
  });

  it("an answer in between begins the count anew; failed titles are not counted", () => {
    const reader = new OpencodeReader(sonnet);
    reader.take(failed("no"), "stderr");
    reader.take(failed("no"), "stderr");
    reader.take('{"type":"step_finish","part":{"reason":"tool-calls"}}', "stdout");
    reader.take(failed("no"), "stderr");
    reader.take(failed("no", "true"), "stderr");
    reader.take(failed("no", "true"), "stderr");
    expect(reader.giveUp).toBeNull();
  });
});

describe("any output", () => {
  const readers: [string, () => StreamReader][] = [
    ["claude-code", () => new ClaudeCodeReader()],
    ["codex", () => new CodexReader(gpt)],
    ["command", () => new CommandReader()],
    ["pi", () => new PiReader()],
    ["opencode", () => new OpencodeReader("m")],
    ["copilot", () => new CopilotReader("s-1")],
    ["gemini", () => new GeminiReader()],
  ];
  const types =
    "init message tool_use tool_result message_end tool_execution_start auto_retry_start assistant.message tool.execution_complete model.call_failure session.error system assistant user result stream_event text usage error session tool thread.started item.started item.completed turn.completed turn.failed";
  const keys =
    "stats models status severity tool_id data toolName statusCode errorMessage stopReason role message content usage item error event subtype modelUsage session_id type input_tokens permission_denials num_turns text changes model id attempt";
  const type = fc.constantFrom(...types.split(" "));
  const key = fc.constantFrom(...keys.split(" "));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, -1, 1.5, Number.MAX_VALUE, "", "api_retry", "init", "text", "tool_use", true),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  })).any;
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(type, fc.dictionary(key, value, { maxKeys: 5 }))
      .map(([name, more]) => JSON.stringify({ ...more, type: name })),
    fc
      .tuple(type, fc.nat(60))
      .map(([name, cut]) => JSON.stringify({ type: name, message: { content: [] } }).slice(0, cut)),
  );

  it.each(readers)("%s throws at none, and its counts stay whole numbers", (_, create) => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const reader = create();
        for (const one of lines) reader.take(one, "stdout");
        for (const { tokens } of reader.end().usage)
          for (const count of Object.values(tokens)) expect(Number.isInteger(count) && count >= 0).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
