/**
 * OpenCode, headless: `opencode run --format json`. Observed with 1.18.33.
 *
 * Traps: the CLI retries some errors for minutes or without end. Only its log shows that, so Baton makes it print the log.
 * Tokens are per step. A tool survives its TERM. It keeps sessions in a database (`database.ts`), bound to a directory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessRequest } from "../../../ports/harness.ts";
import { count, type Fields, fields, status, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions, sessionGone } from "../sessions.ts";
import { toolServers } from "../tool-servers.ts";
import { databaseBesides, moveSession } from "./database.ts";
import { opencode as description } from "./description.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
/** Tries of the CLI at the service in a row, before Baton takes over with its own backoff. */
const retriesMax = 3;
const defaultBaseUrl = "https://api.anthropic.com";

export interface OpencodeOptions {
  binary: string;
  /** Key of Anthropic, or of a service that speaks its wire format. */
  apiKey: string | undefined;
  baseUrl: string | undefined;
  sessions?: Sessions;
}

/**
 * The CLI installs its kit for plugins into this folder from the npm registry. No attempt needs the kit, and no setting
 * stops the installation. A lock file that names the kit stops it. Observed with 1.18.33.
 */
function markInstalled(folder: string): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  const packages = { "": { dependencies: { "@opencode-ai/plugin": "*" } } };
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
}

export function opencode({ binary, apiKey, baseUrl, sessions = noSessions }: OpencodeOptions): Harness {
  return cliHarness({
    description,
    binary,
    own: { apiKey, baseUrl },
    async run(request, access, onEvent, signal) {
      const database = join(request.homePath, ".local", "share", "opencode", "opencode.db");
      const kept = resumable(sessions, name, request.resumeSessionId, database, onEvent, databaseBesides);
      const resumed = kept !== null && (await moveSession(database, kept, request.cwd)) ? kept : null;
      if (resumed === null && kept !== null) onEvent(sessionGone);
      const model = request.model ?? defaultModel;
      const instructions = join(request.homePath, "instructions.md");
      mkdirSync(request.homePath, { recursive: true });
      writeFileSync(instructions, request.systemPrompt);
      markInstalled(join(request.homePath, ".config", "opencode"));
      const env = agentEnvironment(request, {
        ANTHROPIC_API_KEY: access.apiKey,
        OPENCODE_CONFIG_CONTENT: JSON.stringify(
          configOf(model, access.baseUrl ?? defaultBaseUrl, instructions, request),
        ),
        // Settings and instructions of the tree are not trusted. Only these variables count.
        OPENCODE_DISABLE_PROJECT_CONFIG: "1",
        OPENCODE_DISABLE_CLAUDE_CODE: "1",
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      });
      const args = ["--format", "json", "--pure", "--print-logs", "--log-level", "ERROR", "-m", `baton/${model}`];
      if (resumed !== null) args.push("--session", resumed);
      const result = await runHarness(
        request,
        { command: [binary, "run", ...args], env, secrets: ["ANTHROPIC_API_KEY"], input: request.prompt, install },
        new OpencodeReader(model),
        onEvent,
        signal,
      );
      if (result.sessionId !== null) sessions.keep(name, result.sessionId, database, databaseBesides, request.homePath);
      return result;
    },
  });
}

function configOf(model: string, baseUrl: string, instructions: string, request: HarnessRequest): object {
  const write = request.access === "write" ? "allow" : "deny";
  const mcp = toolServers<object>(request, {
    local: ({ command, args, env }) => ({
      type: "local",
      command: [command, ...args],
      environment: env,
      enabled: true,
    }),
    remote: ({ url }) => ({ type: "remote", url, enabled: true }),
  });
  const limit = { context: 200_000, output: 32_000 };
  const provider = {
    npm: "@ai-sdk/anthropic",
    name: "baton",
    options: { baseURL: `${baseUrl}/v1`, apiKey: "{env:ANTHROPIC_API_KEY}" },
    models: { [model]: { name: model, limit } },
  };
  const permission = { edit: write, bash: write, task: write, webfetch: "deny" };
  return {
    autoupdate: false,
    share: "disabled",
    // Baton keeps the tree's history itself.
    snapshot: false,
    instructions: [instructions],
    provider: { baton: provider },
    permission,
    mcp,
  };
}

export class OpencodeReader implements StreamReader {
  giveUp: ErrorData | null = null;
  readonly #model: string;
  #sessionId: string | null = null;
  #text = "";
  #reason: string | null = null;
  #failure: ErrorData | null = null;
  #turns = 0;
  #tokens: Tokens = noTokens;
  #tries = 0;

  constructor(model: string) {
    this.#model = model;
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    if (stream === "stderr") return this.#log(line);
    const event = jsonLine(line);
    if (event === null) return [];
    const events = this.#session(text(event["sessionID"]));
    const part = fields(event["part"]);
    switch (event["type"]) {
      case "text": {
        const words = text(part["text"]);
        if (words === null) break;
        this.#text = words;
        events.push({ type: "text", text: words });
        break;
      }
      case "tool_use":
        events.push(...toolEvents(part));
        break;
      case "step_finish":
        events.push(this.#step(part));
        break;
      case "error":
        this.#failure = failureOf(fields(event["error"]));
        break;
    }
    return events;
  }

  end(): ReturnType<StreamReader["end"]> {
    const { input, output, cacheRead, cacheWrite } = this.#tokens;
    const used = input + output + cacheRead + cacheWrite > 0;
    return {
      // After a step that called tools, another step would follow.
      finished: this.#failure !== null || (this.#reason !== null && this.#reason !== "tool-calls"),
      error: this.#failure ?? (this.#reason === "content-filter" ? refusal(this.#text) : null),
      text: this.#text,
      sessionId: this.#sessionId,
      usage: used ? [{ model: this.#model, tokens: this.#tokens, costUsd: null }] : [],
      turns: this.#turns,
    };
  }

  /** A failed request of the main conversation. Requests for titles and the like do not count. */
  #log(line: string): HarnessEvent[] {
    const message = /\bmessage="stream error".*\bsmall=false.*\berror\.error="AI_APICallError: ?([^"]*)/.exec(
      line,
    )?.[1];
    if (message === undefined) return [];
    this.#tries += 1;
    const code = statusOf(message);
    if (code === 401 || code === 403 || this.#tries >= retriesMax)
      this.giveUp = statusError(code ?? 503, `Tried ${this.#tries} times. ${message.slice(0, 200)}`);
    return [{ type: "retry", reason: message, status: code, attempt: this.#tries }];
  }

  #session(id: string | null): HarnessEvent[] {
    if (id === null || this.#sessionId !== null) return [];
    this.#sessionId = id;
    return [{ type: "session", sessionId: id, model: this.#model }];
  }

  #step(part: Fields): HarnessEvent {
    this.#tries = 0;
    this.#reason = text(part["reason"]);
    this.#turns += 1;
    const used = fields(part["tokens"]);
    const cache = fields(used["cache"]);
    this.#tokens = addTokens(this.#tokens, {
      input: count(used["input"]),
      output: count(used["output"]) + count(used["reasoning"]),
      cacheRead: count(cache["read"]),
      cacheWrite: count(cache["write"]),
    });
    return { type: "usage", model: this.#model, tokens: this.#tokens, costUsd: null };
  }
}

/** Reports a tool once, when it has ended. */
function toolEvents(part: Fields): HarnessEvent[] {
  const state = fields(part["state"]);
  const tool = text(part["tool"]) ?? "tool";
  const failed = state["status"] === "error" || tool === "invalid";
  return [
    { type: "tool", name: tool, detail: toolDetail(state["input"]), state: "started" },
    { type: "tool", name: tool, detail: "", state: failed ? "failed" : "completed" },
  ];
}

function failureOf(error: Fields): ErrorData {
  const data = fields(error["data"]);
  const message = text(data["message"]) ?? text(error["name"]) ?? "unknown";
  if (error["name"] === "ContentFilterError") return refusal(message);
  const code = status(data["statusCode"]);
  return code === null
    ? { code: "BATON_HARNESS_CRASHED", message: `OpenCode failed: ${message.slice(0, 300)}` }
    : statusError(code, message.slice(0, 200));
}

/** The log has words, not the status. */
function statusOf(message: string): number | null {
  if (/rate.?limit|too many requests|quota/i.test(message)) return 429;
  return status(/\b([45]\d\d)\b/.exec(message)?.[1]);
}

function refusal(words: string): ErrorData {
  return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${words.slice(0, 300)}` };
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [opencode({ ...own, sessions })];
  },
};
