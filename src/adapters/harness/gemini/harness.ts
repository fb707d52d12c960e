/**
 * Gemini CLI, headless: `gemini -p "" -o stream-json`. Observed with 0.61.0.
 *
 * Traps: the CLI reads `.env` files upwards from its directory, so Baton's own could reach the agent. It also reads
 * settings, hooks and servers of the tree. Baton therefore never trusts the folder. Its own rules allow the actions for
 * which an untrusted folder would ask a person. The CLI retries for minutes. It replaces `@path` in a prompt by the
 * file. A refusal ends with exit code 0. So does a SIGTERM, which its shell and tools survive. Its output tokens omit
 * thoughts. A connection that ends between two pieces of an answer ends the whole attempt.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../../ports/harness.ts";
import { count, type Fields, fields, text, toolDetail } from "../../model-service/fields.ts";
import { errorInWords, statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { findAgentFile, readAgentFile } from "../../system/agent-files.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions, sessionBytesMax } from "../sessions.ts";
import { gemini as description } from "./description.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
/** Tries of the CLI at the service, before Baton takes over with its own backoff. */
const triesMax = 3;
/** The service may ask for a pause. Baton itself waits for longer ones. */
const pauseMaxMs = 15_000;
const textCharactersMax = 512_000;

export interface GeminiOptions {
  binary: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  sessions?: Sessions;
}

export function gemini({ binary, apiKey, baseUrl, sessions = noSessions }: GeminiOptions): Harness {
  return cliHarness({
    description,
    binary,
    own: { apiKey, baseUrl },
    async run(request, access, onEvent, signal) {
      const chats = setUp(request);
      const wanted = request.resumeSessionId;
      const kept = wanted === null ? null : join(chats, `session-resumed-${short(wanted)}.jsonl`);
      const resumed = resumable(sessions, name, wanted, kept, onEvent);
      const sessionId = resumed ?? randomUUID();
      const args = ["-p", "", "-o", "stream-json", "-m", request.model ?? defaultModel];
      args.push(resumed === null ? "--session-id" : "--resume", sessionId);
      const fileOf = (): string | null => {
        return findAgentFile(request.homePath, chats, 0, (file) => file.endsWith(`-${short(sessionId)}.jsonl`));
      };
      const read = (path: string): string =>
        readAgentFile(request.homePath, path, sessionBytesMax)?.toString("utf8") ?? "";
      const result = await runHarness(
        request,
        {
          command: [binary, ...args],
          env: agentEnvironment(request, {
            GEMINI_API_KEY: access.apiKey,
            GOOGLE_GEMINI_BASE_URL: access.baseUrl,
            GEMINI_CLI_TRUST_WORKSPACE: "false",
            // Otherwise the CLI would start itself a second time, with more memory.
            GEMINI_CLI_NO_RELAUNCH: "true",
          }),
          secrets: ["GEMINI_API_KEY"],
          input: withoutInclusions(request.prompt, request.cwd),
          install,
        },
        new GeminiReader(sessionAnswers(fileOf, read)),
        onEvent,
        signal,
      );
      const path = fileOf();
      if (result.sessionId !== null && path !== null && wasAnswered(read(path)))
        sessions.keep(name, result.sessionId, path, [], request.homePath);
      return result;
    },
  });
}

/** The CLI finds a session by the first part of its id in the file's name. */
const short = (sessionId: string): string => sessionId.slice(0, 8).replaceAll(/[^A-Za-z0-9-]/g, "");

/** The CLI does not continue a session in which the model has not answered yet. */
const wasAnswered = (session: string): boolean => session.includes('"type":"gemini"');

/**
 * Writes settings, rules and system text into the private home. Returns the folder in which the CLI keeps this folder's
 * sessions.
 */
function setUp(request: HarnessRequest): string {
  const home = join(request.homePath, ".gemini");
  const chats = join(home, "tmp", "baton", "chats");
  mkdirSync(chats, { recursive: true });
  mkdirSync(join(home, "policies"), { recursive: true });
  // No file of the tree has this name, so the CLI reads none of them as instructions.
  const instructions = `baton-${randomUUID()}.md`;
  // Otherwise a mention of a person includes files with that name.
  const fileFiltering = { enableRecursiveFileSearch: false };
  const settings = {
    security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
    context: { fileName: instructions, includeDirectoryTree: false, fileFiltering },
    advanced: { ignoreLocalEnv: true },
    general: { maxAttempts: triesMax, enableAutoUpdate: false, enableAutoUpdateNotification: false },
    privacy: { usageStatisticsEnabled: false },
    model: { maxSessionTurns: request.maxTurns ?? -1 },
  };
  writeFileSync(join(home, "settings.json"), JSON.stringify(settings));
  writeFileSync(join(home, instructions), request.systemPrompt);
  writeFileSync(join(home, "policies", "baton.toml"), request.access === "write" ? writeRules : readRules);
  writeFileSync(join(home, "projects.json"), JSON.stringify({ projects: { [request.cwd]: "baton" } }));
  writeFileSync(join(home, "tmp", "baton", ".project_root"), request.cwd);
  return chats;
}

/** The CLI replaces `@path` by files and puts a space into mail addresses. It does not change other mentions. */
function withoutInclusions(prompt: string, cwd: string): string {
  return prompt.replaceAll(/(\w?)@([\w./~-]+)/g, (mention, before: string, path: string) => {
    const isFile = existsSync(resolve(cwd, path)) || existsSync(resolve(cwd, path.replace(/[./]+$/, "")));
    return before !== "" || isFile ? `${before}\\@${path}` : mention;
  });
}

/** A rule that checks the arguments is final. Without it, the CLI would ask a person about git and redirections. */
const writeRules = `[[rule]]
toolName = "*"
decision = "allow"
priority = 900

[[rule]]
toolName = "run_shell_command"
argsPattern = "command"
decision = "allow"
allowRedirection = true
priority = 950

[[rule]]
toolName = ["enter_plan_mode", "exit_plan_mode", "ask_user", "web_fetch", "google_web_search"]
decision = "deny"
priority = 990
`;

const readRules = `[[rule]]
toolName = "*"
decision = "deny"
priority = 900

[[rule]]
toolName = ["read_file", "read_many_files", "list_directory", "glob", "grep_search"]
decision = "allow"
priority = 950
`;

/** The usage since the attempt began, from the session's file. */
export type SessionAnswers = () => HarnessResult["usage"];

function sessionAnswers(fileOf: () => string | null, read: (path: string) => string): SessionAnswers {
  const linesOf = (): string[] => {
    const path = fileOf();
    return path === null ? [] : read(path).split("\n");
  };
  const before = linesOf();
  return () => sumOfAnswers(linesOf(), before);
}

/** An answer repeats with each of its tools' results. The last line of an id counts. */
export function sumOfAnswers(lines: readonly string[], before: readonly string[] = []): HarnessResult["usage"] {
  const answers = new Map<string, { model: string; tokens: Tokens }>();
  for (const line of lines) {
    if (!line.includes('"tokens"')) continue;
    const answer = fields(jsonLine(line));
    const [id, model] = [text(answer["id"]), text(answer["model"])];
    const used = fields(answer["tokens"]);
    if (id === null || model === null || answer["type"] !== "gemini") continue;
    const cacheRead = count(used["cached"]);
    const input = Math.max(0, count(used["input"]) - cacheRead) + count(used["tool"]);
    const output = count(used["output"]) + count(used["thoughts"]);
    answers.set(id, { model, tokens: { input, output, cacheRead, cacheWrite: 0 } });
  }
  for (const line of before) answers.delete(text(fields(jsonLine(line))["id"]) ?? "");
  const sums = new Map<string, Tokens>();
  for (const { model, tokens } of answers.values()) sums.set(model, addTokens(sums.get(model) ?? noTokens, tokens));
  return [...sums].map(([model, tokens]) => ({ model, tokens, costUsd: null }));
}

const attempt = /^Attempt (\d+) failed(?: with status (\d+))?.*?(?:Retrying after (\d+)ms|(Max attempts reached)|$)/;
/** Extra lines of the CLI: the source of an error, and its wishes for the terminal. */
const noise = /^(?:\s|[\]{}]|\[STARTUP\]|Warning: |Ripgrep is not|Project hooks disabled)/;

export class GeminiReader implements StreamReader {
  giveUp: ErrorData | null = null;
  readonly #answers: SessionAnswers;
  #sessionId: string | null = null;
  #said = "";
  #text = "";
  #finished = false;
  #failure: ErrorData | null = null;
  #loop: ErrorData | null = null;
  #status: number | null = null;
  #turns = 0;
  #answering = false;
  #usage: HarnessResult["usage"] = [];
  #final = false;
  readonly #tools = new Map<string, string>();

  constructor(answers: SessionAnswers = () => []) {
    this.#answers = answers;
  }

  warns(line: string): boolean {
    return !noise.test(line);
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    if (stream === "stderr") return this.#retry(line);
    const event = fields(jsonLine(line));
    switch (event["type"]) {
      case "init":
        this.#sessionId = text(event["session_id"]);
        if (this.#sessionId === null) return [];
        return [{ type: "session", sessionId: this.#sessionId, model: text(event["model"]) }];
      case "message":
        if (event["role"] !== "assistant") return [];
        this.#answer();
        this.#said = `${this.#said}${text(event["content"]) ?? ""}`.slice(0, textCharactersMax);
        return [];
      case "tool_use": {
        const tool = text(event["tool_name"]) ?? "tool";
        this.#answer();
        this.#tools.set(text(event["tool_id"]) ?? "", tool);
        return [
          ...this.#flush(),
          { type: "tool", name: tool, detail: toolDetail(event["parameters"]), state: "started" },
        ];
      }
      case "tool_result": {
        this.#answering = false;
        const tool = this.#tools.get(text(event["tool_id"]) ?? "") ?? "tool";
        const state = event["status"] === "success" ? "completed" : "failed";
        return [...this.#flush(), { type: "tool", name: tool, detail: "", state }, ...this.#used(this.#answers())];
      }
      case "error":
        this.#loop ??= loopOf(text(event["message"]) ?? "");
        if (event["severity"] !== "error") return [{ type: "warning", text: text(event["message"]) ?? "" }];
        this.#failure = failureOf(text(event["message"]) ?? "unknown", null);
        return [];
      case "result":
        return this.#result(event);
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    this.#flush();
    // A stopped CLI has reported nothing, but its file has the usage.
    if (!this.#final) this.#used(this.#answers());
    return {
      finished: this.#finished,
      error: this.#failure,
      text: this.#text,
      sessionId: this.#sessionId,
      usage: this.#usage,
      turns: this.#turns,
    };
  }

  #answer(): void {
    if (!this.#answering) this.#turns += 1;
    this.#answering = true;
    this.#status = null;
  }

  #flush(): HarnessEvent[] {
    const words = this.#said;
    this.#said = "";
    if (words === "") return [];
    this.#text = words;
    return [{ type: "text", text: words }];
  }

  #result(event: Fields): HarnessEvent[] {
    this.#finished = true;
    const events = this.#flush();
    // When its own loop guard stops it, the CLI prints only a warning and exits well.
    if (this.#loop !== null) this.#failure = this.#loop;
    else if (event["status"] === "success") this.#failure = null;
    else {
      const error = fields(event["error"]);
      const why = text(error["message"]);
      if (error["type"] === "FatalTurnLimitedError")
        this.#failure = { code: "BATON_HARNESS_TURNS", message: "Gemini CLI came to its limit of turns." };
      else if (why !== null) this.#failure = failureOf(why, this.#status);
      this.#failure ??= failureOf("it did not say why", this.#status);
    }
    const told = usageOf(fields(fields(event["stats"])["models"]));
    this.#final = told.length > 0;
    return [...events, ...this.#used(this.#final ? told : this.#answers())];
  }

  #used(usage: HarnessResult["usage"]): HarnessEvent[] {
    const isNew = usage.filter((one) => !this.#usage.some((known) => JSON.stringify(known) === JSON.stringify(one)));
    if (usage.length > 0) this.#usage = usage;
    return isNew.map((one) => ({ type: "usage", ...one }));
  }

  #retry(line: string): HarnessEvent[] {
    const [, tries, code, pause, last] = attempt.exec(line) ?? [];
    if (tries === undefined || last !== undefined) return [];
    const pauseMs = Number(pause ?? 0);
    // Only a quota comes with a pause.
    const status = code !== undefined ? Number(code) : pause !== undefined ? 429 : null;
    this.#status = status ?? this.#status;
    const why = line.slice(0, 300);
    if (Number(tries) >= triesMax || pauseMs > pauseMaxMs) {
      const error = statusError(this.#status ?? 503, `Tried ${tries} times.`);
      this.giveUp = pauseMs > 0 ? { ...error, retryAfterMs: Math.max(pauseMs, error.retryAfterMs ?? 0) } : error;
    }
    return [{ type: "retry", reason: why, status, attempt: Number(tries) }];
  }
}

/** `output_tokens` omits thoughts. The total includes them. */
function usageOf(models: Fields): HarnessResult["usage"] {
  return Object.entries(models).flatMap(([model, value]) => {
    const used = fields(value);
    const all = count(used["input_tokens"]);
    const cacheRead = Math.min(all, count(used["cached"]));
    const output = Math.max(count(used["output_tokens"]), count(used["total_tokens"]) - all);
    const tokens: Tokens = { input: all - cacheRead, output, cacheRead, cacheWrite: 0 };
    return all + output === 0 ? [] : [{ model, tokens, costUsd: null }];
  });
}

function loopOf(message: string): ErrorData | null {
  const error = errorInWords(message);
  return error?.code === "BATON_HARNESS_LOOP" ? error : null;
}

function failureOf(message: string, lastStatus: number | null): ErrorData {
  const words = message.slice(0, 300);
  if (/API_KEY_INVALID|API key not valid/i.test(message)) return statusError(401, words);
  const [, code] = /"code":\s*([45]\d\d)\b/.exec(message) ?? [];
  if (code !== undefined) return statusError(Number(code), words);
  if (/safety|blocked|prohibited|recitation|refus/i.test(message))
    return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${words}` };
  if (lastStatus !== null) return statusError(lastStatus, words);
  if (/quota|RESOURCE_EXHAUSTED/i.test(message)) return statusError(429, words);
  if (/terminated|fetch failed|socket|ECONN|ETIMEDOUT/i.test(message))
    return { code: "BATON_HARNESS_UNAVAILABLE", message: `The connection to the model's service broke. ${words}` };
  return { code: "BATON_HARNESS_CRASHED", message: `Gemini CLI failed: ${words}` };
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [gemini({ ...own, sessions })];
  },
};
