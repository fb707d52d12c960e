/** The command line of `npm run prove`, and a small seed of each suite. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newPart } from "../../tools/new.ts";
import { causes } from "./adversary/causes.ts";
import { attackAll, inputsPerCauseMax } from "./adversary/suite.ts";
import type { Guard } from "./budgets/money.ts";
import { playReviews } from "./budgets/reviews.ts";
import { playAll } from "./budgets/suite.ts";
import { readCommandLine } from "./command-line.ts";
import { type DaysOptions, liveDays } from "./days.ts";
import { Draw, inputsOf } from "./draw.ts";
import { withoutField } from "./seams.ts";
import { suites } from "./suites.ts";

const read = (...words: string[]) => readCommandLine(words, suites);

describe("the command line", () => {
  it.each<[string[], RegExp]>([
    [[], /^Name a suite\.\n\nUsage: /],
    [["adversry"], /^Unknown suite `adversry`\. Did you mean `adversary`\?\n\nUsage: /],
    [["xyz"], /^Unknown suite `xyz`\.\n\nUsage: /],
    [["adversary", "--sed", "1"], /^Unknown flag `--sed`\. Did you mean `--seed`\?/],
    [["adversary", "--inputs"], /^`--inputs` needs a whole number from 1, not ``\./],
    [["adversary", "--inputs", "0"], /^`--inputs` needs a whole number from 1, not `0`\./],
    [["adversary", "--seed", "-1"], /^`--seed` needs a whole number from 0/],
    [["adversary", "--seed=1.5"], /not `1\.5`/],
    [["adversary", "--seed", "1", "--seed", "2"], /^`--seed` is there twice\./],
    [["adversary", "now"], /^Unexpected word `now`\./],
    [["adversary", "--seed", "4294967296"], /^`--seed` needs a whole number/],
  ])("%j is refused with what is known", (words, text) => {
    expect(read(...words)).toEqual({ kind: "wrong", text: expect.stringMatching(text) });
  });

  it("takes a seed and the suite's own flags, and defaults for the rest", () => {
    expect(read("adversary", "--seed=7", "--inputs", "3")).toMatchObject({
      kind: "suite",
      seed: 7,
      flags: { inputs: 3 },
    });
    expect(read("adversary")).toMatchObject({ kind: "suite", seed: 1, flags: { inputs: 28 } });
  });

  it("`--help` names every suite, and each suite's flags", () => {
    const text = (asked: ReturnType<typeof read>): string => (asked.kind === "help" ? asked.text : "");
    for (const suite of suites) {
      expect(text(read("--help"))).toContain(suite.name);
      for (const flag of suite.flags) expect(text(read(suite.name, "--help"))).toContain(`--${flag.name}`);
    }
  });
});

describe("the registry of the adversary", () => {
  it("has each cause once, and enough of them", () => {
    const names = causes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  it.each(causes.map((cause) => [cause.name, cause] as const))(
    "%s has inputs enough, and others by another seed",
    (_, cause) => {
      const drawn = (seed: number): string[] => {
        const draw = new Draw(seed, cause.name);
        return inputsOf(cause.fixed, () => cause.draw(draw), 24).map((input) => JSON.stringify(input));
      };
      expect(drawn(1)).toEqual(drawn(1));
      expect(drawn(1).length).toBeGreaterThanOrEqual(20);
      expect(drawn(1).length).toBeLessThanOrEqual(inputsPerCauseMax);
      expect(drawn(1)).not.toEqual(drawn(2));
    },
  );
});

describe("budgets", () => {
  type Result = Awaited<ReturnType<typeof playAll>>;

  /** Plays up to 60 schedules, until the oracle sees something. */
  async function seen(of: (result: Result) => number, off: Parameters<typeof playAll>[2]): Promise<number> {
    let found = 0;
    for (let seed = 3; seed < 63 && found === 0; seed += 10)
      found = of(await playAll(10, { seed, say: () => {} }, off));
    return found;
  }

  it("a few schedules of money and approvals hold", async () => {
    const told: string[] = [];
    const result = await playAll(60, { seed: 20_261_130, say: (line) => void told.push(line) });
    expect(told).toEqual([]);
    expect(result).toEqual({ schedules: 60, overspentUsd: 0, unapprovedPasses: 0, uncountedUsd: 0, broken: [] });
  });

  it.each<[Guard, "overspentUsd" | "uncountedUsd"]>([
    ["reserve", "overspentUsd"],
    ["growth", "overspentUsd"],
    ["clamp", "overspentUsd"],
    ["day", "overspentUsd"],
    ["held", "uncountedUsd"],
    ["fees", "uncountedUsd"],
    ["reports", "overspentUsd"],
  ])("the oracle sees money without the guard %s", async (money, what) => {
    expect(await seen(({ [what]: usd }) => usd, { money })).toBeGreaterThan(0);
  });

  it("the oracle sees attempts without the guard tokens", async () => {
    expect(await seen(({ broken }) => broken.length, { money: "tokens" })).toBeGreaterThan(0);
  });

  it.each(["head", "people", "objections", "post"] as const)(
    "the oracle sees passes without the guard %s",
    async (off) => {
      let passes = 0;
      for (let seed = 0; seed < 600 && passes === 0; seed += 1) passes += (await playReviews(seed, off)).length;
      expect(passes).toBeGreaterThan(0);
    },
  );
});

it("adversary: a few inputs of each cause hold, and each guard matters", async () => {
  const told: string[] = [];
  const results = await attackAll(causes, 3, { seed: 20_261_130, say: (line) => void told.push(line) });
  expect(results.filter(({ fell }) => fell.length > 0)).toEqual([]);
  expect(results.filter(({ shown, skipped }) => !shown && skipped === null).map(({ cause }) => cause)).toEqual([]);
});

describe("the days of schedules", () => {
  const live = (over: Partial<DaysOptions> = {}) =>
    liveDays({ seed: 1, days: 35, repositories: 2, dayUsd: 4, ...over });

  it("through a change of clocks, downtimes and deaths nothing is missed, doubled or over its limit", async () => {
    const result = await live();
    expect(result).toMatchObject({ missed: 0, doubled: 0, overLimit: 0 });
    expect(result.runs).toBeGreaterThan(90);
  });

  it("half the money of a day changes the result, and is kept to", async () => {
    const few = { days: 15, repositories: 1 };
    const [all, half] = [await live({ ...few, dayUsd: 1 }), await live({ ...few, dayUsd: 0.5 })];
    expect(half.runs).toBeLessThan(all.runs);
    expect(half.spentUsd).toBeLessThan(all.spentUsd);
    expect([all, half]).toMatchObject([
      { missed: 0, overLimit: 0 },
      { missed: 0, overLimit: 0 },
    ]);
  });

  it("sees a repository that spends more than its day has", async () => {
    const result = await live({ days: 15, repositories: 1, dayUsd: 0.4, careless: true });
    expect(result.overLimit).toBeGreaterThan(0);
  });

  it("sees a scheduler that forgets what it did", async () => {
    const result = await live({ days: 35, forgetful: true });
    expect(result.missed).toBeGreaterThan(0);
  });
});

describe("a new part", () => {
  const read = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

  it.each([
    ["gate", ["src/gate/rules/my-own.ts", "src/gate/rules/index.ts"]],
    ["command", ["src/commands/my-own.ts", "src/commands/index.ts"]],
    [
      "harness",
      [
        "src/adapters/harness/my-own/description.ts",
        "src/adapters/harness/my-own/harness.ts",
        "src/adapters/harness/descriptions.ts",
        "src/adapters/harness/index.ts",
      ],
    ],
  ])("a %s is its own file or folder, and a line where the others stand", (kind, paths) => {
    const files = newPart(kind, "my-own", read);
    expect([...files.keys()]).toEqual(paths);
    for (const [path, text] of files) {
      const added = path.includes("my-own") ? text : text.replaceAll(/^import .*$/gm, "");
      expect(added).toContain("myOwn");
      expect(text).not.toMatch(/\bIDENT\b|\bNAME\b|_UPPER_/);
    }
  });

  it("an unknown kind, and a name that is none, are refused", () => {
    expect(() => newPart("rule", "my-own", read)).toThrow("Known: gate, command, harness");
    expect(() => newPart("gate", "My_Own", read)).toThrow("small letters");
  });

  it("a part that is left out is left out whole", () => {
    const text = "const a = {\n  name: 1,\n  keys: {\n    one: 2,\n  },\n  end() {\n    go();\n  },\n};\n";
    expect(withoutField(text, "keys")).toBe("const a = {\n  name: 1,\n  end() {\n    go();\n  },\n};\n");
    expect(withoutField(text, "end")).toBe("const a = {\n  name: 1,\n  keys: {\n    one: 2,\n  },\n};\n");
    expect(() => withoutField(text, "other")).toThrow("no field other");
  });
});
