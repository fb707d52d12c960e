/**
 * GitHub Copilot CLI, headless, with a model service of one's own. Observed with 1.0.102.
 *
 * Traps: the CLI prints no usage, so Baton reads usage from the session's own file. It prints the session's id only at
 * the end, so Baton sets the id. A refusal ends with exit code 0, like a success. It has no flag for system text, so
 * Baton puts that before the prompt.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessResult } from "../../../ports/harness.ts";
import { count, fields, status, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { readAgentFile } from "../../system/agent-files.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions, sessionBytesMax } from "../sessions.ts";
import { toolServers } from "../tool-servers.ts";
import { copilot as description } from "./description.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
const defaultBaseUrl = "https://api.anthropic.com";
const readTools = "view,grep,glob";
/** Tries of the CLI at the service, before Baton takes over with its own backoff. */
const retriesMax = 3;

export interface CopilotOptions {
  binary: string;
  /** Key of Anthropic, or of a service that speaks its wire format. */
  apiKey: string | undefined;
  baseUrl: string | undefined;
  sessions?: Sessions;
}

export function copilot({ binary, apiKey, baseUrl, sessions = noSessions }: CopilotOptions): Harness {
  return cliHarness({
    description,
    binary,
    own: { apiKey, baseUrl },
    async run(request, access, onEvent, signal) {
      const eventsOf = (id: string): string => join(request.homePath, ".copilot", "session-state", id, "events.jsonl");
      const wanted = request.resumeSessionId;
      const resumed = resumable(sessions, name, wanted, wanted === null ? null : eventsOf(wanted), onEvent);
      const sessionId = resumed ?? randomUUID();
      const path = eventsOf(sessionId);
      // Instructions and servers of the tree are not trusted. Only these arguments count.
      const args = ["--output-format", "json", "--allow-all-tools", "--no-auto-update", "--no-ask-user"];
      args.push("--no-custom-instructions", "--disable-builtin-mcps", "--disallow-temp-dir");
      const servers = toolServers<object>(request, {
        local: ({ command, args: its, env: variables }) => ({
          type: "local",
          command,
          args: its,
          env: variables,
          tools: ["*"],
        }),
        remote: ({ url }) => ({ type: "http", url, tools: ["*"] }),
      });
      if (Object.keys(servers).length > 0)
        args.push("--additional-mcp-config", JSON.stringify({ mcpServers: servers }));
      if (request.access === "read-only") args.push(`--available-tools=${readTools}`);
      args.push(resumed === null ? `--session-id=${sessionId}` : `--resume=${resumed}`);
      args.push("--secret-env-vars=COPILOT_PROVIDER_API_KEY");
      const env = agentEnvironment(request, {
        COPILOT_PROVIDER_BASE_URL: access.baseUrl ?? defaultBaseUrl,
        COPILOT_PROVIDER_TYPE: "anthropic",
        COPILOT_PROVIDER_API_KEY: access.apiKey,
        COPILOT_MODEL: request.model ?? defaultModel,
        COPILOT_OFFLINE: "true",
      });
      const result = await runHarness(
        request,
        {
          command: [binary, ...args],
          env,
          secrets: ["COPILOT_PROVIDER_API_KEY"],
          input: `${request.systemPrompt}\n\n${request.prompt}`,
          install,
        },
        new CopilotReader(sessionId, sessionRecords(path, request.homePath)),
        onEvent,
        signal,
      );
      if (result.sessionId !== null) sessions.keep(name, result.sessionId, path, [], request.homePath);
      return result;
    },
  });
}

export interface SessionRecords {
  /** The usage since the attempt began, per model, and how the last answer ended. */
  read(): { usage: HarnessResult["usage"]; finishReason: string | null };
}

/** Answers of a session, as its file lists them. Existing answers belong to earlier attempts. */
function sessionRecords(path: string, root: string): SessionRecords {
  const linesOf = (): string[] => {
    const text = readAgentFile(root, path, sessionBytesMax)?.toString("utf8") ?? "";
    return text.split("\n").filter(isRecord);
  };
  const before = linesOf().length;
  return { read: () => sumOf(linesOf().slice(before)) };
}

const isRecord = (line: string): boolean => line.includes('"session.usage_record"');

export function sumOf(records: string[]): ReturnType<SessionRecords["read"]> {
  const sums = new Map<string, Tokens>();
  let finishReason: string | null = null;
  for (const line of records) {
    const used = fields(fields(jsonLine(line)?.["data"])["usage"]);
    const model = text(used["model"]);
    if (model === null) continue;
    finishReason = text(used["finishReason"]);
    const cacheRead = count(used["cacheReadTokens"]);
    const cacheWrite = count(used["cacheWriteTokens"]);
    // `inputTokens` includes cache reads and cache writes.
    const input = Math.max(0, count(used["inputTokens"]) - cacheRead - cacheWrite);
    const tokens = { input, output: count(used["outputTokens"]), cacheRead, cacheWrite };
    sums.set(model, addTokens(sums.get(model) ?? noTokens, tokens));
  }
  return { usage: [...sums].map(([model, tokens]) => ({ model, tokens, costUsd: null })), finishReason };
}

export class CopilotReader implements StreamReader {
  giveUp: ErrorData | null = null;
  readonly #records: SessionRecords;
  #sessionId: string | null;
  #announced = false;
  #text = "";
  #finished = false;
  #failure: ErrorData | null = null;
  #turns = 0;
  readonly #tools = new Map<string, string>();

  constructor(sessionId: string | null = null, records: SessionRecords = { read: () => sumOf([]) }) {
    this.#sessionId = sessionId;
    this.#records = records;
  }

  keeps(line: string): boolean {
    return !line.includes('"ephemeral":true');
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const event = stream === "stdout" ? jsonLine(line) : null;
    if (event === null) return [];
    const data = fields(event["data"]);
    switch (event["type"]) {
      case "user.message":
        return this.#announce(null);
      case "assistant.message":
        return this.#message(data);
      case "tool.execution_start": {
        const tool = text(data["toolName"]) ?? "tool";
        this.#tools.set(text(data["toolCallId"]) ?? "", tool);
        return [{ type: "tool", name: tool, detail: toolDetail(data["arguments"]), state: "started" }];
      }
      case "tool.execution_complete": {
        const tool = this.#tools.get(text(data["toolCallId"]) ?? "") ?? "tool";
        const state = data["success"] === true ? "completed" : "failed";
        return [{ type: "tool", name: tool, detail: "", state }, ...this.#used()];
      }
      case "model.call_failure":
        return this.#retry(status(data["statusCode"]), count(data["retryAttempt"]) + 1, text(data["errorMessage"]));
      case "session.error": {
        const message = text(data["message"]) ?? "unknown";
        const code = status(data["statusCode"]);
        this.#failure =
          code === null ? failureOf(text(data["errorType"]) ?? "", message) : statusError(code, message.slice(0, 200));
        return [];
      }
      case "result": {
        this.#finished = true;
        const id = text(event["sessionId"]);
        if (event["exitCode"] !== 0)
          this.#failure ??= { code: "BATON_HARNESS_CRASHED", message: "Copilot CLI failed without saying why." };
        return [...this.#announce(id), ...this.#used()];
      }
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    const { usage, finishReason } = this.#records.read();
    const refused = finishReason === "content_filter" || finishReason === "refusal";
    return {
      finished: this.#finished,
      error: this.#failure ?? (refused ? refusal(this.#text) : null),
      text: this.#text,
      sessionId: this.#announced ? this.#sessionId : null,
      usage,
      turns: this.#turns,
    };
  }

  #announce(id: string | null): HarnessEvent[] {
    this.#sessionId = id ?? this.#sessionId;
    if (this.#announced || this.#sessionId === null) return [];
    this.#announced = true;
    return [{ type: "session", sessionId: this.#sessionId, model: null }];
  }

  #message(data: Record<string, unknown>): HarnessEvent[] {
    this.#turns += 1;
    const words = text(data["content"]) ?? "";
    if (words !== "") this.#text = words;
    return words === "" ? this.#used() : [{ type: "text", text: words }, ...this.#used()];
  }

  #used(): HarnessEvent[] {
    return this.#records.read().usage.map((used) => ({ type: "usage", ...used }));
  }

  #retry(code: number | null, attempt: number, reason: string | null): HarnessEvent[] {
    if (code === 401 || code === 403 || attempt >= retriesMax)
      this.giveUp = statusError(code ?? 503, `Tried ${attempt} times.`);
    return [{ type: "retry", reason: reason ?? "error", status: code, attempt }];
  }
}

function failureOf(type: string, message: string): ErrorData {
  return /refus|content.?filter|safety/i.test(`${type} ${message}`)
    ? refusal(message)
    : { code: "BATON_HARNESS_CRASHED", message: `Copilot CLI failed: ${message.slice(0, 300)}` };
}

function refusal(words: string): ErrorData {
  return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${words.slice(0, 300)}` };
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [copilot({ ...own, sessions })];
  },
};
