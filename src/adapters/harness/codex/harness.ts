/**
 * Codex, headless: `codex exec --json`. Observed with 0.169.
 *
 * Traps: `input_tokens` includes the cached ones, and in a resumed session also those of earlier attempts. Codex prints
 * usage only at the end, so Baton counts a running turn from the session's own file. A refusal ends with exit 0, usage
 * and no message. Codex waits for more input on an open stdin. In a linked worktree its sandbox cannot commit, so Baton
 * commits the changes that it leaves.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessRequest } from "../../../ports/harness.ts";
import { count, type Fields, fields, list, status, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, notBegun, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions } from "../sessions.ts";
import { toolServers } from "../tool-servers.ts";
import { codex as description } from "./description.ts";
import { codexTokens, restoredRolloutPath, rolloutPath, sessionTokens, subtractTokens } from "./rollout.ts";
import { checkSandbox, type SandboxCheck } from "./sandbox.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
const defaultBaseUrl = "https://api.openai.com/v1";
/** Tries of the CLI at the service, before Baton takes over with its own backoff. */
const requestRetriesMax = 1;
const streamRetriesMax = 2;

/** Requests to its maker and to plugin stores that no attempt needs, and agents that nobody asked for. */
const unwanted = {
  "analytics.enabled": false,
  check_for_update_on_startup: false,
  ...Object.fromEntries(
    ["apps", "goals", "image_generation", "multi_agent", "plugins", "remote_plugin"].map((name) => [
      `features.${name}`,
      false,
    ]),
  ),
};

export interface CodexOptions {
  binary: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  sessions?: Sessions;
  checkSandbox?: SandboxCheck;
}

export function codex(options: CodexOptions): Harness {
  const { binary, apiKey, baseUrl, sessions = noSessions } = options;
  const sandboxProblem = options.checkSandbox ?? checkSandbox;
  /** A machine that passed the check once still passes it. A machine that failed may be fixed by now. */
  let sandboxed = false;
  return cliHarness({
    description,
    binary,
    own: { apiKey, baseUrl },
    check: (env) => sandboxProblem(binary, env),
    async run(request, access, onEvent, signal) {
      // Next to the attempt's temporary directory. Below it, Codex refuses to run sandboxed commands.
      const home = join(request.homePath, "codex");
      mkdirSync(home, { recursive: true });
      const model = request.model ?? defaultModel;
      const confined = (request.confinement ?? null) !== null;
      const wanted = request.resumeSessionId;
      const place =
        wanted === null ? null : (rolloutPath(home, wanted, request.homePath) ?? restoredRolloutPath(home, wanted));
      const resumed = resumable(sessions, name, wanted, place, onEvent);
      const args = [
        "exec",
        "--json",
        "--skip-git-repo-check",
        "--ignore-user-config",
        "-C",
        request.cwd,
        "-s",
        // Codex's own sandbox needs namespaces that Baton's sandbox closes. Baton's sandbox confines the agent then.
        confined ? "danger-full-access" : request.access === "write" ? "workspace-write" : "read-only",
        "-m",
        model,
        ...settings({
          model_provider: "baton",
          "model_providers.baton.name": "baton",
          "model_providers.baton.base_url": access.baseUrl ?? defaultBaseUrl,
          "model_providers.baton.env_key": "OPENAI_API_KEY",
          "model_providers.baton.wire_api": "responses",
          "model_providers.baton.request_max_retries": requestRetriesMax,
          "model_providers.baton.stream_max_retries": streamRetriesMax,
          developer_instructions: request.systemPrompt,
          // Instructions of the tree are not trusted. Only these settings count.
          project_doc_max_bytes: 0,
          web_search: "disabled",
          ...unwanted,
          // The attempt has a temporary directory of its own.
          "sandbox_workspace_write.exclude_slash_tmp": true,
          ...serverSettings(request),
        }),
        ...(resumed === null ? [] : ["resume", resumed]),
        "-",
      ];
      const env = agentEnvironment(request, { OPENAI_API_KEY: access.apiKey, CODEX_HOME: home });
      if (!confined && !sandboxed) {
        const problem = await sandboxProblem(binary, env);
        if (problem !== null) return notBegun(problem);
        sandboxed = true;
      }
      const reader = new CodexReader(model, {
        before: resumed === null || place === null ? noTokens : sessionTokens(place, request.homePath),
        now: (sessionId) => {
          const path = rolloutPath(home, sessionId, request.homePath);
          return path === null ? null : sessionTokens(path, request.homePath);
        },
      });
      const result = await runHarness(
        request,
        {
          command: [binary, ...args],
          env,
          secrets: ["OPENAI_API_KEY"],
          // A resumed session keeps its first instructions permanently. The prompt carries the new ones.
          input: resumed !== null ? `${request.systemPrompt}\n\n${request.prompt}` : request.prompt,
          install,
        },
        reader,
        onEvent,
        signal,
      );
      const path = result.sessionId === null ? null : rolloutPath(home, result.sessionId, request.homePath);
      if (path !== null && result.sessionId !== null) sessions.keep(name, result.sessionId, path, [], request.homePath);
      return result;
    },
  });
}

/** Nobody is present to approve a tool call. */
function serverSettings(request: HarnessRequest): Record<string, Setting> {
  const approved = { default_tools_approval_mode: "approve" };
  const servers = toolServers<Record<string, Setting>>(request, {
    local: ({ command, args, env }) => ({ command, args, env, ...approved }),
    remote: ({ url }) => ({ url, ...approved }),
  });
  return Object.fromEntries(
    Object.entries(servers).flatMap(([server, values]) =>
      Object.entries(values).map(([key, value]) => [`mcp_servers.${server}.${key}`, value]),
    ),
  );
}

type Setting = string | number | boolean | string[] | Record<string, string>;

/** Values are TOML. JSON is valid TOML, except for tables. */
function toml(value: Setting): string {
  return typeof value === "object" && !Array.isArray(value)
    ? `{${Object.entries(value)
        .map(([key, its]) => `${JSON.stringify(key)}=${JSON.stringify(its)}`)
        .join(",")}}`
    : JSON.stringify(value);
}

function settings(values: Record<string, Setting>): string[] {
  return Object.entries(values).flatMap(([key, value]) => ["-c", `${key}=${toml(value)}`]);
}

export interface SessionMeter {
  /** The session's usage at the start of this attempt. */
  before: Tokens;
  /** The session's usage by now. Null while it is unknown. */
  now(sessionId: string): Tokens | null;
}

export class CodexReader implements StreamReader {
  giveUp: ErrorData | null = null;
  readonly #model: string;
  readonly #meter: SessionMeter;
  #sessionId: string | null = null;
  #text: string | null = null;
  #completed = false;
  #failure: string | null = null;
  #turns = 0;
  #tokens: Tokens = noTokens;

  constructor(model: string, meter: SessionMeter = { before: noTokens, now: () => null }) {
    this.#model = model;
    this.#meter = meter;
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const event = stream === "stdout" ? jsonLine(line) : null;
    if (event === null) return [];
    switch (event["type"]) {
      case "thread.started":
        this.#sessionId = text(event["thread_id"]);
        return this.#sessionId === null ? [] : [{ type: "session", sessionId: this.#sessionId, model: this.#model }];
      case "item.started":
        return this.#item(fields(event["item"]), "started");
      case "item.completed":
        return [...this.#item(fields(event["item"]), "completed"), ...this.#measure()];
      case "turn.completed":
        this.#completed = true;
        this.#turns = Math.max(1, this.#turns);
        return this.#used(codexTokens(fields(event["usage"])));
      case "turn.failed":
        this.#failure = text(fields(event["error"])["message"]) ?? "unknown";
        return this.#measure();
      case "error":
        return this.#retry(text(event["message"]) ?? "");
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    // A killed process has printed no usage.
    if (!this.#completed) this.#measure();
    const { input, output, cacheRead, cacheWrite } = this.#tokens;
    return {
      finished: this.#completed || this.#failure !== null,
      error: this.#error(),
      text: this.#text ?? "",
      sessionId: this.#sessionId,
      usage:
        input + output + cacheRead + cacheWrite === 0
          ? []
          : [{ model: this.#model, tokens: this.#tokens, costUsd: null }],
      turns: this.#turns,
    };
  }

  #used(session: Tokens): HarnessEvent[] {
    const tokens = subtractTokens(session, this.#meter.before);
    if (JSON.stringify(tokens) === JSON.stringify(this.#tokens)) return [];
    this.#tokens = tokens;
    return [{ type: "usage", model: this.#model, tokens: this.#tokens, costUsd: null }];
  }

  #measure(): HarnessEvent[] {
    try {
      const now = this.#sessionId === null ? null : this.#meter.now(this.#sessionId);
      return now === null ? [] : this.#used(now);
    } catch {
      // The agent can write that file. An unreadable file is not counted before the end.
      return [];
    }
  }

  #retry(message: string): HarnessEvent[] {
    const attempt = count(Number(/Reconnecting\D*(\d+)/.exec(message)?.[1]));
    if (attempt === 0) return [{ type: "warning", text: message }];
    const code = statusIn(message);
    if (code === 401 || code === 403) this.giveUp = statusError(code, `Tried ${attempt} times.`);
    return [{ type: "retry", reason: message.slice(0, 300), status: code, attempt }];
  }

  #item(item: Fields, state: "started" | "completed"): HarnessEvent[] {
    const tool = (toolName: string, detail: string, failed = false): HarnessEvent[] => [
      { type: "tool", name: toolName, detail, state: failed ? "failed" : state },
    ];
    const failed = item["status"] === "failed" || item["status"] === "declined";
    switch (item["type"]) {
      case "agent_message": {
        const words = text(item["text"]);
        if (state === "started" || words === null) return [];
        this.#text = words;
        this.#turns += 1;
        return [{ type: "text", text: words }];
      }
      case "command_execution": {
        const exitCode = item["exit_code"];
        return tool(
          "command",
          (text(item["command"]) ?? "").slice(0, 2_000),
          failed || (state === "completed" && exitCode !== 0),
        );
      }
      case "file_change": {
        const paths = list(item["changes"]).map((change) => text(change["path"]) ?? "");
        return tool("edit", paths.join(", ").slice(0, 2_000), failed);
      }
      case "mcp_tool_call":
        return tool(text(item["tool"]) ?? "tool", text(item["server"]) ?? "", failed);
      case "web_search":
        return tool("search", text(item["query"]) ?? "", failed);
      case "todo_list":
        return tool("plan", toolDetail(item));
      case "error":
        return [{ type: "warning", text: text(item["message"]) ?? "" }];
      default:
        return [];
    }
  }

  #error(): ErrorData | null {
    if (this.#failure !== null) {
      const code = statusIn(this.#failure);
      return code === null
        ? { code: "BATON_HARNESS_CRASHED", message: `Codex failed: ${this.#failure.slice(0, 300)}` }
        : statusError(code, this.#failure.slice(0, 200));
    }
    // A refusal looks like success without any text.
    if (this.#completed && this.#text === null)
      return {
        code: "BATON_HARNESS_REFUSED",
        message: "Codex ended its turn without a word: the model refused, or the answer was filtered.",
      };
    return null;
  }
}

/** The CLI reports some statuses in its own words. */
const wordings: [RegExp, number][] = [
  [/usage limit|quota|rate limit/i, 429],
  [/high demand|overloaded|stream disconnected|timed out|error sending request|connection/i, 503],
];

function statusIn(message: string): number | null {
  const found =
    /\b(?:status|HTTP|error)[^0-9]{0,20}([45]\d\d)\b/i.exec(message)?.[1] ?? /\b([45]\d\d)\b/.exec(message)?.[1];
  return status(found ?? wordings.find(([pattern]) => pattern.test(message))?.[1]);
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [codex({ ...own, sessions })];
  },
};
