/** The benchmarks run and give the promised figures. Their speed does not matter to this test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Figure, isMet, type Skipped } from "./figure.ts";
import { benches } from "./index.ts";

const mainPath = fileURLToPath(new URL("./main.ts", import.meta.url));
/** The short ones: the others start whole Apps, or several databases. */
const inTheSmokeTest = ["journal-append", "prompt-prefix", "workspaces"];

interface Answer {
  machine: { cpus: number; node: string };
  figures: Figure[];
  skipped: Skipped[];
  failed: string[];
}

async function bench(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const { BATON_TEST_DATABASE_URL: _, DATABASE_URL: __, ...env } = process.env;
  const child = spawn(process.execPath, [mainPath, "--here", ...args], { env, stdio: ["ignore", "pipe", "ignore"] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code: code as number | null, lines: output.trimEnd().split("\n") };
}

describe("npm run bench", () => {
  it("--quick --json ends with one object that has every promised figure, or why it is skipped", async () => {
    const { lines } = await bench("--quick", "--json", ...inTheSmokeTest.flatMap((name) => ["--only", name]));
    const answer = JSON.parse(lines.at(-1) ?? "") as Answer;
    const promised = benches.filter(({ name }) => inTheSmokeTest.includes(name)).flatMap(({ figures }) => figures);
    const told = [...answer.figures, ...answer.skipped].map(({ name }) => name);
    expect(answer.failed).toEqual([]);
    expect(told.toSorted()).toEqual(promised.toSorted());
    expect(answer.machine).toMatchObject({ cpus: expect.any(Number), node: process.version });
    for (const { value, ok, ...figure } of answer.figures) {
      expect(value, figure.name).toBeGreaterThanOrEqual(0);
      expect(ok, figure.name).toBe(isMet(value, figure));
    }
  });

  it("says which names there are when one is not known, and exits with 2", async () => {
    expect(await bench("--only", "nothing-like-this")).toEqual({ code: 2, lines: [""] });
  });

  it("no figure has two benchmarks", () => {
    const names = benches.flatMap(({ figures }) => figures);
    expect(new Set(names).size).toBe(names.length);
  });
});
