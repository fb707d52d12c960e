/**
 * Any agent that speaks the Agent Client Protocol on its standard input and output. Version 1, or 2 where the agent
 * knows no other.
 *
 * Owns: the conversation, from `initialize` to the end of the turn. In version 1 the prompt's answer ends the turn. In
 * version 2 that answer only confirms the prompt, and the state `idle` ends the turn
 * (https://agentclientprotocol.com/protocol/v2/prompt-lifecycle). Does not own: files (`acp-files.ts`). The agent
 * reaches its models through Baton's proxy where there is one, by the variables that agents commonly read.
 *
 * Traps: an agent that asks for no permission escapes permission checks, so Baton does not promise `readOnly`. The
 * protocol has no place for system text. Few agents end by themselves after their answer. Only some agents report
 * usage.
 */
import { basename } from "node:path";
import { PassThrough } from "node:stream";
import * as acp from "@agentclientprotocol/sdk";
import type { ErrorData } from "../../../core/errors.ts";
import type { Tokens } from "../../../core/vocabulary.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../../ports/harness.ts";
import { amount, count, type Fields, fields, list, text, toolDetail } from "../../model-service/fields.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import type { HarnessDefinition } from "../definition.ts";
import { probeCli } from "../probe.ts";
import { jsonLine, runHarness, type StreamReader } from "../run-harness.ts";
import { toolServers } from "../tool-servers.ts";
import { acp as description } from "./description.ts";
import { FileRefused, readWorkspaceFile, writeWorkspaceFile } from "./files.ts";
import type { AcpOptions } from "./options.ts";

/** The program that answers `--version`, even where `env` sets its variables. */
function programOf(command: readonly string[]): readonly string[] {
  const [first = ""] = command;
  if (basename(first) !== "env") return [first];
  const at = command.findIndex((word, index) => index > 0 && !word.includes("=") && !word.startsWith("-"));
  return at === -1 ? [first] : command.slice(0, at + 1);
}

/** From the answer, or from a polite cancel, to TERM. */
const partingMs = 1_000;
const textCharactersMax = 512_000;
/** Kinds of tools that by nature change nothing. */
const harmless = new Set(["read", "search", "think", "fetch"]);

export function acpAgent({ name, command, reads = true, keys = {}, install: advised }: AcpOptions): Harness {
  const [program = "", ...args] = command;
  const install = advised ?? `Install ${program}, or correct BATON_ACP_AGENTS`;
  return {
    name,
    capabilities: description.capabilities,
    defaultModel: null,
    probe: () => probeCli({ command: programOf(command), install, authenticated: true, authenticate: "" }),
    async run(request, onEvent, signal) {
      const env = agentEnvironment(request, { ...keys, ...modelVariables(request) });
      const input = new PassThrough();
      const reader = new AcpReader(request.model ?? name);
      const concluded = new AbortController();
      const hard = new AbortController();
      const timers: NodeJS.Timeout[] = [];
      const later = (stop: AbortController): void => void timers.push(setTimeout(() => stop.abort(), partingMs));
      const talk = converse(request, reads, reader, input, onEvent);
      const onAbort = (): void => {
        talk.cancel();
        later(hard);
      };
      if (signal.aborted) hard.abort();
      else signal.addEventListener("abort", onAbort, { once: true });
      void talk.ended.then(() => {
        // A canceled prompt has its answer, so Baton does not wait longer.
        if (signal.aborted) hard.abort();
        input.end();
        later(concluded);
      });
      try {
        return await runHarness(
          request,
          {
            command: [program, ...args],
            env,
            secrets: Object.keys(env).filter((key) => key.endsWith("_KEY")),
            input,
            install,
            concluded: concluded.signal,
          },
          reader,
          onEvent,
          hard.signal,
        );
      } finally {
        signal.removeEventListener("abort", onAbort);
        talk.close();
        await talk.ended;
        for (const timer of timers) clearTimeout(timer);
        input.destroy();
      }
    },
  };
}

/** Addresses on loopback and tokens for this attempt, never a key of the operator. */
function modelVariables({ models = {} }: Pick<HarnessRequest, "models">): Record<string, string> {
  const variables: Record<string, string> = {};
  const give = (access: { baseUrl: string; key: string } | undefined, key: string, url: string): void => {
    if (access === undefined) return;
    variables[key] = access.key;
    variables[url] = access.baseUrl;
  };
  if (models.anthropic?.kind === "api-key") give(models.anthropic, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL");
  give(models.openai, "OPENAI_API_KEY", "OPENAI_BASE_URL");
  give(models.gemini, "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL");
  return variables;
}

interface Conversation {
  /** Never rejects. The reader gets the error. */
  ended: Promise<void>;
  cancel(): void;
  close(): void;
}

function converse(
  request: HarnessRequest,
  reads: boolean,
  reader: AcpReader,
  input: PassThrough,
  onEvent: (event: HarnessEvent) => void,
): Conversation {
  let sessionId: string | null = null;
  const app = acp
    .client({ name: "baton" })
    .onNotification("session/update", () => {})
    .onRequest("session/request_permission", ({ params }) => ({ outcome: decide(request, reader, params) }))
    .onRequest("fs/read_text_file", async ({ params }) => ({
      content: await answered(readWorkspaceFile(request.cwd, params.path, params.line, params.limit)),
    }))
    .onRequest("fs/write_text_file", async ({ params }) => {
      if (request.access !== "write") throw acp.RequestError.invalidParams(undefined, "This step may only read.");
      await answered(writeWorkspaceFile(request.cwd, params.path, params.content));
    });
  const connection = app.connect({ readable: reader.messages, writable: linesTo(input) });
  const { agent } = connection;

  const talk = async (): Promise<void> => {
    const info = { name: "baton", version: "1" };
    const about = {
      protocolVersion: acp.PROTOCOL_VERSION,
      clientCapabilities: { fs: { readTextFile: reads, writeTextFile: request.access === "write" }, terminal: false },
      clientInfo: info,
      // Only agents that speak version 2 read these fields.
      capabilities: {},
      info,
    };
    const start = await agent.request<acp.InitializeResponse>("initialize", about);
    const isSecond = start.protocolVersion === secondVersion;
    if (start.protocolVersion !== acp.PROTOCOL_VERSION && !isSecond)
      throw new Error(
        `The agent speaks version ${start.protocolVersion} of the protocol, not ${acp.PROTOCOL_VERSION} or ${secondVersion}.`,
      );
    const servers = toolServers<acp.McpServer>(request, {
      local: ({ name: server, command, args, env }) => ({
        ...(isSecond ? { type: "stdio" } : {}),
        name: server,
        command,
        args,
        env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
      }),
      remote: ({ name: server, url }) => ({ type: "http", name: server, url, headers: [] }),
    });
    const open = () => agent.request("session/new", { cwd: request.cwd, mcpServers: Object.values(servers) });
    const session = await open().catch(async (thrown: unknown) => {
      const methods = list(start.authMethods).map((method) => text(method[isSecond ? "methodId" : "id"]) ?? "");
      const methodId = methods.find((id) => /key|token/i.test(id));
      if (!(thrown instanceof acp.RequestError) || thrown.code !== authRequired || methodId === undefined) throw thrown;
      await agent.request<unknown>(isSecond ? "auth/login" : "authenticate", { methodId });
      return open();
    });
    sessionId = session.sessionId;
    for (const event of reader.begin(session.sessionId)) onEvent(event);
    if (request.model !== null) await chooseModel(request.model, session);
    const prompt = [{ type: "text" as const, text: `${request.systemPrompt}\n\n${request.prompt}` }];
    reader.prompted();
    const answer = await agent.request<acp.PromptResponse>("session/prompt", { sessionId: session.sessionId, prompt });
    reader.conclude(isSecond ? await reader.idle : answer.stopReason);
  };

  const chooseModel = async (model: string, session: acp.NewSessionResponse): Promise<void> => {
    const option = session.configOptions?.find(({ type, category }) => type === "select" && category === "model");
    const known = list(fields(fields(session)["models"])["availableModels"]).map(({ modelId }) => modelId);
    const { sessionId: id } = session;
    const configId = text(fields(option)["configId"]);
    if (configId !== null)
      await agent.request<unknown>("session/set_config_option", { sessionId: id, configId, type: "id", value: model });
    else if (option !== undefined)
      await agent.request("session/set_config_option", { sessionId: id, configId: option.id, value: model });
    // The way from before the protocol had options.
    else if (known.includes(model))
      await agent.request("session/set_model", { sessionId: session.sessionId, modelId: model });
    else onEvent({ type: "warning", text: `The agent takes no model by name; "${model}" is not passed on.` });
  };

  return {
    ended: talk().catch((thrown: unknown) => reader.fail(thrown)),
    cancel() {
      if (sessionId !== null) agent.notify("session/cancel", { sessionId }).catch(() => {});
    },
    close() {
      reader.close();
      connection.close();
    },
  };
}

const authRequired = -32_000;
const secondVersion = 2;

async function answered<T>(work: Promise<T>): Promise<T> {
  return work.catch((thrown: unknown) => {
    // Agents check whether a file exists before they create it.
    if (fields(thrown)["code"] === "ENOENT") throw acp.RequestError.resourceNotFound();
    const why = thrown instanceof FileRefused ? thrown.message : "The file cannot be read or written.";
    throw acp.RequestError.invalidParams(undefined, why);
  });
}

function linesTo(input: PassThrough): WritableStream<acp.AnyMessage> {
  return new WritableStream({
    write(message) {
      if (input.writable) input.write(`${JSON.stringify(message)}\n`);
    },
  });
}

function decide(
  request: Pick<HarnessRequest, "access">,
  reader: AcpReader,
  { toolCall, options }: acp.RequestPermissionRequest,
): acp.RequestPermissionOutcome {
  const kind = toolCall.kind ?? reader.kindOf(toolCall.toolCallId);
  const wanted = request.access === "write" || harmless.has(kind) ? "allow" : "reject";
  const option =
    options.find((one) => one.kind === `${wanted}_once`) ?? options.find((one) => one.kind === `${wanted}_always`);
  return option === undefined ? { outcome: "cancelled" } : { outcome: "selected", optionId: option.optionId };
}

/** Reads events from the lines on arrival. The conversation gets the messages. */
export class AcpReader implements StreamReader {
  giveUp: ErrorData | null = null;
  readonly messages: ReadableStream<acp.AnyMessage>;
  readonly #model: string;
  #controller: ReadableStreamDefaultController<acp.AnyMessage> | null = null;
  #sessionId: string | null = null;
  #said = "";
  #text = "";
  #stopReason: string | null = null;
  #failure: ErrorData | null = null;
  #turns = 0;
  #answering = false;
  #usage: HarnessResult["usage"] = [];
  #costUsd: number | null = null;
  readonly #tools = new Map<string, { name: string; kind: string }>();
  readonly #idle = Promise.withResolvers<string>();
  #prompted = false;
  #running = false;
  #messageId: string | null = null;

  constructor(model: string) {
    this.#model = model;
    this.messages = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    // Possibly nobody waits for this promise.
    this.#idle.promise.catch(() => {});
  }

  begin(sessionId: string): HarnessEvent[] {
    this.#sessionId = sessionId;
    return [{ type: "session", sessionId, model: null }];
  }

  /** From now on `idle` is the end of the prompt's turn. */
  prompted(): void {
    this.#prompted = true;
  }

  /** Version 2: why the work on the prompt ended. Rejects when the conversation closes before that. */
  get idle(): Promise<string> {
    return this.#idle.promise;
  }

  conclude(stopReason: string): void {
    this.#stopReason = stopReason;
  }

  /** Keeps the agent's own refusal. A closed connection says nothing about the reason. */
  fail(thrown: unknown): void {
    if (this.#controller === null) return;
    this.#failure ??= failureOf(thrown);
  }

  close(): void {
    const controller = this.#controller;
    this.#controller = null;
    controller?.close();
    this.#idle.reject(new Error("The conversation is closed."));
  }

  kindOf(toolCallId: string): string {
    return this.#tools.get(toolCallId)?.kind ?? "other";
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const message = stream === "stdout" ? jsonLine(line) : null;
    if (message === null || message["jsonrpc"] !== "2.0") return [];
    const params = fields(message["params"]);
    const events: HarnessEvent[] = [];
    if (message["method"] === "session/update") events.push(...this.#update(fields(params["update"])));
    if (message["method"] === "session/request_permission") {
      // Version 2 has the call inside the subject of the question.
      params["toolCall"] ??= fields(params["subject"])["toolCall"] ?? { toolCallId: "", title: text(params["title"]) };
      events.push(...this.#tool(fields(params["toolCall"])));
    }
    const isAnswer = "result" in message && "stopReason" in fields(message["result"]);
    if (isAnswer) events.push(...this.#flush(), ...this.#told(fields(message["result"])));
    // This reader handles updates. The conversation handles answers and questions.
    if (message["method"] !== "session/update") this.#controller?.enqueue(message as acp.AnyMessage);
    return events;
  }

  end(): ReturnType<StreamReader["end"]> {
    this.#flush();
    return {
      finished: this.#stopReason !== null,
      error: this.#failure ?? stopError(this.#stopReason, this.#text),
      text: this.#text,
      sessionId: this.#sessionId,
      usage: this.#usage,
      turns: this.#turns,
    };
  }

  #update(update: Fields): HarnessEvent[] {
    const events: HarnessEvent[] = [];
    switch (update["sessionUpdate"]) {
      case "agent_message_chunk":
        this.#answer();
        events.push(...this.#message(text(update["messageId"])));
        this.#said = `${this.#said}${text(fields(update["content"])["text"]) ?? ""}`.slice(0, textCharactersMax);
        return events;
      case "agent_message": {
        this.#answer();
        events.push(...this.#message(text(update["messageId"])));
        // The whole message, even if parts of it came before.
        const parts = list(update["content"]).map((part) => text(part["text"]) ?? "");
        this.#said = parts.join("").slice(0, textCharactersMax);
        return events;
      }
      case "state_update":
        return this.#state(update);
      case "tool_call":
      case "tool_call_update":
        return this.#tool(update);
      case "plan":
      case "plan_update": {
        const entries = list((update["sessionUpdate"] === "plan" ? update : fields(update["plan"]))["entries"]);
        const done = entries.filter(({ status }) => status === "completed").length;
        const now = entries.find(({ status }) => status === "in_progress") ?? entries[done];
        const detail = `${done} of ${entries.length}${now === undefined ? "" : `: ${text(now["content"]) ?? ""}`}`;
        return [...this.#flush(), { type: "tool", name: "plan", detail, state: "completed" }];
      }
      case "usage_update": {
        const cost = fields(update["cost"]);
        if (cost["currency"] !== "USD") return [];
        this.#costUsd = amount(cost["amount"]);
        return this.#priced();
      }
      default:
        return [];
    }
  }

  /** Another message than the last one completes the last one. */
  #message(id: string | null): HarnessEvent[] {
    const isOther = id !== null && this.#messageId !== null && id !== this.#messageId;
    this.#messageId = id ?? this.#messageId;
    return isOther ? this.#flush() : [];
  }

  /** Ignores an `idle` that ends no work of the prompt. The session had not begun yet. */
  #state(update: Fields): HarnessEvent[] {
    if (!this.#prompted) return [];
    if (update["state"] === "running") this.#running = true;
    const reason = text(update["stopReason"]);
    if (update["state"] !== "idle" || (reason === null && !this.#running)) return [];
    const { error } = update;
    if (reason === "error" && typeof error === "object" && error !== null) {
      const { code, message, data } = fields(error);
      this.#failure ??= failureOf(
        new acp.RequestError(typeof code === "number" ? code : internalError, text(message) ?? "no reason", data),
      );
    }
    this.#idle.resolve(reason ?? "end_turn");
    return [...this.#flush(), ...this.#told(update)];
  }

  #answer(): void {
    if (!this.#answering) this.#turns += 1;
    this.#answering = true;
  }

  #flush(): HarnessEvent[] {
    const words = this.#said;
    this.#said = "";
    if (words === "") return [];
    this.#text = words;
    return [{ type: "text", text: words }];
  }

  /** Some agents report a call for the first time when they ask permission for it. */
  #tool(update: Fields): HarnessEvent[] {
    const id = text(update["toolCallId"]) ?? "";
    const known = this.#tools.get(id);
    const kind = text(update["kind"]) ?? known?.kind ?? "other";
    const name = text(update["name"]) ?? known?.name ?? kind;
    this.#tools.set(id, { name, kind });
    const events: HarnessEvent[] = [];
    if (known === undefined) {
      this.#answer();
      const where = text(list(update["locations"])[0]?.["path"]);
      const detail = toolDetail(update["rawInput"]) || where || text(update["title"]) || "";
      events.push(...this.#flush(), { type: "tool", name, detail, state: "started" });
    }
    const { status } = update;
    if (status !== "completed" && status !== "failed" && status !== "cancelled") return events;
    this.#answering = false;
    return [...events, { type: "tool", name, detail: "", state: status === "completed" ? "completed" : "failed" }];
  }

  /** Tokens in the form of the protocol's draft, or by model as Gemini CLI reports them. */
  #told(answer: Fields): HarnessEvent[] {
    const perModel = list(fields(fields(answer["_meta"])["quota"])["model_usage"]).flatMap((one) => {
      const used = fields(one["token_count"]);
      const tokens = { input: count(used["input_tokens"]), output: count(used["output_tokens"]), ...noCache };
      return [{ model: text(one["model"]) ?? this.#model, tokens, costUsd: null }];
    });
    const used = fields(answer["usage"]);
    const tokens: Tokens = {
      input: count(used["inputTokens"]),
      output: count(used["outputTokens"]) + count(used["thoughtTokens"]),
      cacheRead: count(used["cachedReadTokens"]),
      cacheWrite: count(used["cachedWriteTokens"]),
    };
    if (Object.values(tokens).some((one) => one > 0)) this.#usage = [{ model: this.#model, tokens, costUsd: null }];
    else if (perModel.length > 0) this.#usage = perModel;
    return this.#priced();
  }

  /** The cost covers the session. Only with one model does Baton know which model it belongs to. */
  #priced(): HarnessEvent[] {
    const [first = { model: this.#model, tokens: { input: 0, output: 0, ...noCache }, costUsd: null }] = this.#usage;
    if (this.#usage.length === 0 && this.#costUsd === null) return [];
    if (this.#usage.length < 2) this.#usage = [{ ...first, costUsd: this.#costUsd }];
    return this.#usage.map((one) => ({ type: "usage", ...one }));
  }
}

const internalError = -32_603;
const noCache = { cacheRead: 0, cacheWrite: 0 };

function stopError(reason: string | null, words: string): ErrorData | null {
  switch (reason) {
    case null:
    case "end_turn":
      return null;
    case "refusal":
      return { code: "BATON_HARNESS_REFUSED", message: `The model refused. ${words.slice(0, 300)}`.trim() };
    case "max_turn_requests":
      return { code: "BATON_HARNESS_TURNS", message: "The agent came to its limit of turns." };
    case "max_tokens":
      return { code: "BATON_HARNESS_CRASHED", message: "The model came to its limit of tokens in the middle." };
    default:
      return { code: "BATON_HARNESS_CRASHED", message: `The agent stopped: ${reason.slice(0, 100)}.` };
  }
}

function failureOf(thrown: unknown): ErrorData {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = thrown instanceof acp.RequestError ? thrown.code : null;
  const data = thrown instanceof acp.RequestError ? JSON.stringify(thrown.data ?? "") : "";
  const words = `${error.message} ${data === '""' ? "" : data}`.trim().slice(0, 300);
  if (code === authRequired)
    return { code: "BATON_HARNESS_AUTH", message: `The agent wants to be logged in. ${words}`.trim() };
  const [, found] = /(?:^|\D)(401|402|403|429|5\d\d)(?:\D|$)/.exec(words) ?? [];
  const status = code !== null && code >= 400 && code <= 599 ? code : found === undefined ? null : Number(found);
  return status === null
    ? { code: "BATON_HARNESS_CRASHED", message: `The agent failed: ${words}` }
    : statusError(status, words);
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ acp: agents = {} }) => Object.entries(agents).map(([name, agent]) => acpAgent({ ...agent, name })),
};
