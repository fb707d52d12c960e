/**
 * Pi, headless: `pi --mode json -p`. Observed with 0.87.1.
 *
 * Traps: the exit code is always 0, so the last message's `stopReason` decides. The whole conversation comes again at
 * the end. Usage is per message. It has neither a sandbox nor permissions, so read-only is a list of tools.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultModelOf } from "../../../config/models.ts";
import type { ErrorData } from "../../../core/errors.ts";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent } from "../../../ports/harness.ts";
import { count, type Fields, fields, list, status, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { findAgentFile } from "../../system/agent-files.ts";
import { cliHarness } from "../cli-harness.ts";
import type { HarnessDefinition } from "../definition.ts";
import { installLine } from "../description.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { noSessions, resumable, type Sessions } from "../sessions.ts";
import { pi as description } from "./description.ts";

const { name } = description;
const install = installLine(description);
const defaultModel = defaultModelOf(name);
const defaultBaseUrl = "https://api.anthropic.com";
const readTools = "read,grep,find,ls";

export interface PiOptions {
  binary: string;
  /** Key of Anthropic, or of a service that speaks its wire format. */
  apiKey: string | undefined;
  baseUrl: string | undefined;
  sessions?: Sessions;
}

export function pi({ binary, apiKey, baseUrl, sessions = noSessions }: PiOptions): Harness {
  return cliHarness({
    description,
    binary,
    own: { apiKey, baseUrl },
    async run(request, access, onEvent, signal) {
      const model = request.model ?? defaultModel;
      const home = join(request.homePath, ".pi", "agent");
      const sessionsDir = join(home, "baton-sessions");
      mkdirSync(sessionsDir, { recursive: true });
      writeFileSync(join(home, "models.json"), JSON.stringify(modelsOf(model, access.baseUrl ?? defaultBaseUrl)));
      const restored = join(sessionsDir, "resumed.jsonl");
      const resumed = resumable(sessions, name, request.resumeSessionId, restored, onEvent);
      if (resumed !== null) moveSession(restored, request.cwd);
      const args = ["--mode", "json", "-p", "--provider", "baton", "--model", model];
      args.push("--append-system-prompt", request.systemPrompt, "--session-dir", sessionsDir);
      // Instructions, extensions and settings of the tree are not trusted. Only these arguments count.
      args.push("--no-context-files", "--no-extensions", "--no-skills", "--no-prompt-templates", "--no-approve");
      if (request.access === "read-only") args.push("--tools", readTools);
      if (resumed !== null) args.push("--session", restored);
      const env = agentEnvironment(request, { ANTHROPIC_API_KEY: access.apiKey, PI_OFFLINE: "1", PI_TELEMETRY: "0" });
      const result = await runHarness(
        request,
        { command: [binary, ...args], env, secrets: ["ANTHROPIC_API_KEY"], input: request.prompt, install },
        new PiReader(),
        onEvent,
        signal,
      );
      if (result.sessionId !== null) {
        const isItself = (file: string): boolean => file.endsWith(`_${result.sessionId}.jsonl`);
        const path = findAgentFile(request.homePath, sessionsDir, 0, isItself) ?? restored;
        sessions.keep(name, result.sessionId, path, [], request.homePath);
      }
      return result;
    },
  });
}

/** The first line of a session names its directory. In another directory, the CLI would work in the old one, or fail. */
function moveSession(path: string, cwd: string): void {
  const [first = "", ...rest] = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [JSON.stringify({ ...jsonLine(first), cwd }), ...rest].join("\n"));
}

/** One provider and one model: the requested ones. Baton counts the cost. */
function modelsOf(model: string, baseUrl: string): object {
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const entry = { id: model, name: model, input: ["text"], contextWindow: 200_000, maxTokens: 32_000, cost };
  const provider = { baseUrl, api: "anthropic-messages", apiKey: "$ANTHROPIC_API_KEY", models: [entry] };
  return { providers: { baton: provider } };
}

const pieces = /^\{"type":"(?:message_update|message_start|tool_execution_update|turn_end|agent_end)"/;

export class PiReader implements StreamReader {
  giveUp: ErrorData | null = null;
  #sessionId: string | null = null;
  #text = "";
  #finished = false;
  #failure: string | null = null;
  #turns = 0;
  readonly #usage = new Map<string, Tokens>();

  keeps(line: string): boolean {
    return !pieces.test(line);
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    if (stream === "stderr" || !this.keeps(line)) return [];
    const event = jsonLine(line);
    switch (event?.["type"]) {
      case "session":
        this.#sessionId = text(event["id"]);
        return this.#sessionId === null ? [] : [{ type: "session", sessionId: this.#sessionId, model: null }];
      case "message_end":
        return this.#message(fields(event["message"]));
      case "tool_execution_start":
        return [this.#tool(event, toolDetail(event["args"]), "started")];
      case "tool_execution_end":
        return [this.#tool(event, "", event["isError"] === true ? "failed" : "completed")];
      case "auto_retry_start": {
        const reason = text(event["errorMessage"]) ?? "";
        return [{ type: "retry", reason, status: statusOf(reason), attempt: Math.max(1, count(event["attempt"])) }];
      }
      case "agent_settled":
        this.#finished = true;
        return [];
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    return {
      finished: this.#finished,
      error: this.#failure === null ? null : failureOf(this.#failure),
      text: this.#text,
      sessionId: this.#sessionId,
      usage: [...this.#usage].map(([model, tokens]) => ({ model, tokens, costUsd: null })),
      turns: this.#turns,
    };
  }

  #tool(event: Fields, detail: string, state: "started" | "completed" | "failed"): HarnessEvent {
    return { type: "tool", name: text(event["toolName"]) ?? "tool", detail, state };
  }

  #message(message: Fields): HarnessEvent[] {
    if (message["role"] !== "assistant") return [];
    // A later answer makes up for the failure of an earlier try.
    this.#failure = message["stopReason"] === "error" ? (text(message["errorMessage"]) ?? "unknown") : null;
    const events: HarnessEvent[] = [];
    for (const part of list(message["content"])) {
      const words = text(part["text"]);
      if (part["type"] !== "text" || words === null || words === "") continue;
      this.#text = words;
      events.push({ type: "text", text: words });
    }
    const model = text(message["model"]);
    const used = fields(message["usage"]);
    const tokens: Tokens = {
      input: count(used["input"]),
      output: count(used["output"]),
      cacheRead: count(used["cacheRead"]),
      cacheWrite: count(used["cacheWrite"]),
    };
    if (model === null || JSON.stringify(tokens) === JSON.stringify(noTokens)) return events;
    this.#turns += 1;
    const sum = addTokens(this.#usage.get(model) ?? noTokens, tokens);
    this.#usage.set(model, sum);
    return [...events, { type: "usage", model, tokens: sum, costUsd: null }];
  }
}

function statusOf(message: string): number | null {
  return status(/^\s*([45]\d\d)\b/.exec(message)?.[1]);
}

function failureOf(message: string): ErrorData {
  const code = statusOf(message);
  if (code !== null) return statusError(code, message.slice(0, 200));
  return /refus|content.filter|safety/i.test(message)
    ? { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${message.slice(0, 300)}` }
    : { code: "BATON_HARNESS_CRASHED", message: `Pi failed: ${message.slice(0, 300)}` };
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ clis, sessions }) => {
    const own = clis[name];
    return own === undefined ? [] : [pi({ ...own, sessions })];
  },
};
