/** The log port over pino. Every text and field passes the redactor before it leaves (one choke point, H4). */
import { type DestinationStream, type Logger, pino } from "pino";
import { isBatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";

export interface LogOptions {
  level: string;
  redact: (text: string) => string;
  destination?: DestinationStream;
}

export function createLog({ level, redact, destination }: LogOptions): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination ?? pino.destination(2));
  return wrap(logger, redact);
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };

function wrap(logger: Logger, redact: (text: string) => string): Log {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (text: string, fields: Record<string, unknown> = {}): void => {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](JSON.parse(redact(JSON.stringify(plain(fields)))), text);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: (fields) => wrap(logger.child(fields), redact) };
}

/** Errors are not enumerable; their code, message, stack and cause are what a reader needs. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? plainError(value) : value]));
}

function plainError(error: Error): Record<string, unknown> {
  return {
    ...(isBatonError(error) ? { code: error.code, details: error.details } : { name: error.name }),
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: plainError(error.cause) } : {}),
  };
}
