/** How bytes become lines, and which of them are kept. `test/contract/harness.ts` tests how a child ends. */
import { describe, expect, it } from "vitest";
import { limits } from "../../core/limits.ts";
import { children } from "./children.ts";

async function output(script: string): Promise<{ lines: string[]; end: Awaited<ReturnType<typeof children.follow>> }> {
  const lines: string[] = [];
  const end = await children.follow({
    command: [process.execPath, "-e", script],
    cwd: process.cwd(),
    env: {},
    input: null,
    timeoutMs: 30_000,
    silenceMs: 30_000,
    marker: `child-test/${process.pid}`,
    signal: new AbortController().signal,
    onLine: (line) => lines.push(line),
  });
  return { lines, end };
}

describe("lines", () => {
  it.each([
    ["CRLF and an empty line", String.raw`process.stdout.write("a\r\n\nb\n")`, ["a", "", "b"]],
    ["a last line without its end", String.raw`process.stdout.write("a\nb")`, ["a", "b"]],
    [
      "a character cut between two writes",
      `const b = Buffer.from("é\\n"); process.stdout.write(b.subarray(0, 1)); setImmediate(() => process.stdout.write(b.subarray(1)))`,
      ["é"],
    ],
    ["bytes that are no text", String.raw`process.stdout.write(Buffer.from([0x61, 0xff, 0x0a]))`, ["a\ufffd"]],
    ["nothing", "", []],
  ])("%s", async (_, script, expected) => {
    expect((await output(script)).lines).toEqual(expected);
  });

  it("a line beyond the limit is cut once, and the next one is whole", async () => {
    const { lines, end } = await output(`process.stdout.write("x".repeat(9_000_000) + "\\nnext\\n")`);
    expect(lines.map(({ length }) => length)).toEqual([4 * 1024 * 1024, 4]);
    expect(end.transcriptTruncated).toBe(true);
    expect(end.transcript.length).toBe(limits.transcriptLineBytesMax + "\nnext\n".length);
  });
});

describe("transcript", () => {
  it("keeps head and tail, and says how many lines are missing", async () => {
    const { end } = await output(`for (let i = 0; i < 60_000; i++) console.log(String(i).padEnd(99, "."))`);
    expect(end.transcriptTruncated).toBe(true);
    expect(end.transcript.length).toBeLessThanOrEqual(limits.transcriptBytesMax + 100);
    expect(end.transcript.startsWith("0....")).toBe(true);
    expect(end.transcript).toMatch(/\n… \(\d+ lines left out\)\n/);
    expect(end.transcript).toContain("\n59999....");
  });
});
