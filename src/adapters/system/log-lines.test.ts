import { expect, it } from "vitest";
import { createLog } from "./log.ts";
import { readableLine } from "./log-lines.ts";

/** As the log itself writes them. */
function lineOf(write: (log: ReturnType<typeof createLog>) => void): string {
  let written = "";
  write(
    createLog({ level: "debug", redact: (text) => text, destination: { write: (line) => void (written += line) } }),
  );
  return written;
}

it("one line for people: time, level, words, fields; an error by its code and message", () => {
  const text = readableLine(
    lineOf((log) =>
      log.warn("A round failed", { round: "old rows", error: new Error("no\nspace"), none: null, tries: 3 }),
    ),
    false,
  );
  expect(text).toMatch(/^\d\d:\d\d:\d\d warn {2}A round failed round="old rows" error=no space tries=3\n$/);
});

it("colors only where they are wanted", () => {
  const line = lineOf((log) => log.error("x"));
  expect(readableLine(line, false)).not.toContain("\u001b");
  expect(readableLine(line, true)).toContain("\u001b[31merror");
});

it.each(["not JSON\n", "[1]\n", '{"a":1}\n'])("%j is no line of the log, and stays", (line) => {
  expect(readableLine(line, true)).toBe(line);
});
