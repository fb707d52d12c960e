/** Structured log: static text and separate fields. The redactor processes everything first. */
export interface Log {
  debug(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  error(text: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}

type Line = (fields: Record<string, unknown>, text: string) => void;

/** A host's logger that Baton writes to: the part of pino's interface that Baton uses. */
export interface HostLogger extends Readonly<Record<"debug" | "info" | "warn" | "error", Line>> {
  isLevelEnabled(level: string): boolean;
  child(fields: Record<string, unknown>): HostLogger;
}
