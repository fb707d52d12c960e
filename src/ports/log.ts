/** Structured log: static text, fields beside it. Everything passes the redactor before it leaves. */
export interface Log {
  debug(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  error(text: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}

type Line = (fields: Record<string, unknown>, text: string) => void;

/** A logger of a host that Baton writes to: what it uses of pino's. */
export interface HostLogger extends Readonly<Record<"debug" | "info" | "warn" | "error", Line>> {
  isLevelEnabled(level: string): boolean;
  child(fields: Record<string, unknown>): HostLogger;
}
