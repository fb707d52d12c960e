import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { acpAgent } from "../../src/adapters/harness/acp/harness.ts";
import { claudeCode } from "../../src/adapters/harness/claude-code/harness.ts";
import { codex } from "../../src/adapters/harness/codex/harness.ts";
import { commandHarness } from "../../src/adapters/harness/command/harness.ts";
import { copilot } from "../../src/adapters/harness/copilot/harness.ts";
import { gemini } from "../../src/adapters/harness/gemini/harness.ts";
import { opencode } from "../../src/adapters/harness/opencode/harness.ts";
import { pi } from "../../src/adapters/harness/pi/harness.ts";
import { harnessContract } from "./harness.ts";

/** The same grace, but shorter, so that nobody waits for it more than once a suite. */
vi.mock("../../src/core/limits.ts", async (load) => {
  const { limits } = await load<typeof import("../../src/core/limits.ts")>();
  return { limits: { ...limits, killGraceMs: 700 } };
});

const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/harness/${name}.jsonl`, import.meta.url)), "utf8");

harnessContract({
  name: "command",
  create: (program) => commandHarness({ command: [program], keys: { EXAMPLE_KEY: "example-key-4f1d9c22" } }),
  key: { name: "EXAMPLE_KEY", value: "example-key-4f1d9c22" },
  variables: ["BATON_PROMPT_FILE", "BATON_ACCESS", "BATON_MODEL"],
  stream: fixture("command.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "session-1",
    usage: [
      {
        model: "example-model",
        tokens: { input: 1350, output: 110, cacheRead: 1840, cacheWrite: 100 },
        costUsd: 0.0066,
      },
    ],
  },
  silentSuccess: true,
  launch: {
    model: "env BATON_MODEL=model-nine",
    systemPrompt: /^input Rule seven: be brief\. .*Say hi/m,
    readOnly: /^env BATON_ACCESS=read-only$/m,
    write: /^env BATON_ACCESS=write$/m,
    toolServers: null,
  },
  installLine: /BATON_HARNESS_COMMAND/,
});

/** It speaks the protocol and then becomes the program. */
const acpFake = fileURLToPath(new URL("../fakes/acp/agent.mjs", import.meta.url));

harnessContract({
  name: "acp",
  create: (program) =>
    acpAgent({
      name: "my-agent",
      command: existsSync(program) ? [acpFake, program] : [program],
      keys: { EXAMPLE_KEY: "example-key-4f1d9c22" },
    }),
  key: { name: "EXAMPLE_KEY", value: "example-key-4f1d9c22" },
  variables: [],
  stream: fixture("acp.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "acp-session-1",
    usage: [
      { model: "my-agent", tokens: { input: 1350, output: 110, cacheRead: 1840, cacheWrite: 100 }, costUsd: 0.0125 },
    ],
  },
  silentSuccess: false,
  installLine: /BATON_ACP_AGENTS/,
});

harnessContract({
  name: "claude-code",
  create: (binary) => claudeCode({ binary, apiKey: "sk-test-claude-4f1d9c22", baseUrl: undefined }),
  key: { name: "ANTHROPIC_API_KEY", value: "sk-test-claude-4f1d9c22" },
  variables: ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "ENABLE_TOOL_SEARCH"],
  stream: fixture("claude.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "87c6c9df-af3f-4165-929e-941c939d7d6a",
    usage: [
      {
        model: "claude-sonnet-4-5",
        tokens: { input: 1350, output: 110, cacheRead: 1840, cacheWrite: 100 },
        costUsd: 0.006626999999999999,
      },
    ],
  },
  silentSuccess: false,
  launch: {
    model: "argument --model model-nine",
    systemPrompt: /^argument --append-system-prompt Rule seven/m,
    readOnly: /^argument --permission-mode plan\n(?:.*\n)*argument --tools (?!.*(?:Bash|Edit|,Write))/m,
    write: /^argument --permission-mode acceptEdits\n(?:.*\n)*argument --tools .*Bash,Edit,Write/m,
    toolServers:
      /^argument --mcp-config .*"words":.*"command":"\/bin\/words-server","args":\["--quiet"\].*"WORDS":"some"/m,
  },
  installLine: /npm install --global @anthropic-ai\/claude-code/,
});

harnessContract({
  name: "codex",
  create: (binary) =>
    codex({ binary, apiKey: "sk-test-codex-4f1d9c22", baseUrl: undefined, checkSandbox: async () => null }),
  key: { name: "OPENAI_API_KEY", value: "sk-test-codex-4f1d9c22" },
  variables: ["CODEX_HOME"],
  stream: fixture("codex.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "01a1fbbb-b2d4-7540-a115-94f90ddef422",
    usage: [
      { model: "gpt-6.1-sol", tokens: { input: 1450, output: 110, cacheRead: 1840, cacheWrite: 0 }, costUsd: null },
    ],
  },
  silentSuccess: false,
  launch: {
    model: "argument -m model-nine",
    systemPrompt: /^argument -c developer_instructions="Rule seven/m,
    readOnly: /^argument -s read-only$/m,
    write: /^argument -s workspace-write$/m,
    toolServers: /^argument -c mcp_servers\.words\.command="\/bin\/words-server"$/m,
  },
  installLine: /npm install --global @openai\/codex/,
});

harnessContract({
  name: "copilot",
  create: (binary) => copilot({ binary, apiKey: "sk-test-copilot-4f1d9c22", baseUrl: undefined }),
  key: { name: "COPILOT_PROVIDER_API_KEY", value: "sk-test-copilot-4f1d9c22" },
  variables: ["COPILOT_PROVIDER_BASE_URL", "COPILOT_PROVIDER_TYPE", "COPILOT_MODEL", "COPILOT_OFFLINE"],
  stream: fixture("copilot.success"),
  // Usage is in a file that only the real CLI writes: `test/harnesses-real`.
  expected: { text: "Done: hello.txt exists.", sessionId: "0d9a4af7-2081-414f-a5a6-90c6287fa382", usage: [] },
  sessionAtEnd: true,
  silentSuccess: false,
  launch: {
    model: "env COPILOT_MODEL=model-nine",
    systemPrompt: /^input Rule seven: be brief\. .*Say hi/m,
    readOnly: /^argument .*--available-tools=(?!.*(?:bash|edit|create))/m,
    write: /^argument (?!(?:.*\n)*.*--available-tools)/,
    toolServers: /^argument --additional-mcp-config .*"words":.*"\/bin\/words-server"/m,
  },
  installLine: /npm install --global @github\/copilot/,
});

harnessContract({
  name: "gemini",
  create: (binary) => gemini({ binary, apiKey: "AIza-test-gemini-4f1d9c22", baseUrl: undefined }),
  key: { name: "GEMINI_API_KEY", value: "AIza-test-gemini-4f1d9c22" },
  variables: ["GEMINI_CLI_TRUST_WORKSPACE", "GEMINI_CLI_NO_RELAUNCH"],
  stream: fixture("gemini.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "479760c0-7d29-46ee-b1fc-f551169bf8c4",
    usage: [
      {
        model: "gemini-2.5-flash",
        tokens: { input: 1450, output: 110, cacheRead: 1840, cacheWrite: 0 },
        costUsd: null,
      },
    ],
  },
  silentSuccess: false,
  launch: {
    model: "argument -m model-nine",
    systemPrompt: /^file baton-[\w-]+\.md: Rule seven/m,
    readOnly: /^file baton\.toml: .*toolName = "\*" decision = "deny"/m,
    write: /^file baton\.toml: .*toolName = "\*" decision = "allow"/m,
    // It starts no servers in untrusted folders.
    toolServers: null,
  },
  installLine: /npm install --global @google\/gemini-cli/,
});

harnessContract({
  name: "pi",
  create: (binary) => pi({ binary, apiKey: "sk-test-pi-4f1d9c22", baseUrl: undefined }),
  key: { name: "ANTHROPIC_API_KEY", value: "sk-test-pi-4f1d9c22" },
  variables: ["PI_OFFLINE", "PI_TELEMETRY"],
  stream: fixture("pi.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "01a1fbbb-e3ae-743d-9488-07afa156233c",
    usage: [
      { model: "fake-model", tokens: { input: 1350, output: 110, cacheRead: 1840, cacheWrite: 100 }, costUsd: null },
    ],
  },
  silentSuccess: false,
  launch: {
    model: "argument --model model-nine",
    systemPrompt: /^argument --append-system-prompt Rule seven/m,
    readOnly: /^argument --tools (?!.*(?:bash|edit|write))/m,
    write: /^argument (?!(?:.*\n)*argument --tools)/,
    toolServers: null,
  },
  installLine: /npm install --global @earendil-works\/pi-coding-agent/,
});

harnessContract({
  name: "opencode",
  create: (binary) => opencode({ binary, apiKey: "sk-test-opencode-4f1d9c22", baseUrl: undefined }),
  key: { name: "ANTHROPIC_API_KEY", value: "sk-test-opencode-4f1d9c22" },
  variables: [
    "OPENCODE_CONFIG_CONTENT",
    "OPENCODE_DISABLE_PROJECT_CONFIG",
    "OPENCODE_DISABLE_CLAUDE_CODE",
    "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_MODELS_FETCH",
    "OPENCODE_DISABLE_LSP_DOWNLOAD",
  ],
  stream: fixture("opencode.success"),
  expected: {
    text: "Done: hello.txt exists.",
    sessionId: "ses_e0444354effe50TeB2g40czvNY",
    usage: [
      {
        model: "claude-sonnet-5-5",
        tokens: { input: 1450, output: 110, cacheRead: 1840, cacheWrite: 0 },
        costUsd: null,
      },
    ],
  },
  silentSuccess: false,
  launch: {
    model: "argument -m baton/model-nine",
    systemPrompt: /^file instructions\.md: Rule seven/m,
    readOnly: /^env OPENCODE_CONFIG_CONTENT=.*"edit":"deny","bash":"deny","task":"deny"/m,
    write: /^env OPENCODE_CONFIG_CONTENT=.*"edit":"allow","bash":"allow","task":"allow"/m,
    toolServers:
      /^env OPENCODE_CONFIG_CONTENT=.*"words":\{"type":"local","command":\["\/bin\/words-server","--quiet"\]/m,
  },
  installLine: /npm install --global opencode-ai/,
});
