/**
 * The common part of all adapters: start the child, feed its lines to the adapter's reader, judge the end.
 *
 * H4 Events and transcript leave here bounded and redacted. The reader alone sees the original output of the harness.
 * H1 The reader reports what the harness said at its end. The end of the process can only make that worse, never
 *     better.
 */
import type { Readable } from "node:stream";
import { type ErrorCode, type ErrorData, toBatonError } from "../../core/errors.ts";
import type { FollowEnd } from "../../ports/child.ts";
import type { HarnessEvent, HarnessRequest, HarnessResult } from "../../ports/harness.ts";
import { createRedactor } from "../../text/redact.ts";
import { children } from "../child/children.ts";
import { errorInWords } from "../model-service/service-error.ts";

/** Limit for one event's text, live. The transcript has the whole text. */
const eventCharactersMax = 16_000;
/** Limit for lines of standard error that become warnings. A noisy harness must not fill the journal. */
const warningsMax = 200;
const resultCharactersMax = 256_000;
const detailCharactersMax = 160;

/** Reads the stream of one attempt. Each attempt gets another reader. */
export interface StreamReader {
  /** False for lines without further use once they are read, such as pieces of a text that comes again whole. */
  keeps?(line: string): boolean;
  /** False for lines of standard error that are not warnings. */
  warns?(line: string): boolean;
  /** Reads one line. Never throws. */
  take(line: string, stream: "stdout" | "stderr"): HarnessEvent[];
  /** The result of the stream, once the process has ended. */
  end(): {
    /** The stream reached its own end, well or badly. If not, only the process can say what happened. */
    finished: boolean;
    error: ErrorData | null;
    text: string;
    sessionId: string | null;
    usage: HarnessResult["usage"];
    turns: number;
  };
  /** Set when going on makes no sense, for example after a refused key. Baton then stops the child. */
  readonly giveUp: ErrorData | null;
}

export interface Launch {
  command: string[];
  env: Record<string, string>;
  /** Names in `env` whose values must not leave. */
  secrets: string[];
  input: string | Readable | null;
  install: string;
  /** Aborts when the harness is done and may stop. Stopping it is then not a failure. */
  concluded?: AbortSignal;
}

export async function runHarness(
  request: HarnessRequest,
  launch: Launch,
  reader: StreamReader,
  onEvent: (event: HarnessEvent) => void,
  signal: AbortSignal,
): Promise<HarnessResult> {
  const stop = new AbortController();
  const redact = createRedactor({ secrets: launch.secrets.map((name) => launch.env[name] ?? "") });
  let warnings = 0;
  const report = (event: HarnessEvent): void => onEvent(clean(event, redact));
  const started = children.follow({
    command: launch.command,
    cwd: request.cwd,
    env: launch.env,
    input: launch.input,
    timeoutMs: request.timeoutMs,
    silenceMs: request.silenceMs,
    marker: request.attemptMarker,
    confinement: request.confinement ?? null,
    signal: AbortSignal.any([signal, stop.signal, ...(launch.concluded === undefined ? [] : [launch.concluded])]),
    ...(reader.keeps === undefined ? {} : { keeps: (line: string) => reader.keeps?.(line) ?? true }),
    onLine: (line, stream) => {
      for (const event of reader.take(line, stream)) report(event);
      if (stream === "stderr" && line.trim() !== "" && warnings < warningsMax && reader.warns?.(line) !== false) {
        warnings += 1;
        report({ type: "warning", text: line });
      }
      if (reader.giveUp !== null) stop.abort();
    },
  });
  let end: FollowEnd;
  try {
    end = await started;
  } catch (thrown) {
    // Nothing ran, because the sandbox could not be set up.
    return notBegun(toBatonError(thrown).toData());
  }
  const said = reader.end();
  const isMissing = end.missing || notFoundInside(end, request, launch);
  const error = judge({ ...end, missing: isMissing }, said, reader.giveUp, launch, signal);
  return {
    ok: error === null,
    error: error === null ? null : { ...error, message: redact(error.message) },
    text: redact(said.text.slice(0, resultCharactersMax)),
    sessionId: said.sessionId,
    usage: said.usage,
    turns: said.turns,
    exitCode: end.exitCode,
    signal: end.signal,
    transcript: redact(end.transcript),
    transcriptTruncated: end.transcriptTruncated,
    durationMs: end.durationMs,
  };
}

/** Redacts before it cuts. A cut through a secret would hide it from the redactor. */
function clean(event: HarnessEvent, redact: (text: string) => string): HarnessEvent {
  const short = (text: string): string => redact(text.slice(0, 2 * eventCharactersMax)).slice(0, eventCharactersMax);
  switch (event.type) {
    case "text":
    case "warning":
      return { ...event, text: short(event.text) };
    case "tool":
      return { ...event, detail: short(event.detail).slice(0, detailCharactersMax) };
    case "retry":
      return { ...event, reason: short(event.reason) };
    case "session":
    case "usage":
      return event;
  }
}

/**
 * A sandbox starts its own program first. That program reports a missing agent with a shell's status
 * (`sandbox/bridge-source.ts`).
 */
function notFoundInside({ exitCode, transcript }: FollowEnd, request: HarnessRequest, { command }: Launch): boolean {
  if ((request.confinement ?? null) === null || (exitCode !== 127 && exitCode !== 126)) return false;
  const said = `${command[0]}: `;
  return transcript
    .trim()
    .split("\n")
    .some((line) => line.startsWith(said) && /not found|EACCES/.test(line));
}

function judge(
  end: FollowEnd,
  said: { finished: boolean; error: ErrorData | null },
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
  if (end.flooded) return error("BATON_HARNESS_OUTPUT", "The harness printed without end and was stopped.");
  if (end.denied !== null)
    return error(
      "BATON_SANDBOX_LIMIT",
      `The sandbox stopped the harness at a limit: ${end.denied.kind} ${end.denied.name}.`,
    );
  if (said.error !== null)
    return said.error.code === "BATON_HARNESS_CRASHED" ? (errorInWords(said.error.message) ?? said.error) : said.error;
  if (said.finished && launch.concluded?.aborted === true) return null;
  if (end.signal !== null) return error("BATON_HARNESS_CRASHED", `The harness was ended by ${end.signal}.`);
  if (end.exitCode !== 0)
    return error(
      "BATON_HARNESS_CRASHED",
      `The harness ended with exit code ${end.exitCode}: ${lastLines(end.transcript)}`,
    );
  // H1: exit code 0 proves nothing.
  if (!said.finished)
    return error("BATON_HARNESS_OUTPUT", `The harness ended without saying how: ${lastLines(end.transcript)}`);
  return null;
}

function lastLines(transcript: string): string {
  return transcript.trim().split("\n").slice(-3).join(" / ").slice(-400) || "no output";
}

/** An attempt that never began. */
export function notBegun(error: ErrorData): HarnessResult {
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

export function missingKey(name: string): HarnessResult {
  return notBegun({ code: "BATON_HARNESS_KEY_MISSING", message: `${name} is not set where Baton runs.` });
}

/** A line as JSON. Null for anything else. Never throws. */
export function jsonLine(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
