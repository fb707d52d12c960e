/**
 * Claude Code, headless: `claude -p --output-format stream-json`. Observed with 2.1.329.
 *
 * Traps: 401 and 429 are retried by the CLI for minutes, so the first `api_retry` decides; a refusal has its own stop reason;
 * `result.modelUsage` is the whole, `result.usage` may be a part; `assistant` lines carry a stale output count.
 */
import { execa } from "execa";
import type { ErrorData } from "../../core/errors.ts";
import type { Harness, HarnessEvent, HarnessResult } from "../../ports/harness.ts";
import { agentEnvironment } from "./environment.ts";
import { jsonLine, runHarness, type StreamReader, statusError } from "./run-harness.ts";

const install = "npm install --global @anthropic-ai/claude-code";
/** The service is tried this often by the CLI before Baton takes over with its own backoff. */
const apiRetriesMax = 3;

export interface ClaudeCodeOptions {
  binary: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  oauthToken?: string | undefined;
}

export function claudeCode({ binary, apiKey, baseUrl, oauthToken }: ClaudeCodeOptions): Harness {
  const authenticated = apiKey !== undefined || oauthToken !== undefined;
  return {
    name: "claude-code",
    capabilities: {
      resume: true,
      readOnly: true,
      systemPrompt: true,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
    },
    defaultModel: "claude-sonnet-4-5",
    async probe() {
      const version = await execa(binary, ["--version"], { reject: false, timeout: 20_000, stdin: "ignore" });
      const installed = version.exitCode === 0;
      const advice = !installed ? install : authenticated ? null : "Set ANTHROPIC_API_KEY where Baton runs.";
      return { installed, version: installed ? version.stdout.trim() : null, authenticated, advice };
    },
    async run(request, onEvent, signal) {
      if (!authenticated) return missingKey("ANTHROPIC_API_KEY");
      const args = [
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--permission-mode",
        request.access === "write" ? "acceptEdits" : "plan",
        "--append-system-prompt",
        request.systemPrompt,
      ];
      if (request.access === "write")
        args.push("--allowedTools", "Bash,Edit,Write,Read,Glob,Grep,MultiEdit,NotebookEdit,TodoWrite");
      // Settings, hooks and MCP servers of the tree are not trusted: only what is given here counts.
      args.push("--setting-sources", "", "--strict-mcp-config");
      if (request.model !== null) args.push("--model", request.model);
      if (request.maxTurns !== null) args.push("--max-turns", `${request.maxTurns}`);
      if (request.maxUsd !== null) args.push("--max-budget-usd", request.maxUsd.toFixed(4));
      if (request.resumeSessionId !== null) args.push("--resume", request.resumeSessionId);
      const env = agentEnvironment(request, {
        ANTHROPIC_API_KEY: apiKey,
        CLAUDE_CODE_OAUTH_TOKEN: oauthToken,
        ANTHROPIC_BASE_URL: baseUrl,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_AUTOUPDATER: "1",
      });
      return runHarness(
        request,
        { command: [binary, ...args], env, input: request.prompt, install },
        new ClaudeCodeReader(),
        onEvent,
        signal,
      );
    },
  };
}

export function missingKey(name: string): HarnessResult {
  const error: ErrorData = { code: "BATON_HARNESS_KEY_MISSING", message: `${name} is not set where Baton runs.` };
  return {
    ok: false,
    error,
    text: "",
    sessionId: null,
    usage: [],
    turns: 0,
    exitCode: null,
    signal: null,
    transcript: "",
    transcriptTruncated: false,
    durationMs: 0,
  };
}

interface ModelUsage {
  inputTokens?: number;
  outputTokens?: number;
  cacheReadInputTokens?: number;
  cacheCreationInputTokens?: number;
  costUSD?: number;
}

export class ClaudeCodeReader implements StreamReader {
  giveUp: ErrorData | null = null;
  #sessionId: string | null = null;
  #text = "";
  #result: Record<string, unknown> | null = null;
  #usage: HarnessResult["usage"] = [];
  #turns = 0;
  #refused = false;
  #lastStatus: number | null = null;
  /** Input side of each message, until the result line brings the whole. */
  readonly #seen = new Map<string, { input: number; cacheRead: number; cacheWrite: number }>();

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const event = stream === "stdout" ? jsonLine(line) : null;
    if (event === null) return [];
    switch (event["type"]) {
      case "system":
        return this.#system(event);
      case "assistant":
        return this.#assistant(event["message"] as Record<string, unknown> | undefined);
      case "user":
        return this.#toolResults(event["message"] as Record<string, unknown> | undefined);
      case "result":
        this.#result = event;
        this.#sessionId = (event["session_id"] as string | undefined) ?? this.#sessionId;
        this.#turns = (event["num_turns"] as number | undefined) ?? this.#turns;
        this.#usage = Object.entries((event["modelUsage"] as Record<string, ModelUsage> | undefined) ?? {}).map(
          ([model, used]) => ({
            model,
            tokens: {
              input: used.inputTokens ?? 0,
              output: used.outputTokens ?? 0,
              cacheRead: used.cacheReadInputTokens ?? 0,
              cacheWrite: used.cacheCreationInputTokens ?? 0,
            },
            costUsd: used.costUSD ?? null,
          }),
        );
        return this.#usage.map((used) => ({ type: "usage", ...used }));
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    const text = typeof this.#result?.["result"] === "string" ? this.#result["result"] : this.#text;
    return { error: this.#error(text), text, sessionId: this.#sessionId, usage: this.#usage, turns: this.#turns };
  }

  #system(event: Record<string, unknown>): HarnessEvent[] {
    if (event["subtype"] === "init") {
      this.#sessionId = (event["session_id"] as string | undefined) ?? null;
      return this.#sessionId === null
        ? []
        : [{ type: "session", sessionId: this.#sessionId, model: (event["model"] as string | undefined) ?? null }];
    }
    if (event["subtype"] === "api_retry") {
      const status = typeof event["error_status"] === "number" ? event["error_status"] : null;
      const attempt = typeof event["attempt"] === "number" ? event["attempt"] : 1;
      this.#lastStatus = status;
      // H1: the CLI would go on for minutes; what a key cannot do it cannot do later either.
      if (status === 401 || status === 403 || attempt >= apiRetriesMax)
        this.giveUp = statusError(status ?? 503, `after ${attempt} tries`);
      return [{ type: "retry", reason: `${event["error"] ?? "error"}`, status, attempt }];
    }
    return [];
  }

  #assistant(message: Record<string, unknown> | undefined): HarnessEvent[] {
    if (message === undefined) return [];
    if (message["stop_reason"] === "refusal") this.#refused = true;
    const events: HarnessEvent[] = [];
    for (const part of (message["content"] as Record<string, unknown>[] | undefined) ?? []) {
      if (part["type"] === "text" && typeof part["text"] === "string") {
        this.#text = part["text"];
        events.push({ type: "text", text: part["text"] });
      }
      if (part["type"] === "tool_use")
        events.push({ type: "tool", name: `${part["name"]}`, detail: toolDetail(part["input"]), state: "started" });
    }
    const usage = message["usage"] as Record<string, number> | undefined;
    if (usage !== undefined && typeof message["id"] === "string" && typeof message["model"] === "string") {
      this.#seen.set(message["id"], {
        input: usage["input_tokens"] ?? 0,
        cacheRead: usage["cache_read_input_tokens"] ?? 0,
        cacheWrite: usage["cache_creation_input_tokens"] ?? 0,
      });
      const sum = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
      for (const seen of this.#seen.values()) {
        sum.input += seen.input;
        sum.cacheRead += seen.cacheRead;
        sum.cacheWrite += seen.cacheWrite;
      }
      events.push({ type: "usage", model: message["model"], tokens: sum, costUsd: null });
    }
    return events;
  }

  #toolResults(message: Record<string, unknown> | undefined): HarnessEvent[] {
    const content = message?.["content"];
    if (!Array.isArray(content)) return [];
    return (content as Record<string, unknown>[])
      .filter((part) => part["type"] === "tool_result")
      .map((part) => ({
        type: "tool",
        name: "result",
        detail: "",
        state: part["is_error"] === true ? "failed" : "completed",
      }));
  }

  #error(text: string): ErrorData | null {
    const result = this.#result;
    if (result === null) return { code: "BATON_HARNESS_OUTPUT", message: "Claude Code ended without a result line." };
    if (this.#refused || result["stop_reason"] === "refusal")
      return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${text.slice(0, 300)}` };
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
    const status =
      typeof result["api_error_status"] === "number"
        ? result["api_error_status"]
        : Number(/\b(?:API Error:?\s*)(\d{3})\b/.exec(text)?.[1]) || this.#lastStatus;
    return status === null
      ? { code: "BATON_HARNESS_CRASHED", message: `Claude Code failed: ${text.slice(0, 300)}` }
      : statusError(status, text.slice(0, 200));
  }
}

function toolDetail(input: unknown): string {
  const value = input as Record<string, unknown> | undefined;
  const detail = value?.["file_path"] ?? value?.["command"] ?? value?.["pattern"] ?? value?.["path"] ?? "";
  return `${detail}`.slice(0, 120);
}
