import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { type Annotation, failureText } from "./failure-text.ts";

const annotation = (change: Partial<Annotation> = {}): Annotation => ({
  path: "src/sum.ts",
  line: 9,
  level: "failure",
  title: "",
  message: "expected 5 to be 8",
  ...change,
});
const exit = annotation({ path: ".github", line: 1, message: "Process completed with exit code 1." });
const text = (annotations: Annotation[], log: string | null = "the log", summary = "", bytesMax = 2_000): string =>
  failureText({ annotations, log, summary }, bytesMax);

describe("log-tail-without-the-failure: annotations first", () => {
  it("where a tool points at stands before the log, once, with its title", () => {
    expect(text([annotation(), annotation(), exit])).toBe("src/sum.ts:9: expected 5 to be 8\n\nthe log");
    expect(text([annotation({ title: "adds" })])).toContain("src/sum.ts:9: adds: expected 5 to be 8");
  });

  it("a log that may not be read leaves what the check says, and the runner's own word where that is all", () => {
    expect(text([annotation(), exit], null, "2 tests failed")).toBe(
      "src/sum.ts:9: expected 5 to be 8\n\n2 tests failed",
    );
    expect(text([exit], null)).toBe("Process completed with exit code 1.");
    expect(text([exit])).toBe("the log");
    expect(text([annotation({ path: ".github", message: "No space left" })], null)).toBe("No space left");
  });

  it("warnings are told where nothing failed", () => {
    const warning = annotation({ level: "warning", message: "unused" });
    expect(text([warning, annotation()])).not.toContain("unused");
    expect(text([warning], null)).toContain("src/sum.ts:9: unused");
  });

  it("is bounded, and says how many annotations it leaves out", () => {
    const many = Array.from({ length: 100 }, (_, index) => annotation({ line: index, message: "x".repeat(50) }));
    expect(text(many)).toMatch(/… \d+ more annotations\n\nthe log$/);
    const level = fc.constantFrom<Annotation["level"]>("failure", "warning", "notice");
    const any = fc.record({
      path: fc.string(),
      line: fc.nat(),
      level,
      title: fc.string(),
      message: fc.string({ maxLength: 4_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(any),
        fc.string({ maxLength: 9_000 }),
        fc.integer({ min: 800, max: 4_000 }),
        (all, log, max) => {
          expect(bytesOf(text(all, log, "", max))).toBeLessThanOrEqual(max);
        },
      ),
    );
  });
});
