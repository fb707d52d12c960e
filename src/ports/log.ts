/** Structured log: static text, fields beside it. Everything passes the redactor before it leaves. */
export interface Log {
  debug(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  error(text: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}
