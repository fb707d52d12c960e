/** The adapters over the real CLIs, with a scripted model on loopback. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findByMarker } from "../../src/adapters/child/survivors.ts";
import { defaultModelOf } from "../../src/config/models.ts";
import type { Tool } from "../../src/core/instructions.ts";
import type { HarnessEvent } from "../../src/ports/harness.ts";
import type { Turn } from "../fakes/model-server.ts";
import { type Bench, realHarness, setBench, toolServerPath } from "./bench.ts";
import { type CliName, chosenClis, cliPath } from "./cli.ts";

interface Expected {
  name: CliName;
  model: string;
  /** Whether cache writes are on the wire. */
  cacheWrites: boolean;
  costUsd: string | undefined;
  /** Additional time until its first request on a busy machine, beyond the tests' usual time. */
  startMs?: number;
  /** A killed step has not reported its usage. */
  uncountedWhenKilled?: true;
  /** The CLI writes its usage some time after the answer. */
  late?: true;
  /** It does not retry after a connection ends within an answer: Baton does that. */
  endsWhenCut?: true;
  /** It uses the tool servers that Baton names. */
  toolServers: boolean;
  /** The answer to the model when it tries to write without permission. */
  readOnlyAnswer: RegExp;
  /** The retries that Baton allows the CLI on a service that fails permanently. */
  requestsMax: { unauthorised: number; limited: number; failing: number };
}

const clis: Expected[] = [
  {
    name: "claude-code",
    model: defaultModelOf("claude-code"),
    cacheWrites: true,
    costUsd: "0.004234",
    toolServers: true,
    readOnlyAnswer:
      /plan mode|was not run|requires? approval|not (?:been )?(?:granted|permitted|allowed)|denied|No such tool/i,
    requestsMax: { unauthorised: 2, limited: 4, failing: 4 },
  },
  {
    name: "codex",
    model: defaultModelOf("codex"),
    cacheWrites: false,
    costUsd: undefined,
    toolServers: true,
    readOnlyAnswer: /Read-only file system/,
    requestsMax: { unauthorised: 2, limited: 4, failing: 8 },
  },
  {
    name: "copilot",
    model: defaultModelOf("copilot"),
    cacheWrites: true,
    costUsd: undefined,
    startMs: 10_000,
    late: true,
    toolServers: true,
    readOnlyAnswer: /does not exist|not available|unknown tool/i,
    requestsMax: { unauthorised: 2, limited: 4, failing: 4 },
  },
  {
    name: "gemini",
    model: defaultModelOf("gemini"),
    cacheWrites: false,
    costUsd: undefined,
    startMs: 10_000,
    endsWhenCut: true,
    toolServers: false,
    readOnlyAnswer: /not found/i,
    requestsMax: { unauthorised: 2, limited: 4, failing: 4 },
  },
  {
    name: "opencode",
    model: defaultModelOf("opencode"),
    cacheWrites: true,
    costUsd: undefined,
    startMs: 40_000,
    uncountedWhenKilled: true,
    toolServers: true,
    readOnlyAnswer: /unavailable tool/i,
    requestsMax: { unauthorised: 2, limited: 4, failing: 4 },
  },
  {
    name: "pi",
    model: defaultModelOf("pi"),
    cacheWrites: true,
    costUsd: undefined,
    startMs: 10_000,
    toolServers: false,
    readOnlyAnswer: /not found/i,
    requestsMax: { unauthorised: 2, limited: 5, failing: 5 },
  },
];

/** The purpose of each CLI tool. A missing tool is new in a version, and a person has to add its purpose. */
const purposes: Record<Tool | "none", readonly string[]> = {
  read: ["Read", "read", "read_file", "view"],
  search: ["Glob", "Grep", "find", "glob", "grep", "grep_search", "list_directory", "ls"],
  edit: ["Edit", "NotebookEdit", "Write", "apply_patch", "create", "edit", "replace", "write", "write_file"],
  shell: ["Bash", "bash", "exec_command", "run_shell_command"],
  tasks: ["TaskCreate", "todowrite", "write_todos"],
  web: ["WebFetch", "WebSearch", "google_web_search", "web_fetch", "web_search", "webfetch", "websearch"],
  none: [
    "Agent TaskGet TaskList TaskUpdate",
    "view_image write_stdin request_user_input get_goal create_goal update_goal",
    "close_agent resume_agent send_input spawn_agent wait_agent",
    "wait sleep clock__curr_time request_user_input_async followup_task interrupt_agent send_message",
    "list_mcp_resources list_mcp_resource_templates read_mcp_resource",
    "read_bash stop_bash list_bash fetch_copilot_cli_documentation skill sql session_store_sql",
    "read_agent list_agents write_agent task",
    "update_topic list_background_processes read_background_output invoke_agent activate_skill",
  ].flatMap((names) => names.split(" ")),
};

function purposeOf(tool: string): string {
  const name = tool.replace("multi_agent_v1/", "");
  return Object.entries(purposes).find(([, names]) => names.includes(name))?.[0] ?? `unknown: ${name}`;
}

const write: Turn = { text: "I will create the file.", deeds: [{ write: "hello.txt", content: "hi\n" }] };
const done: Turn = { text: "Done.", usage: { input: 150, output: 25, cacheRead: 1_540, cacheWrite: 60 } };

describe.each(clis.filter(({ name }) => chosenClis().includes(name)))("$name", (cli) => {
  let bench: Bench;
  const begin = async (...turns: Turn[]): Promise<void> => {
    bench = await setBench(cli.name, turns);
  };
  afterEach(async () => {
    vi.unstubAllEnvs();
    const left = await findByMarker(bench.marker);
    await bench.close();
    if (left.length > 0) throw new Error(`Left running: ${left.join(", ")}`);
  });
  const ofType = <T extends HarnessEvent["type"]>(type: T): Extract<HarnessEvent, { type: T }>[] =>
    bench.events.filter((event): event is Extract<HarnessEvent, { type: T }> => event.type === type);

  it("probes as installed, at its pinned version", async () => {
    await begin();
    const probe = await bench.harness.probe();
    expect(probe).toMatchObject({ installed: true, authenticated: true, advice: null });
    expect(probe.version).toMatch(/\d+\.\d+\.\d+/);
  });

  it("edits a file of a git worktree with its own tools; text, session and usage are reported", async () => {
    await begin(write, done);
    const result = await bench.run();
    expect(result).toMatchObject({ ok: true, error: null, exitCode: 0, text: "Done.", turns: 2 });
    expect(bench.git("status", "--porcelain")).toBe("?? hello.txt\n");
    expect(readFileSync(join(bench.worktree, "hello.txt"), "utf8")).toBe("hi\n");
    expect(result.usage).toHaveLength(1);
    const [used] = result.usage;
    const input = cli.cacheWrites ? 1_350 : 1_450;
    expect(used).toMatchObject({
      model: cli.model,
      tokens: { input, output: 110, cacheRead: 1_840, cacheWrite: cli.cacheWrites ? 100 : 0 },
    });
    expect(used?.costUsd?.toFixed(6)).toBe(cli.costUsd);
    expect(ofType("session")).toMatchObject([{ sessionId: result.sessionId }]);
    expect(ofType("text").map(({ text }) => text)).toEqual(["I will create the file.", "Done."]);
    expect(ofType("tool").map(({ state }) => state)).toEqual(["started", "completed"]);
    // Metered during the run: the first turn is known before the second has ended.
    expect(ofType("usage").map(({ tokens }) => tokens.output)).toContain(cli.late === true ? 110 : 85);
  });

  it("system prompt, prompt and model reach the model; instructions of the tree do not", async () => {
    await begin(done);
    for (const file of ["CLAUDE.md", "AGENTS.md", "GEMINI.md"])
      writeFileSync(join(bench.worktree, file), "TEXT-OF-THE-TREE");
    await bench.run({ model: "another-model-9", systemPrompt: "Rule seven: be brief.", prompt: "Say hi to Bob." });
    const [request] = bench.server.requests;
    expect(request?.model).toBe("another-model-9");
    expect(`${request?.system}\n${request?.user.join("\n")}`).toContain("Rule seven: be brief.");
    expect(request?.user.join("\n")).toContain("Say hi to Bob.");
    expect(JSON.stringify(bench.server.requests.map(({ body }) => body))).not.toContain("TEXT-OF-THE-TREE");
  });

  it.each(["read-only", "write"] as const)(
    "%s: its model is given the tools that prompts speak of, and of no other kind",
    async (access) => {
      await begin(done);
      await bench.run({ access });
      const given = new Set(bench.server.requests[0]?.tools.map(purposeOf));
      given.delete("none");
      // Codex declares it for every step. The tree of a read-only step refuses it.
      if (cli.name === "codex" && access === "read-only") given.delete("edit");
      expect([...given].sort()).toEqual([...(bench.harness.tools?.[access] ?? [])].sort());
    },
  );

  it("resumes in another attempt's home and workspace: knows what was said, follows the new system prompt, counts its own usage only", async () => {
    const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    const where: Turn = { text: "Here.", deeds: [{ run: "pwd > where.txt" }], usage: none };
    await begin(write, done, where, { text: "Yes.", usage: { input: 10, output: 5, cacheRead: 20, cacheWrite: 0 } });
    const first = await bench.run();
    bench.changeHome();
    bench.changeWorktree();
    const second = await bench.run({
      resumeSessionId: first.sessionId,
      prompt: "Do you remember?",
      systemPrompt: "Rule eight: remember.",
    });
    expect(second, JSON.stringify(second)).toMatchObject({ ok: true, text: "Yes.", sessionId: first.sessionId });
    // Baton gives every attempt its own workspace. A session remembers its first workspace.
    expect(readFileSync(join(bench.worktree, "where.txt"), "utf8")).toBe(`${bench.worktree}\n`);
    const request = bench.server.requests[2];
    expect(request?.user.join("\n")).toMatch(/Create hello\.txt.*Do you remember\?/s);
    expect(`${request?.system}\n${request?.user.at(-1)}`).toContain("Rule eight: remember.");
    expect(second.usage).toMatchObject([{ tokens: { input: 10, output: 5, cacheRead: 20, cacheWrite: 0 } }]);
  });

  it("a session that is gone begins anew and says so", async () => {
    await begin(done);
    const result = await bench.run({ resumeSessionId: "01a1fbc2-95ef-7482-af90-e87f59f34da4" });
    expect(result.ok).toBe(true);
    expect(ofType("warning").map(({ text }) => text)).toContainEqual(expect.stringContaining("begins a new one"));
  });

  it("read-only: neither its tools nor its shell change the tree", async () => {
    await begin(write, { text: "Then so.", deeds: [{ run: "echo hi > by-shell.txt; rm README.md" }] }, done);
    const result = await bench.run({ access: "read-only" });
    expect(result.ok).toBe(true);
    expect(bench.server.requests).toHaveLength(3);
    expect(bench.git("status", "--porcelain")).toBe("");
    for (const answer of bench.server.requests[2]?.toolResults ?? []) expect(answer).toMatch(cli.readOnlyAnswer);
  });

  it("its tools see an environment without tokens, marked with the attempt", async () => {
    for (const name of ["GITHUB_TOKEN", "GH_TOKEN", "PRIVATE_KEY", "DATABASE_URL"])
      vi.stubEnv(name, "must-not-be-seen");
    await begin({ text: "Looking.", deeds: [{ run: "env > environment.txt" }] }, done);
    // Files around the worktree may belong to Baton.
    mkdirSync(join(bench.worktree, ".gemini"));
    for (const file of ["worktree/.gemini/.env", "worktree/.env", ".env"])
      writeFileSync(join(bench.directory, file), "WEBHOOK_SECRET=must-not-be-seen\n");
    await bench.run();
    const seen = readFileSync(join(bench.worktree, "environment.txt"), "utf8");
    expect(seen).not.toContain("must-not-be-seen");
    expect(seen).toContain(`BATON_ATTEMPT=${bench.marker}`);
    expect(seen).toContain("BATON_ROLE=implement");
  });

  it.runIf(cli.toolServers)(
    "uses the tools of a server that it is told of; the server ends with the attempt",
    async () => {
      await begin({ text: "Looking it up.", deeds: [{ use: "look_up", input: { word: "baton" } }] }, done);
      const result = await bench.run({
        toolServers: [{ name: "words", command: [process.execPath, toolServerPath], variables: { WORDS_SUFFIX: "!" } }],
      });
      expect(result).toMatchObject({ ok: true, text: "Done." });
      expect(bench.server.requests[1]?.toolResults.join("\n")).toContain("a stick that is handed on: baton!");
    },
  );

  it("401: stops at the first retry, with the code of a refused key", async () => {
    await begin({ status: 401, forever: true });
    const result = await bench.run();
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_AUTH" } });
    expect(bench.server.requests.length).toBeLessThanOrEqual(cli.requestsMax.unauthorised);
    expect(result.durationMs).toBeLessThan(10_000 + (cli.startMs ?? 0));
  });

  it.each([
    ["429", { status: 429, forever: true }, "BATON_HARNESS_QUOTA", "limited"],
    ["500", { status: 500, forever: true }, "BATON_HARNESS_UNAVAILABLE", "failing"],
  ] as const)("%s for ever: bounded by Baton, not by the CLI", async (_, turn, code, bound) => {
    await begin(turn);
    const result = await bench.run();
    expect(result).toMatchObject({ ok: false, error: { code } });
    expect(bench.server.requests.length).toBeLessThanOrEqual(cli.requestsMax[bound]);
    expect(result.durationMs).toBeLessThan(20_000 + (cli.startMs ?? 0));
  });

  it("one 429 is a retry event, and the work goes on", async () => {
    await begin({ status: 429, headers: { "retry-after": "1" } }, write, done);
    const result = await bench.run();
    expect(result).toMatchObject({ ok: true, text: "Done." });
    expect(ofType("retry")).toMatchObject([{ status: 429, attempt: 1 }]);
  });

  it("a connection that drops in the middle of an answer is tried again", async () => {
    await begin({ drop: true }, write, done);
    const result = await bench.run();
    if (cli.endsWhenCut === true) {
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_UNAVAILABLE" } });
      bench.changeHome();
      expect(await bench.run({ resumeSessionId: result.sessionId })).toMatchObject({ ok: true, text: "Done." });
    } else expect(result).toMatchObject({ ok: true, text: "Done." });
    expect(existsSync(join(bench.worktree, "hello.txt"))).toBe(true);
  });

  it("a refusal is not a success, whatever the exit code", async () => {
    await begin({ text: "I will not do that.", refusal: true, forever: true });
    const result = await bench.run();
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_REFUSED" } });
    expect(result.usage[0]?.tokens.output).toBeGreaterThan(0);
  });

  it("a model that never answers: the abort ends it", async () => {
    await begin({ hang: true, forever: true });
    const controller = new AbortController();
    const running = bench.run({}, controller.signal);
    await bench.server.received(1);
    controller.abort();
    const result = await running;
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    expect(result.durationMs).toBeLessThan(15_000 + (cli.startMs ?? 0));
  });

  it("a model that never answers: the limit on silence ends it", async () => {
    await begin({ hang: true, forever: true });
    const result = await bench.run({ silenceMs: 4_000 });
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_HUNG" } });
  });

  it("an abort while a tool runs ends the tool too, and what was used is known", async () => {
    await begin({ text: "Sleeping.", deeds: [{ run: "echo $$ > tool.pid; exec sleep 600" }], usage: { output: 77 } });
    const controller = new AbortController();
    const running = bench.run({}, controller.signal);
    await bench.appears("tool.pid");
    controller.abort();
    const result = await running;
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    // Only the proxy knows usage that the killed CLI has not written (`model-proxy.test.ts`).
    const unwritten = cli.uncountedWhenKilled === true || (cli.late === true && result.usage.length === 0);
    expect(result.usage).toMatchObject(unwritten ? [] : [{ model: cli.model, tokens: { output: 77 } }]);
    // The marker finds it in any process group. `afterEach` searches for all processes with the marker.
    expect(bench.processesIn(bench.worktree)).toEqual([]);
  });

  it("a missing key is told before anything starts", async () => {
    await begin();
    const result = await bench.withoutKey().run(bench.request(), () => {}, new AbortController().signal);
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_KEY_MISSING" } });
  });
});

it.skipIf(!chosenClis().includes("gemini"))(
  "gemini: a prompt that names files of the tree does not include them, and mentions stay",
  async () => {
    const bench = await setBench("gemini", [done]);
    try {
      writeFileSync(join(bench.worktree, "GEMINI.md"), "TEXT-OF-THE-TREE");
      const result = await bench.run({ prompt: "Ask @bob, see @GEMINI.md. and @./GEMINI.md; mail bob@example.com." });
      expect(result).toMatchObject({ ok: true, text: "Done." });
      const said = bench.server.requests[0]?.user.join("\n");
      expect(said).not.toContain("TEXT-OF-THE-TREE");
      expect(said).toContain("Ask @bob, see \\@GEMINI.md. and \\@./GEMINI.md; mail bob\\@example.com.");
    } finally {
      await bench.close();
    }
  },
);

it.skipIf(!chosenClis().includes("codex"))(
  "codex: for a model it does not know, `apply_patch` in its shell edits files",
  async () => {
    const patch = "apply_patch <<'END'\n*** Begin Patch\n*** Add File: hello.txt\n+hi\n*** End Patch\nEND";
    const bench = await setBench("codex", [{ text: "I will create the file.", deeds: [{ run: patch }] }, done]);
    try {
      expect(await bench.run({ model: "another-model-9" })).toMatchObject({ ok: true, text: "Done." });
      expect(readFileSync(join(bench.worktree, "hello.txt"), "utf8")).toBe("hi\n");
      expect(bench.events).toContainEqual(expect.objectContaining({ type: "tool", name: "edit", state: "completed" }));
      expect(JSON.stringify(bench.server.requests[0]?.body)).toContain("Use the `apply_patch` tool to edit files");
    } finally {
      await bench.close();
    }
  },
);

it.skipIf(!chosenClis().includes("gemini"))("gemini: turns", async () => {
  const bench = await setBench("gemini", [{ text: "Again.", deeds: [{ run: "echo again" }], forever: true }]);
  try {
    expect(await bench.run({ maxTurns: 2 })).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_TURNS" } });
    expect(bench.server.requests).toHaveLength(2);
  } finally {
    await bench.close();
  }
});

describe.skipIf(!chosenClis().includes("claude-code"))("claude-code: caps", () => {
  let bench: Bench;
  afterEach(() => bench.close());
  const again: Turn = { text: "Again.", deeds: [{ run: "echo again" }], forever: true };

  it("turns", async () => {
    bench = await setBench("claude-code", [again]);
    expect(await bench.run({ maxTurns: 2 })).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_TURNS" } });
    expect(bench.server.requests).toHaveLength(2);
  });

  it("money, with at most one turn too many", async () => {
    bench = await setBench("claude-code", [again]);
    const result = await bench.run({ maxUsd: 0.01 });
    expect(result).toMatchObject({ ok: false, error: { code: "BATON_BUDGET_EXCEEDED" } });
    const cost = result.usage.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
    expect(cost).toBeGreaterThan(0.01);
    expect(cost).toBeLessThan(0.02);
  });

  it("money of a resumed session is this attempt's own", async () => {
    bench = await setBench("claude-code", [{ text: "One." }, { text: "Two." }]);
    const first = await bench.run();
    // One turn costs 0.0051, so both together would exceed the limit.
    const second = await bench.run({ resumeSessionId: first.sessionId, maxUsd: 0.0075 });
    expect(second).toMatchObject({ ok: true, text: "Two." });
  });
});

it.skipIf(!chosenClis().includes("codex"))(
  "codex: a machine on which its sandbox cannot work is told, not taken for a model that does nothing",
  async () => {
    const bench = await setBench("codex", [write, done]);
    try {
      // Namespaces of its own, in which it may create no more of them: the effect of a container's rules.
      const lines = [
        "#!/bin/bash",
        `exec unshare -U -r bash -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all "${cliPath("codex")}" "$@"' x "$@"`,
      ];
      const confined = join(bench.directory, "confined-codex");
      writeFileSync(confined, `${lines.join("\n")}\n`, { mode: 0o755 });
      const harness = realHarness("codex", bench.server, { binary: confined });
      const result = await harness.run(bench.request({ confinement: null }), () => {}, new AbortController().signal);
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_SANDBOX" } });
      expect(bench.server.requests).toEqual([]);
    } finally {
      await bench.close();
    }
  },
);
