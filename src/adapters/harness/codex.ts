/**
 * Codex, headless: `codex exec --json`. Observed with 0.169.
 *
 * Traps: `input_tokens` includes the cached ones; a refusal ends with exit 0, usage and no message; it waits for more on an open stdin;
 * in a linked worktree its sandbox cannot commit, so Baton commits what it leaves.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { ErrorData } from "../../core/errors.ts";
import type { Harness, HarnessEvent, HarnessResult } from "../../ports/harness.ts";
import { missingKey } from "./claude-code.ts";
import { agentEnvironment } from "./environment.ts";
import { jsonLine, runHarness, type StreamReader, statusError } from "./run-harness.ts";

const install = "npm install --global @openai/codex";

export interface CodexOptions {
  binary: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
}

export function codex({ binary, apiKey, baseUrl }: CodexOptions): Harness {
  const defaultModel = "gpt-5-codex";
  return {
    name: "codex",
    capabilities: {
      resume: true,
      readOnly: true,
      systemPrompt: true,
      maxTurns: false,
      maxUsd: false,
      reportsUsage: true,
      reportsCost: false,
    },
    defaultModel,
    async probe() {
      const version = await execa(binary, ["--version"], { reject: false, timeout: 20_000, stdin: "ignore" });
      const installed = version.exitCode === 0;
      const advice = !installed ? install : apiKey !== undefined ? null : "Set OPENAI_API_KEY where Baton runs.";
      return {
        installed,
        version: installed ? version.stdout.trim() : null,
        authenticated: apiKey !== undefined,
        advice,
      };
    },
    async run(request, onEvent, signal) {
      if (apiKey === undefined) return missingKey("OPENAI_API_KEY");
      const home = join(request.homePath, "codex");
      mkdirSync(home, { recursive: true });
      const model = request.model ?? defaultModel;
      const provider = `{name="baton",base_url=${JSON.stringify(baseUrl ?? "https://api.openai.com/v1")},env_key="OPENAI_API_KEY",wire_api="responses"}`;
      const settings = [
        "-c",
        'model_provider="baton"',
        "-c",
        `model_providers.baton=${provider}`,
        "-c",
        `developer_instructions=${JSON.stringify(request.systemPrompt)}`,
      ];
      const access = request.access === "write" ? "workspace-write" : "read-only";
      const resume = request.resumeSessionId === null ? [] : ["resume", request.resumeSessionId];
      const args = [
        "exec",
        "--json",
        "--skip-git-repo-check",
        "-C",
        request.cwd,
        "-s",
        access,
        "-m",
        model,
        ...settings,
        ...resume,
        "-",
      ];
      const env = agentEnvironment(request, { OPENAI_API_KEY: apiKey, CODEX_HOME: home });
      return runHarness(
        request,
        { command: [binary, ...args], env, input: request.prompt, install },
        new CodexReader(model),
        onEvent,
        signal,
      );
    },
  };
}

export class CodexReader implements StreamReader {
  readonly giveUp = null;
  readonly #model: string;
  #sessionId: string | null = null;
  #text: string | null = null;
  #completed = false;
  #failure: string | null = null;
  #turns = 0;
  readonly #tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

  constructor(model: string) {
    this.#model = model;
  }

  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[] {
    const event = stream === "stdout" ? jsonLine(line) : null;
    if (event === null) return [];
    switch (event["type"]) {
      case "thread.started":
        this.#sessionId = `${event["thread_id"]}`;
        return [{ type: "session", sessionId: this.#sessionId, model: this.#model }];
      case "item.started":
      case "item.completed":
        return this.#item(event["item"] as Record<string, unknown>, event["type"] === "item.completed");
      case "turn.completed": {
        this.#completed = true;
        this.#turns += 1;
        const usage = (event["usage"] ?? {}) as Record<string, number>;
        const cached = usage["cached_input_tokens"] ?? 0;
        this.#tokens.input += Math.max(0, (usage["input_tokens"] ?? 0) - cached);
        this.#tokens.cacheRead += cached;
        this.#tokens.output += usage["output_tokens"] ?? 0;
        return [{ type: "usage", model: this.#model, tokens: { ...this.#tokens }, costUsd: null }];
      }
      case "turn.failed":
        this.#failure = `${(event["error"] as { message?: string } | undefined)?.message ?? "unknown"}`;
        return [];
      case "error":
        return [{ type: "warning", text: `${event["message"] ?? ""}` }];
      default:
        return [];
    }
  }

  end(): ReturnType<StreamReader["end"]> {
    const used = this.#tokens.input + this.#tokens.output + this.#tokens.cacheRead > 0;
    const usage: HarnessResult["usage"] = used
      ? [{ model: this.#model, tokens: { ...this.#tokens }, costUsd: null }]
      : [];
    return { error: this.#error(), text: this.#text ?? "", sessionId: this.#sessionId, usage, turns: this.#turns };
  }

  #item(item: Record<string, unknown> | undefined, completed: boolean): HarnessEvent[] {
    switch (item?.["type"]) {
      case "agent_message":
        if (!completed) return [];
        this.#text = `${item["text"]}`;
        return [{ type: "text", text: this.#text }];
      case "command_execution":
        return [
          {
            type: "tool",
            name: "command",
            detail: `${item["command"]}`.slice(0, 120),
            state: completed ? (item["exit_code"] === 0 ? "completed" : "failed") : "started",
          },
        ];
      case "file_change":
        return [{ type: "tool", name: "edit", detail: "", state: completed ? "completed" : "started" }];
      case "mcp_tool_call":
        return [
          {
            type: "tool",
            name: `${item["tool"]}`,
            detail: `${item["server"]}`,
            state: completed ? "completed" : "started",
          },
        ];
      default:
        return [];
    }
  }

  #error(): ErrorData | null {
    if (this.#failure !== null) {
      const status = Number(
        /\b(?:status|HTTP|error)[^0-9]{0,20}([45]\d\d)\b/i.exec(this.#failure)?.[1] ??
          /\b([45]\d\d)\b/.exec(this.#failure)?.[1],
      );
      return Number.isInteger(status) && status > 0
        ? statusError(status, this.#failure.slice(0, 200))
        : { code: "BATON_HARNESS_CRASHED", message: `Codex failed: ${this.#failure.slice(0, 300)}` };
    }
    if (!this.#completed) return { code: "BATON_HARNESS_OUTPUT", message: "Codex ended without completing its turn." };
    if (this.#text === null)
      return {
        code: "BATON_HARNESS_REFUSED",
        message: "Codex ended its turn without a word: the model refused, or the answer was filtered.",
      };
    return null;
  }
}
