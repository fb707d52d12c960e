/**
 * What all adapters share: start the child, feed its lines to the adapter's reader, judge the end.
 *
 * H1 The reader says what the harness said at its end; how the process ended can only make that worse, never better.
 */
import type { ErrorCode, ErrorData } from "../../core/errors.ts";
import type { HarnessEvent, HarnessRequest, HarnessResult } from "../../ports/harness.ts";
import { type ChildEnd, runChild } from "./child.ts";

/** Reads one attempt's stream. A fresh one for each. */
export interface StreamReader {
  /** One line; throws nothing. */
  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[];
  /** What the stream came to, once it ended with this exit code. */
  end(exitCode: number | null): {
    error: ErrorData | null;
    text: string;
    sessionId: string | null;
    usage: HarnessResult["usage"];
    turns: number;
  };
  /** Set when there is no sense in going on, for example on a refused key: the child is stopped. */
  readonly giveUp: ErrorData | null;
}

export interface Launch {
  command: string[];
  env: Record<string, string>;
  input: string | null;
  install: string;
}

export async function runHarness(
  request: HarnessRequest,
  launch: Launch,
  reader: StreamReader,
  onEvent: (event: HarnessEvent) => void,
  signal: AbortSignal,
): Promise<HarnessResult> {
  const stop = new AbortController();
  const end = await runChild({
    command: launch.command,
    cwd: request.cwd,
    env: launch.env,
    input: launch.input,
    timeoutMs: request.timeoutMs,
    silenceMs: request.silenceMs,
    marker: request.attemptMarker,
    signal: AbortSignal.any([signal, stop.signal]),
    onLine: (line, stream) => {
      for (const event of reader.take(line, stream)) onEvent(event);
      if (reader.giveUp !== null) stop.abort();
    },
  });
  const said = reader.end(end.exitCode);
  const error = judge(end, said.error, reader.giveUp, launch, signal);
  return {
    ok: error === null,
    error,
    text: said.text,
    sessionId: said.sessionId,
    usage: said.usage,
    turns: said.turns,
    exitCode: end.exitCode,
    signal: end.signal,
    transcript: end.transcript,
    transcriptTruncated: end.transcriptTruncated,
    durationMs: end.durationMs,
  };
}

function judge(
  end: ChildEnd,
  said: ErrorData | null,
  gaveUp: ErrorData | null,
  launch: Launch,
  signal: AbortSignal,
): ErrorData | null {
  const error = (code: ErrorCode, message: string): ErrorData => ({ code, message });
  if (signal.aborted) return error("BATON_CANCELLED", "The harness was stopped.");
  if (gaveUp !== null) return gaveUp;
  if (end.missing)
    return error(
      "BATON_HARNESS_MISSING",
      `\`${launch.command[0]}\` is not installed on this machine. Install it: \`${launch.install}\`.`,
    );
  if (end.timedOut)
    return error("BATON_TIMEOUT", `The harness did not end within ${Math.round(end.durationMs / 1_000)} s.`);
  if (end.silent) return error("BATON_HARNESS_HUNG", "The harness printed nothing for too long and was stopped.");
  if (said !== null) return said;
  if (end.signal !== null) return error("BATON_HARNESS_CRASHED", `The harness was ended by ${end.signal}.`);
  if (end.exitCode !== 0)
    return error(
      "BATON_HARNESS_CRASHED",
      `The harness ended with exit code ${end.exitCode}: ${lastLines(end.transcript)}`,
    );
  return null;
}

function lastLines(transcript: string): string {
  return transcript.trim().split("\n").slice(-3).join(" / ").slice(-400) || "no output";
}

/** A line as JSON; null for anything else. Never throws. */
export function jsonLine(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** What an HTTP status of the model's service means. */
export function statusError(status: number, message: string): ErrorData {
  if (status === 401 || status === 403)
    return {
      code: "BATON_HARNESS_AUTH",
      message: `The model's service refused the key (${status}). ${message}`.trim(),
    };
  if (status === 402 || status === 429)
    return {
      code: "BATON_HARNESS_QUOTA",
      message: `The model's service limits (${status}). ${message}`.trim(),
      retryAfterMs: 30_000,
    };
  if (status >= 500)
    return { code: "BATON_HARNESS_UNAVAILABLE", message: `The model's service fails (${status}). ${message}`.trim() };
  return { code: "BATON_HARNESS_CRASHED", message: `The model's service answered ${status}. ${message}`.trim() };
}
