/**
 * `command`: any executable that reads a prompt on standard input and edits files in its working directory.
 *
 * It may print JSON lines, each with a `type`: `text {text}`, `session {sessionId, model}`, `tool {name, detail}`,
 * `usage {model, input, output, cacheRead, cacheWrite, costUsd?}` (cumulative for a model), `error {message, status?}`,
 * `result {text}`. Any other line is text. It succeeds by exit code 0 without an `error` line. Git shows its changes.
 */
import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import type { ErrorData } from "../../../core/errors.ts";
import type { Harness, HarnessEvent, HarnessResult } from "../../../ports/harness.ts";
import { statusError } from "../../model-service/service-error.ts";
import { agentEnvironment } from "../../system/agent-environment.ts";
import { findProgram } from "../../system/find-program.ts";
import type { HarnessDefinition } from "../definition.ts";
import { jsonLine, notBegun, runHarness, type StreamReader } from "../run-harness.ts";
import { command as description } from "./description.ts";

const tokens = z.number().int().nonnegative().default(0);
const lineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("result"), text: z.string() }),
  z.object({ type: z.literal("session"), sessionId: z.string(), model: z.string().nullable().default(null) }),
  z.object({
    type: z.literal("tool"),
    name: z.string(),
    detail: z.string().default(""),
    state: z.enum(["started", "completed", "failed"]).default("started"),
  }),
  z.object({
    type: z.literal("usage"),
    model: z.string(),
    input: tokens,
    output: tokens,
    cacheRead: tokens,
    cacheWrite: tokens,
    costUsd: z.number().nonnegative().nullable().default(null),
  }),
  z.object({ type: z.literal("error"), message: z.string(), status: z.number().int().optional() }),
]);

const textCharactersMax = 256_000;

const noProgram =
  "The harness `command` has no program: set BATON_HARNESS_COMMAND where Baton runs, or `harness.command` in `baton.yaml` (in the sandbox, or with BATON_REPOSITORY_COMMANDS=allow).";

export interface CommandHarnessOptions {
  /** Program and arguments that the operator chose. Empty: none. */
  command: string[];
  /** Whether a repository's own `harness.command` takes precedence over it. */
  repositoryCommands?: boolean;
  /** Environment variables passed through by name, with their values. */
  keys: Record<string, string | undefined>;
  /** True for the scripted agent of the demo and the tests. */
  scripted?: boolean;
}

export function commandHarness(options: CommandHarnessOptions): Harness {
  const { command, repositoryCommands = false, keys, scripted = false } = options;
  return {
    name: description.name,
    scripted,
    // The operator's own command names these files.
    readable: command.filter((word) => isAbsolute(word) && existsSync(word)),
    capabilities: description.capabilities,
    defaultModel: null,
    async probe() {
      const found = { version: null, authenticated: true };
      const [program] = command;
      if (program === undefined && !repositoryCommands)
        return {
          ...found,
          installed: false,
          advice: "Set BATON_HARNESS_COMMAND where Baton runs, or `harness.command` in `baton.yaml`.",
        };
      if (program === undefined || isThere(program)) return { ...found, installed: true, advice: null };
      return {
        ...found,
        installed: false,
        advice: `\`${program}\` of BATON_HARNESS_COMMAND is not a program that this machine can start.`,
      };
    },
    async run(request, onEvent, signal) {
      // In the sandbox, a program of the repository can do no more than the repository's code.
      const mayNameOwn = repositoryCommands || (request.confinement ?? null) !== null;
      const own = mayNameOwn ? (request.command ?? []) : [];
      const program = own.length > 0 ? [...own] : command;
      if (program.length === 0) return notBegun({ code: "BATON_HARNESS_MISSING", message: noProgram });
      const promptFile = join(request.homePath, "prompt.md");
      const prompt = `${request.systemPrompt}\n\n${request.prompt}`;
      writeFileSync(promptFile, prompt);
      const env = {
        ...agentEnvironment(request, keys),
        BATON_PROMPT_FILE: promptFile,
        BATON_ACCESS: request.access,
        ...(request.model === null ? {} : { BATON_MODEL: request.model }),
      };
      return runHarness(
        request,
        {
          command: program,
          env,
          secrets: Object.keys(keys),
          input: prompt,
          install: "set BATON_HARNESS_COMMAND to a program that exists",
        },
        new CommandReader(),
        onEvent,
        signal,
      );
    },
  };
}

/** A relative path depends on the workspace, so Baton cannot check it here. */
function isThere(program: string): boolean {
  if (!program.includes("/")) return findProgram(program) !== null;
  if (!isAbsolute(program)) return true;
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class CommandReader implements StreamReader {
  readonly giveUp = null;
  readonly #text: string[] = [];
  #textCharacters = 0;
  readonly #usage = new Map<string, HarnessResult["usage"][number]>();
  #result: string | null = null;
  #sessionId: string | null = null;
  #error: ErrorData | null = null;
  #turns = 0;

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    if (stream === "stderr") return [];
    const parsed = lineSchema.safeParse(jsonLine(line));
    if (!parsed.success) {
      return this.#say(line) ? [{ type: "text", text: line }] : [];
    }
    const event = parsed.data;
    switch (event.type) {
      case "text":
        this.#turns += 1;
        return this.#say(event.text) ? [event] : [];
      case "result":
        this.#result = event.text;
        return [];
      case "session":
        this.#sessionId = event.sessionId;
        return [event];
      case "tool":
        return [event];
      case "usage": {
        const { model, costUsd, input, output, cacheRead, cacheWrite } = event;
        const used = { model, costUsd, tokens: { input, output, cacheRead, cacheWrite } };
        this.#usage.set(model, used);
        return [{ type: "usage", ...used }];
      }
      case "error":
        this.#error =
          event.status === undefined
            ? { code: "BATON_HARNESS_CRASHED", message: event.message }
            : statusError(event.status, event.message);
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    return {
      // Its exit code is its end. It does not have to print a last line.
      finished: true,
      error: this.#error,
      text: this.#result ?? this.#text.join("\n"),
      sessionId: this.#sessionId,
      usage: [...this.#usage.values()],
      turns: this.#turns,
    };
  }

  /** False once the output exceeds the limit. */
  #say(line: string): boolean {
    if (this.#textCharacters + line.length > textCharactersMax || line.trim() === "") return false;
    this.#textCharacters += line.length + 1;
    this.#text.push(line);
    return true;
  }
}

export const definition: HarnessDefinition = {
  ...description,
  create: ({ command }) => (command === null ? [] : [commandHarness(command)]),
};
