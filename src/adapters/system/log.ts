/**
 * The log port over pino. One choke point (redact.H4): every text, key and value passes the redactor before it leaves.
 *
 * The redactor sees each string by itself. JSON would escape a secret of several lines, and the secret would pass.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import { isBatonError } from "../../core/errors.ts";
import type { HostLogger, Log } from "../../ports/log.ts";

export interface LogOptions {
  level: string;
  redact: (text: string) => string;
  destination?: DestinationStream;
}

/** Deeper values are cut, because people read a log line. */
const depthMax = 8;

export function createLog({ level, redact, destination }: LogOptions): Log {
  return logOver(createLogger(level, destination), redact);
}

/** Writes one JSON object per line on standard error. Redacts nothing yet. */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, onChild: quietRequests }, destination);
}

/** Baton's log over a logger that others also write to, such as Probot's. */
export function logOver(logger: HostLogger, redact: (text: string) => string): Log {
  return wrap(logger, (text) => withoutCommands(redact(text)));
}

/**
 * Passes everything that others write to the same logger through the redactor. Probot logs requests with their headers.
 * A logger shares one stream with all its children.
 */
export function redactLines(logger: HostLogger, redact: (text: string) => string): void {
  const { stream } = { stream: (logger as unknown as Record<symbol, DestinationStream>)[pino.symbols.streamSym] };
  if (stream === undefined) return;
  const write = stream.write.bind(stream);
  stream.write = (line) => write(withoutCommands(redact(line)));
}

/** Probot logs every request to the server. Baton keeps only the failed ones. */
function quietRequests(child: Logger): void {
  if (child.bindings()["name"] === "http" && child.isLevelEnabled("info")) child.level = "warn";
}

/**
 * A runner of GitHub Actions obeys `##[name]` anywhere in a line:
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
function withoutCommands(text: string): string {
  return text.replaceAll("##[", "## [");
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };

function wrap(logger: HostLogger, redact: (text: string) => string): Log {
  const clean = (fields: Record<string, unknown>) => plain(fields, redact, 0, new Set()) as Record<string, unknown>;
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (text: string, fields: Record<string, unknown> = {}): void => {
      if (logger.isLevelEnabled(level)) logger[level](clean(fields), redact(text));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(logger.child(clean(fields)), redact),
  };
}

/** A value that JSON can hold and that holds no secret. Logging never throws, whatever the value. */
function plain(value: unknown, redact: (text: string) => string, depth: number, above: Set<object>): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function")
    return redact(String(value));
  if (typeof value !== "object" || value === null) return value;
  if (above.has(value)) return "[circular]";
  if (depth >= depthMax) return "[too deep]";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString();
  const inner = (child: unknown) => plain(child, redact, depth + 1, new Set(above).add(value));
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Set) return [...value].map(inner);
  if (value instanceof Map) return [...value].map(inner);
  const members = value instanceof Error ? errorMembers(value) : Object.entries(value);
  return Object.fromEntries(members.map(([key, child]) => [redact(key), inner(child)]));
}

/** Errors are not enumerable. A reader needs their code, message, stack and cause. */
function errorMembers(error: Error): [string, unknown][] {
  const members: [string, unknown][] = isBatonError(error)
    ? [
        ["code", error.code],
        ["details", error.details],
      ]
    : [["name", error.name]];
  members.push(["message", error.message], ["stack", error.stack]);
  if (error.cause !== undefined) members.push(["cause", error.cause]);
  return members;
}
