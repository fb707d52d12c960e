import { describe, expect, it } from "vitest";
import { BatonError } from "../../core/errors.ts";
import { createLog, createLogger, logOver, redactLines } from "./log.ts";

const secret = "line-1-of-key\nline-2-of-key";

function capture(): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    redact: (text) => text.replaceAll(secret, "[redacted]").replaceAll("hunter2", "[redacted]"),
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { lines, log };
}

describe("a secret never leaves through the log", () => {
  it.each<[string, (log: ReturnType<typeof createLog>) => void]>([
    ["in the text", (log) => log.info("token hunter2")],
    ["in a field", (log) => log.info("x", { token: "hunter2" })],
    ["of several lines", (log) => log.warn("x", { key: secret })],
    ["deep in a field", (log) => log.info("x", { a: [{ b: new Map([["c", "hunter2"]]) }] })],
    ["as a key", (log) => log.info("x", { hunter2: 1 })],
    ["in an error", (log) => log.error("x", { error: new Error("hunter2") })],
    ["in an error within a field", (log) => log.error("x", { result: { error: new Error("hunter2") } })],
    [
      "in the cause of an error",
      (log) => log.error("x", { error: new BatonError("BATON_INTERNAL", "m", { cause: new Error("hunter2") }) }),
    ],
    [
      "in a cause that is no error",
      (log) => log.error("x", { error: new Error("m", { cause: { authorization: "hunter2" } }) }),
    ],
    ["in the fields of a child", (log) => log.child({ token: "hunter2" }).info("x")],
  ])("%s", (_, write) => {
    const { lines, log } = capture();
    write(log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("[redacted]");
    expect(lines[0]).not.toMatch(/hunter2|line-2-of-key/);
  });
});

it("logs what JSON cannot hold instead of throwing", () => {
  const { lines, log } = capture();
  const circular: Record<string, unknown> = { size: 10n, when: new Date(0), never: new Date(Number.NaN) };
  circular["self"] = circular;
  log.info("odd", { circular });
  expect(JSON.parse(lines[0] as string).circular).toEqual({
    size: "10",
    when: "1970-01-01T00:00:00.000Z",
    never: "[invalid date]",
    self: "[circular]",
  });
});

it("keeps the code and the cause of an error", () => {
  const { lines, log } = capture();
  log.error("x", { error: new BatonError("BATON_TIMEOUT", "late", { cause: new Error("slow") }) });
  expect(JSON.parse(lines[0] as string).error).toMatchObject({
    code: "BATON_TIMEOUT",
    message: "late",
    cause: { message: "slow" },
  });
});

describe("a logger that others write to as well", () => {
  it.each<[string, (logger: ReturnType<typeof createLogger>) => void]>([
    ["a line", (logger) => logger.info("token hunter2")],
    ["a field", (logger) => logger.warn({ headers: { authorization: "hunter2" } }, "request")],
    ["a child that was there before", (logger) => logger.info("x")],
    ["a later child's bindings", (logger) => logger.child({ req: { token: "hunter2" } }).error("x")],
  ])("has no secret in %s of theirs, nor in Baton's", (_, write) => {
    const lines: string[] = [];
    const root = createLogger("info", { write: (line: string) => void lines.push(line) });
    const child = root.child({ of: "hunter2" });
    const redact = (text: string): string => text.replaceAll("hunter2", "[redacted]");
    redactLines(root, redact);
    write(child);
    logOver(root, redact).info("##[error] hunter2");
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toMatch(/hunter2|##\[/);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("says of requests to the server only which failed", () => {
    const lines: string[] = [];
    const http = createLogger("info", { write: (line: string) => void lines.push(line) }).child({ name: "http" });
    http.info("GET /health 200");
    http.error("GET /health 503");
    expect(lines.join("")).toMatch(/^[^\n]*503[^\n]*\n$/);
  });
});
