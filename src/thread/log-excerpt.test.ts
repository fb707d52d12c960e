import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logExcerpt } from "./log-excerpt.ts";

const bytesMax = 24 * 1024;
const good = Array.from({ length: 200 }, (_, index) => `2026-11-30T00:00:00.0000000Z ok ${index} - works`);
const table = Array.from({ length: 400 }, (_, index) => `file-${index}.js | ${"100 | ".repeat(14)} all lines covered`);

describe("log-tail-without-the-failure", () => {
  it.each([
    ["vitest", "AssertionError: expected 5 to equal 8"],
    ["actions", "2026-11-30T00:00:00.0000000Z ##[error]Process completed with exit code 1."],
    ["rust", "thread 'sum' panicked at src/lib.rs:12:5"],
    ["rustc", "error[E0308]: mismatched types"],
    ["go", "--- FAIL: TestSum (0.00s)"],
    ["pytest", "E       assert 5 == 8"],
    ["python", "Traceback (most recent call last):"],
    ["tap", "not ok 7 - sums"],
    ["npm", "npm ERR! code ELIFECYCLE"],
    ["java", "java.lang.NullPointerException: Exception in thread main"],
    ["tsc", "src/a.ts(3,5): error TS2322: Type 'string' is not assignable"],
  ])("the failure of %s is kept although a long table follows", (_, line) => {
    const text = logExcerpt([...good, line, "    at sum (src/sum.js:3:11)", ...table, ...table].join("\n"), bytesMax);
    expect(text).toContain(line);
    expect(text).toMatch(/… \d+ lines? left out …/);
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(bytesMax);
    // The end is there as well.
    expect(text).toContain("file-399.js");
  });

  it("keeps many failures, each with its line", () => {
    const failures = Array.from({ length: 30 }, (_, index) => `FAIL test/case-${index}.test.js`);
    const log = failures.flatMap((line) => [...good.slice(0, 40), line]);
    const text = logExcerpt([...log, ...table].join("\n"), bytesMax);
    for (const line of failures) expect(text).toContain(line);
  });

  it("a short log is whole", () => {
    expect(logExcerpt("one\r\ntwo", bytesMax)).toBe("one\ntwo");
  });

  it("is bounded and says what it left out, whatever is in the log", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 700 }), fc.constantFrom("##[error]x", "FAIL a", "ok", "💥 Error: ü"))),
        fc.integer({ min: 600, max: 4_000 }),
        (lines, max) => {
          const log = lines.join("\n");
          const text = logExcerpt(log, max);
          expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(max);
          if (new TextEncoder().encode(log).length > max) expect(text).not.toBe(log);
        },
      ),
    );
  });
});
