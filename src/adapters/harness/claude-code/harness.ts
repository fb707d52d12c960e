/**
 * Claude Code, headless: `claude -p --output-format stream-json`. Observed with 2.1.329.
 *
 * Traps: the CLI retries 401 and 429 for minutes, so the first `api_retry` decides. A refusal has its own stop reason.
 * The field `result.modelUsage` counts the whole session, including the usage that an earlier attempt already paid for.
 * Lines of the type `assistant` carry a stale output count. The stream's `message_delta` has the true one. A resumed
 * session keeps its old system prompt by default.
 */
import { join } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessResult } from "../../../ports/harness.ts";
import { amount, count, type Fields, fields, list, status, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions } from "../sessions.ts";
import { toolServers } from "../tool-servers.ts";
import { claudeCode as description } from "./description.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
/** The CLI tries the service this often before Baton takes over with its own backoff. */
const apiRetriesMax = 3;
/**
 * The CLI gets these of its own tools and no others. The tools of its prompt are there at once. None starts things on
 * its own.
 */
const readTools = ["Read", "Glob", "Grep", "TodoWrite", "TaskCreate", "TaskGet", "TaskList", "TaskUpdate", "Agent"];
const writeTools = ["Bash", "Edit", "Write", "MultiEdit", "NotebookEdit", ...readTools];
/** The CLI ends the folder's name of a longer path in a hash of its own. Baton does not resume such a session. */
const slugCharactersMax = 200;

export interface ClaudeCodeOptions {
  binary: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  oauthToken?: string | undefined;
  sessions?: Sessions;
}

export function claudeCode(options: ClaudeCodeOptions): Harness {
  const { binary, apiKey, baseUrl, oauthToken, sessions = noSessions } = options;
  return cliHarness({
    description,
    binary,
    own: { apiKey, login: oauthToken, baseUrl },
    async run(request, access, onEvent, signal) {
      const sessionPath = (id: string): string => {
        const slug = request.cwd.replace(/[^A-Za-z0-9]/g, "-");
        return join(request.homePath, ".claude", "projects", slug, `${id}.jsonl`);
      };
      const args = [
        "-p",
        "--output-format",
        "stream-json",
        "--include-partial-messages",
        "--verbose",
        "--permission-mode",
        request.access === "write" ? "acceptEdits" : "plan",
        "--append-system-prompt",
        request.systemPrompt,
        "--model",
        request.model ?? defaultModel,
      ];
      const tools = request.access === "write" ? writeTools : readTools;
      args.push("--tools", tools.join(","));
      // Settings, hooks, instructions and MCP servers of the tree are not trusted. Only these arguments count.
      args.push("--setting-sources", "", "--strict-mcp-config", "--settings", '{"includeCoAuthoredBy":false}');
      const servers = toolServers<object>(request, {
        local: ({ command, args: its, env: variables }) => ({ type: "stdio", command, args: its, env: variables }),
        remote: ({ url }) => ({ type: "http", url }),
      });
      const serverNames = Object.keys(servers);
      if (serverNames.length > 0) args.push("--mcp-config", JSON.stringify({ mcpServers: servers }));
      const allowed = [
        ...(request.access === "write" ? writeTools : []),
        ...serverNames.map((server) => `mcp__${server}`),
      ];
      if (allowed.length > 0) args.push("--allowedTools", allowed.join(","));
      if (request.maxTurns !== null) args.push("--max-turns", `${request.maxTurns}`);
      if (request.maxUsd !== null) args.push("--max-budget-usd", request.maxUsd.toFixed(4));
      const wanted = request.resumeSessionId;
      const place = wanted === null || request.cwd.length > slugCharactersMax ? null : sessionPath(wanted);
      const resumed = resumable(sessions, name, wanted, place, onEvent);
      if (resumed !== null) args.push("--resume", resumed, "--system-prompt-snapshot", "off");
      const env = agentEnvironment(request, {
        ANTHROPIC_API_KEY: access.apiKey,
        CLAUDE_CODE_OAUTH_TOKEN: access.login,
        ANTHROPIC_BASE_URL: access.baseUrl,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_AUTOUPDATER: "1",
        // Bedrock and Vertex refuse fields of betas: https://code.claude.com/docs/en/llm-gateway
        CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: access.onPlatform === true ? "1" : undefined,
        // With tool search, the model gets a placeholder for tools of servers and for some of the CLI's own tools.
        ENABLE_TOOL_SEARCH: "false",
      });
      const result = await runHarness(
        request,
        {
          command: [binary, ...args],
          env,
          secrets: ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"],
          input: request.prompt,
          install,
        },
        new ClaudeCodeReader(),
        onEvent,
        signal,
      );
      if (result.sessionId !== null)
        sessions.keep(name, result.sessionId, sessionPath(result.sessionId), [], request.homePath);
      return result;
    },
  });
}

type ModelUsage = HarnessResult["usage"][number];

export class ClaudeCodeReader implements StreamReader {
  giveUp: ErrorData | null = null;
  #sessionId: string | null = null;
  #model: string | null = null;
  #text = "";
  #result: Fields | null = null;
  #usage: ModelUsage[] | null = null;
  #turns = 0;
  #refused = false;
  #lastStatus: number | null = null;
  /** The usage of each message, until the result line brings the total. */
  readonly #seen = new Map<string, { model: string; tokens: Tokens }>();
  /** The message that streams now. Its parts carry no id. */
  #streaming: string | null = null;
  readonly #tools = new Map<string, string>();

  keeps(line: string): boolean {
    return !line.startsWith('{"type":"stream_event"');
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const event = stream === "stdout" ? jsonLine(line) : null;
    if (event === null) return [];
    switch (event["type"]) {
      case "system":
        return this.#system(event);
      case "stream_event":
        return this.#stream(fields(event["event"]));
      case "assistant":
        return this.#assistant(fields(event["message"]));
      case "user":
        return this.#toolResults(fields(event["message"]));
      case "result":
        return this.#end(event);
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    const said = text(this.#result?.["result"]) ?? this.#text;
    return {
      finished: this.#result !== null,
      error: this.#error(said),
      text: said,
      sessionId: this.#sessionId,
      usage: this.#usage ?? this.#soFar(),
      turns: this.#turns,
    };
  }

  #system(event: Fields): HarnessEvent[] {
    if (event["subtype"] === "init") {
      this.#sessionId = text(event["session_id"]);
      this.#model = text(event["model"]);
      return this.#sessionId === null ? [] : [{ type: "session", sessionId: this.#sessionId, model: this.#model }];
    }
    if (event["subtype"] === "api_retry") {
      const code = status(event["error_status"]);
      const attempt = Math.max(1, count(event["attempt"]));
      this.#lastStatus = code;
      // harness.H1: the CLI would retry for minutes. A key that is refused now is also refused later.
      if (code === 401 || code === 403 || attempt >= apiRetriesMax)
        this.giveUp = statusError(code ?? 503, `Tried ${attempt} times.`);
      return [{ type: "retry", reason: text(event["error"]) ?? "error", status: code, attempt }];
    }
    return [];
  }

  /** Only the counts. The texts come again, whole, as `assistant` lines. */
  #stream(event: Fields): HarnessEvent[] {
    if (event["type"] === "message_start") {
      const message = fields(event["message"]);
      this.#streaming = text(message["id"]);
      return this.#count(message);
    }
    const seen = this.#streaming === null ? undefined : this.#seen.get(this.#streaming);
    if (event["type"] !== "message_delta" || seen === undefined) return [];
    seen.tokens.output = count(fields(event["usage"])["output_tokens"]);
    return this.#soFar().map((used) => ({ type: "usage", ...used }));
  }

  #count(message: Fields): HarnessEvent[] {
    const id = text(message["id"]);
    const model = text(message["model"]);
    const usage = fields(message["usage"]);
    if (id === null || model === null || model === "<synthetic>" || this.#seen.has(id)) return [];
    this.#turns += 1;
    // The service answers with the dated name of the requested model. The result line has the requested name.
    const asked = this.#model !== null && model.startsWith(`${this.#model}-`) ? this.#model : model;
    this.#seen.set(id, {
      model: asked,
      tokens: {
        input: count(usage["input_tokens"]),
        output: 0,
        cacheRead: count(usage["cache_read_input_tokens"]),
        cacheWrite: count(usage["cache_creation_input_tokens"]),
      },
    });
    return this.#soFar().map((used) => ({ type: "usage", ...used }));
  }

  #soFar(): ModelUsage[] {
    const sums = new Map<string, Tokens>();
    for (const { model, tokens } of this.#seen.values())
      sums.set(model, addTokens(sums.get(model) ?? noTokens, tokens));
    return [...sums].map(([model, tokens]) => ({ model, tokens, costUsd: null }));
  }

  #assistant(message: Fields): HarnessEvent[] {
    if (message["stop_reason"] === "refusal") this.#refused = true;
    const events = this.#count(message);
    for (const part of list(message["content"])) {
      const words = text(part["text"]);
      if (part["type"] === "text" && words !== null) {
        this.#text = words;
        events.push({ type: "text", text: words });
      }
      if (part["type"] === "tool_use") {
        const tool = text(part["name"]) ?? "tool";
        this.#tools.set(text(part["id"]) ?? "", tool);
        events.push({ type: "tool", name: tool, detail: toolDetail(part["input"]), state: "started" });
      }
    }
    return events;
  }

  #toolResults(message: Fields): HarnessEvent[] {
    return list(message["content"])
      .filter((part) => part["type"] === "tool_result")
      .map((part) => ({
        type: "tool",
        name: this.#tools.get(text(part["tool_use_id"]) ?? "") ?? "tool",
        detail: "",
        state: part["is_error"] === true ? "failed" : "completed",
      }));
  }

  #end(event: Fields): HarnessEvent[] {
    this.#result = event;
    this.#sessionId = text(event["session_id"]) ?? this.#sessionId;
    this.#turns = count(event["num_turns"]);
    // Usage of this attempt alone. Older versions report only the session's total.
    const byModel = fields(event["model_usage_since_last_result"] ?? event["modelUsage"]);
    this.#usage = Object.entries(byModel).map(([model, value]) => {
      const used = fields(value);
      return {
        model,
        tokens: {
          input: count(used["inputTokens"]),
          output: count(used["outputTokens"]),
          cacheRead: count(used["cacheReadInputTokens"]),
          cacheWrite: count(used["cacheCreationInputTokens"]),
        },
        costUsd: amount(used["costUSD"]),
      };
    });
    const denied = list(event["permission_denials"]).map((denial): HarnessEvent => {
      const what = `${text(denial["tool_name"]) ?? "A tool"} ${toolDetail(denial["tool_input"])}`.trim();
      return { type: "warning", text: `Not permitted: ${what}` };
    });
    return [...this.#usage.map((used): HarnessEvent => ({ type: "usage", ...used })), ...denied];
  }

  #error(said: string): ErrorData | null {
    const result = this.#result;
    const failed = result?.["is_error"] !== false;
    if (failed && (this.#refused || result?.["stop_reason"] === "refusal"))
      return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${said.slice(0, 300)}` };
    if (result === null) return null;
    switch (result["subtype"]) {
      case "success":
        if (result["is_error"] !== true) return null;
        break;
      case "error_max_turns":
        return { code: "BATON_HARNESS_TURNS", message: `Claude Code reached its limit of ${this.#turns} turns.` };
      case "error_max_budget_usd":
        return {
          code: "BATON_BUDGET_EXCEEDED",
          message: "Claude Code reached the money that was set aside for this attempt.",
        };
      default:
        break;
    }
    const why = [text(result["result"]), ...(Array.isArray(result["errors"]) ? result["errors"] : [])].join(" ").trim();
    const code =
      status(result["api_error_status"]) ?? status(/\bAPI Error:?\s*(\d{3})\b/.exec(why)?.[1]) ?? this.#lastStatus;
    return code === null
      ? { code: "BATON_HARNESS_CRASHED", message: `Claude Code failed: ${why.slice(0, 300)}` }
      : statusError(code, why.slice(0, 200));
  }
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [claudeCode({ ...own, oauthToken: own.login, sessions })];
  },
};
