import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { processorSeconds } from "../../test/prove/adversary/processor-time.ts";
import { commands } from "../commands/index.ts";
import { workflowAlone } from "../onboarding/template.ts";
import { commandNames } from "./command-names.ts";
import { parseConfig } from "./parse.ts";
import { defaultSettings, settingsSchema } from "./schema.ts";
import { startsOf, wakeUpsOf } from "./wake-ups.ts";

function problems(text: string) {
  return parseConfig(text).problems;
}

describe("baton.yaml that is right", () => {
  it.each(["", "# nothing\n", "version: 1\n", "{}", "---\n", "\ufeffversion: 1"])("%j gives the defaults", (text) => {
    expect(parseConfig(text)).toEqual({ ok: true, settings: defaultSettings, problems: [] });
  });

  it("merge is written short or long", () => {
    expect(parseConfig("merge: auto")).toMatchObject({
      ok: true,
      settings: { merge: { mode: "auto", method: "squash" } },
    });
    expect(parseConfig("merge: {mode: auto, method: rebase}")).toMatchObject({
      ok: true,
      settings: { merge: { mode: "auto", method: "rebase" } },
    });
  });

  it("a required check is written by name, or by name and App", () => {
    expect(parseConfig("gates: {required: [test, {name: e2e, app: 15368}, {name: lint}]}")).toMatchObject({
      ok: true,
      settings: {
        gates: {
          required: [
            { name: "test", app: null },
            { name: "e2e", app: 15_368 },
            { name: "lint", app: null },
          ],
        },
      },
    });
  });

  it("settings read from the journal again are the same: what the schema gives it also takes", () => {
    const texts = [
      "",
      "merge: auto",
      "gates: {required: [test, {name: e2e, app: 3}]}",
      "commands: {allow: {budget: admin}}",
      "prices: {m: {input: 1, output: 2, cacheRead: 0, cacheWrite: 0}}",
    ];
    for (const text of texts) {
      const parsed = parseConfig(text);
      expect(parsed.ok && settingsSchema.parse(JSON.parse(JSON.stringify(parsed.settings)))).toEqual(
        parsed.ok && parsed.settings,
      );
      expect(parsed.ok && parseConfig(stringify(parsed.settings))).toEqual(parsed);
    }
  });

  it("commands.allow knows every command of the grammar, and no other", () => {
    expect([...commandNames].sort()).toEqual(commands.map(({ name }) => name).sort());
  });
});

describe("baton.yaml that is wrong", () => {
  it("Y2: an unknown key names its line, what is allowed, and the key that was meant", () => {
    expect(problems("version: 1\nbudget:\n  runUSD: 3\n")).toEqual([
      {
        line: 3,
        column: 3,
        path: "budget.runUSD",
        message: expect.stringContaining("Allowed: runUsd, maxUsd"),
        suggestion: "runUsd",
        severity: "error",
      },
    ]);
  });

  it("tells all problems at once, in the order of their lines", () => {
    const found = problems("harnes: x\nlimits:\n  turns: none\nversion: 1\nversion: 1\nmerge: atuo\n");
    expect(found.map(({ line, path, suggestion }) => [line, path, suggestion])).toEqual([
      [1, "harnes", "harness"],
      [3, "limits.turns", null],
      [5, "", null],
      [6, "merge", "auto"],
    ]);
  });

  it.each([
    [
      "a value of a list",
      "breakpoints: {plan: aks}",
      1,
      "breakpoints.plan",
      `is "aks". Write one of "ask", "auto"`,
      "ask",
    ],
    ["a word for a number", "limits:\n  turns: many", 2, "limits.turns", "Write a whole number from 1 to 500", null],
    ["a number out of bounds", "budget: {runUsd: -1}", 1, "budget.runUsd", "is -1. Write a number, at least 0", null],
    [
      "a fraction that is none",
      "budget: {warnAt: [0.5, 1.5]}",
      1,
      "budget.warnAt.1",
      "more than 0 and less than 1",
      null,
    ],
    ["an empty section", "budget:\n", 1, "budget", "is null. Write a map of runUsd", null],
    [
      "a form that does not exist",
      "merge: 3",
      1,
      "merge",
      `Write one of "auto", "manual" or a map of mode, method`,
      null,
    ],
    ["a key within a short form's long form", "merge: {mod: auto}", 1, "merge.mod", "Allowed: mode, method", "mode"],
    [
      "a key within a list",
      "gates:\n  required:\n    - {nam: x, name: y}\n",
      3,
      "gates.required.0.nam",
      "Allowed: name, app",
      "name",
    ],
    [
      "a command that does not exist",
      "commands: {allow: {rnu: write}}",
      1,
      "commands.allow.rnu",
      "Allowed: run, race",
      "run",
    ],
    [
      "a permission that does not exist",
      "commands: {allow: {run: wirte}}",
      1,
      "commands.allow.run",
      `"maintain", "admin"`,
      "write",
    ],
    [
      "a price that is not whole",
      "prices:\n  m: {input: 1, output: 1, cacheRead: 1}",
      2,
      "prices.m.cacheWrite",
      "is missing. Write a number",
      null,
    ],
    [
      "a glob that would protect nothing",
      "protectedPaths: ['/src']",
      1,
      "protectedPaths.0",
      "Write a glob of paths from the root",
      null,
    ],
    ["a glob that would protect all but", "protectedPaths: ['!src']", 1, "protectedPaths.0", "Write a glob", null],
    [
      "a login with @",
      "approvals: {people: ['@alice']}",
      1,
      "approvals.people.0",
      "Write a GitHub login, without @",
      null,
    ],
    [
      "a prefix that is no branch name",
      "branchPrefix: 'a..b'",
      1,
      "branchPrefix",
      "Write the beginning of a branch name",
      null,
    ],
    ["a newer version", "version: 2", 1, "version", "is 2. Write 1", null],
    ["a list", "- 1\n", 1, "", "The file is a list. Write a map of version", null],
    ["a text", "hello", 1, "", `The file is "hello"`, null],
    ["not YAML", "a: [1\n", 2, "", "This is not YAML", null],
    ["an alias to nothing", "process: *nothing", 1, "", "The file cannot be read", null],
    ["two documents", "version: 1\n---\nversion: 1\n", 2, "", "A file is one document", null],
    ["keys of objects", "__proto__: {polluted: true}\n", 1, "__proto__", "is not a key", null],
    ["a value with a backtick", 'process: 1\nharness: {default: ["`"]}\n', 2, "harness.default", "is a list", null],
  ] as const)("%s", (_, text, line, path, message, suggestion) => {
    const found = problems(text).find((problem) => problem.path === path && problem.line === line);
    expect(found?.message).toContain(message);
    expect(found?.suggestion).toBe(suggestion);
    expect(parseConfig(text)).not.toHaveProperty("settings");
  });

  it.each([
    ["a run that may spend more than a run may", "budget: {runUsd: 30}", "budget.runUsd", "error"],
    ["a check that is required and ignored", "gates: {required: [e2e], ignore: [e2e]}", "gates.ignore", "error"],
    ["more approvals than people", "approvals: {people: [alice], count: 2}", "approvals.count", "error"],
    ["an attempt that is larger than the run", "budget: {runUsd: 1}", "limits.attemptUsd", "warning"],
    ["a harness that looks like another", "harness: {default: claude-cod}", "harness.default", "warning"],
    [
      "checks that may appear after the end",
      "gates: {appearSeconds: 3600, timeoutMinutes: 5}",
      "gates.appearSeconds",
      "warning",
    ],
    ["a short name, which only commands take", "harness: {default: claude}", "harness.default", "warning"],
    ["one that takes over", "harness: {fallback: [codex, gemni]}", "harness.fallback.1", "warning"],
    ["one with tiers", "tiers: {codx: {fast: a}}", "tiers.codx", "warning"],
    ["one of a profile", "profiles: {p: {harnesses: [codx]}}", "profiles.p.harnesses.0", "warning"],
    ["merging unseen work", "merge: auto\nbreakpoints: {review: auto}", "merge", "warning"],
    [
      "passing untested, unseen work",
      "gates: {noChecks: pass}\nbreakpoints: {review: auto}",
      "gates.noChecks",
      "warning",
    ],
  ] as const)("no sense together: %s", (_, text, path, severity) => {
    const parsed = parseConfig(text);
    expect(parsed.problems).toMatchObject([{ path, severity, line: expect.any(Number) }]);
    expect(parsed.ok).toBe(severity === "warning");
  });

  it("a harness of one's own is no typo", () => {
    expect(problems("harness: {default: our-agent}")).toEqual([]);
  });
});

describe("Y5: bounds", () => {
  it.each([
    ["brackets", "[".repeat(60_000)],
    ["braces", "{a: ".repeat(15_000)],
    ["dashes", "- ".repeat(30_000)],
    ["question marks", "? ".repeat(30_000)],
    ["indentation", Array.from({ length: 340 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["unknown keys", Array.from({ length: 6_000 }, (_, index) => `k${index}: 1`).join("\n")],
    ["doubled keys", "a: 1\n".repeat(10_000)],
    ["quotes", '"'.repeat(60_000)],
    ["anchors", "&a ".repeat(20_000)],
    [
      "an alias bomb",
      "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
    ],
    ["too large a file", "#".repeat(70_000)],
    ["too long a list", `protectedPaths: [${"a,".repeat(30_000)}]`],
  ])("%s: refused with at most 50 problems", (_, text) => {
    const parsed = parseConfig(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.problems.length).toBeGreaterThan(0);
    expect(parsed.problems.length).toBeLessThanOrEqual(50);
  });

  it("says how many more there are", () => {
    const last = problems(Array.from({ length: 60 }, (_, index) => `k${index}: 1`).join("\n")).at(-1);
    expect(last?.message).toBe("There are 11 more problems.");
  });

  it("brackets in a comment are no nesting", () => {
    expect(parseConfig(`# ${"[".repeat(100)}\n`).ok).toBe(true);
  });

  it("a value is shown in part", () => {
    expect(
      problems(
        `process: ["${"x".repeat(5_000)}"]\nharness: {model: 3}\nbreakpoints: {plan: ${"y".repeat(5_000)}}`,
      ).every(({ message }) => message.length < 400),
    ).toBe(true);
  });

  it("no text makes it throw, and every problem has a place", () => {
    const piece = fc.constantFrom(
      "budget",
      "limits:",
      "\n",
      "  ",
      ": ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a",
      "!!x ",
      "|\n",
      ">\n",
      '"',
      "'",
      "#",
      "? ",
      "merge",
      "auto",
      "1",
      "\t",
      "<<: ",
      "---\n",
      "\u0000",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
          fc.string(),
        ),
        (text) => {
          for (const { line, column, message } of parseConfig(text).problems) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
            expect(message).not.toBe("");
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe("schedules", () => {
  const lines = (...rest: string[]) => ["schedules:", "  - name: nightly", ...rest].join("\n");
  const found = (text: string, surroundings = {}) =>
    parseConfig(text, surroundings).problems.map(({ line, severity, message }) => `${line} ${severity} ${message}`);

  it("what is right is right, with its defaults", () => {
    const parsed = parseConfig(lines('    cron: "0 3 * * *"', "    process: explore"));
    expect(parsed.ok && parsed.settings.schedules).toEqual([
      {
        name: "nightly",
        cron: "0 3 * * *",
        timeZone: "UTC",
        process: "explore",
        with: {},
        budgetUsd: null,
        harness: null,
        priority: "low",
        deadlineMinutes: null,
        paths: [],
        overlap: "skip",
        catchUp: "latest",
        jitterMinutes: 5,
      },
    ]);
  });

  it.each([
    ["a cron that never occurs", '    cron: "0 0 30 2 *"', /^3 error .*never occurs/],
    ["a cron of seconds", '    cron: "* * * * * *"', /^3 error .*names seconds/],
    ["a cron of nonsense", "    cron: nightly", /^3 error .*1 of 5 fields/],
    ["a time zone that is none", '    cron: "0 3 * * *"\n    timeZone: Berlin', /^4 error .*time zone/],
    ["more money than a run may get", '    cron: "0 3 * * *"\n    budgetUsd: 99', /^4 error .*budget\.maxUsd/],
    ["a key that nobody reads", '    cron: "0 3 * * *"\n    retries: 3', /^4 error .*is not a key here/],
  ])("%s is told at its line", (_, text, expected) => {
    expect(found(`${lines(text)}\n    process: explore`)[0]).toMatch(expected);
  });

  it("an unknown process is an error at its line where processes are known, and none elsewhere", () => {
    const text = lines('    cron: "0 3 * * *"', "    process: explor");
    expect(found(text)).toEqual([]);
    expect(found(text, { processes: ["explore", "audit"] })).toEqual([
      "4 error There is no process `explor`. There are: explore, audit.",
    ]);
  });

  it.each([
    ["explore", "folder", /^5 error `explore` has no input `folder`\. `with` may have: instructions\.$/],
    ["count", "foldr", /^5 error `count` has no input `foldr`\. `with` may have: instructions, folder\.$/],
    ["count", "constructor", /^5 error `count` has no input `constructor`/],
    ["count", "folder", undefined],
    ["count", "instructions", undefined],
    ["unread", "anything", undefined],
  ])(
    "`with` of `%s` with `%s`: unknown inputs are errors at their line, of schedules and of triggers",
    (process, key, said) => {
      const inputs = { explore: ["instructions"], count: ["instructions", "folder"] };
      const rest = [`    process: ${process}`, `    with: { ${key}: docs }`];
      for (const text of [
        lines('    cron: "0 3 * * *"', ...rest),
        ["triggers:", "  - name: nightly", "    on: push", ...rest].join("\n"),
      ]) {
        const [first, ...more] = found(text, { inputs });
        expect(more).toEqual([]);
        if (said === undefined) expect(first).toBeUndefined();
        else expect(first).toMatch(said);
      }
    },
  );

  it.each([
    ["*/5 * * * *", ["*/15 * * * *"], 1],
    ["*/15 * * * *", ["*/15 * * * *"], 0],
    ["0 3 * * *", ["*/15 * * * *"], 0],
    ["*/10 * * * *", ["0 * * * *", "*/5 * * * *"], 0],
    ["*/5 * * * *", [], 0],
  ])("%s where %j wakes Actions mode", (cron, wakeUps, count) => {
    const text = lines(`    cron: "${cron}"`, "    process: explore");
    const warnings = found(text, { wakeUps });
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) expect(warning).toMatch(/^3 warning .*as fine as that/);
  });

  it("two of one name, and none that can run without a dashboard", () => {
    const one = '  - { name: nightly, cron: "0 3 * * *", process: explore }';
    expect(found(`schedules:\n${one}\n${one}`)[0]).toMatch(/^3 error Two schedules are called `nightly`/);
    expect(found(`dashboard: false\nschedules:\n${one}`)[0]).toMatch(/^1 warning .*do not run with `dashboard: false`/);
  });

  it("the cron of the workflow that uses the Action counts, and of no other", () => {
    expect(wakeUpsOf(workflowAlone().wakeUp ?? "")).toEqual(["17 * * * *"]);
    expect(wakeUpsOf("on: { schedule: [{ cron: '* * * * *' }] }\njobs: {}\n")).toEqual([]);
    expect(wakeUpsOf("x: [\nuses: a/b/action@v1\n")).toEqual([]);
    const told = "jobs: { one: { steps: [{ run: 'echo uses: a/b/action@v1' }] } }";
    expect(wakeUpsOf(`on: { schedule: [{ cron: '* * * * *' }] }\n${told}\n`)).toEqual([]);
  });

  it.each(["\n", " \n", "- \n"])("a workflow of %j alone is read in no time", (line) => {
    const text = `# a/b/action@v1\n${line.repeat(Math.floor((250 * 1024) / line.length))}`;
    expect(processorSeconds(() => wakeUpsOf(text), 4)).toBeLessThan(4);
  });
});

describe("triggers where the workflow of Actions mode starts", () => {
  const workflow = (on: string, condition = "true"): string =>
    `on: ${on}\njobs: { read: { if: "${condition}", steps: [{ uses: a/b/action@v1 }] } }\n`;
  const warned = (rule: string, text: string): string[] => {
    const starts = startsOf(text);
    const parsed = parseConfig(`triggers:\n  - name: one\n    on: ${rule}\n    process: explore\n`, {
      wakeUps: ["*/15 * * * *"],
      starts,
    });
    return parsed.problems.map(({ line, severity, message }) => `${line} ${severity} ${message}`);
  };

  it.each([
    [
      "issues.labeled",
      workflow("{ issues: { types: [opened] } }"),
      /^3 warning .*add `labeled` to `on\.issues\.types`/,
    ],
    [
      "issues.labeled",
      workflow("{ issues: { types: [labeled] } }", "contains(github.event.issue.body, '/baton')"),
      /condition of its first job/,
    ],
    ["push", workflow("[issues]"), /add it to `on\.push`/],
    ["pull_request.labeled", workflow("pull_request"), /`labeled`/],
    ["repository_dispatch", workflow("{ repository_dispatch: { types: [baton] } }"), /Add yours to/],
    ["http", workflow("[push]"), /reaches an App only/],
    ["push", "on: push\njobs: {}\n", /does not start on `push`/],
  ])("%s with %s is a warning at its line", (rule, text, expected) => {
    expect(warned(rule, text)).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ["issues.labeled", workflow("{ issues: { types: [opened, labeled] } }")],
    ["issues.labeled", workflow("issues")],
    ["pull_request.opened", workflow("[pull_request]")],
    ["push", workflow("{ push: { branches: [main] } }")],
    ["release.published", workflow("{ release: { types: published } }")],
    ["repository_dispatch", workflow("{ repository_dispatch: null }")],
    ["repository_dispatch", workflow("{ repository_dispatch: { types: [baton, deploy] } }")],
  ])("%s with %s is none", (rule, text) => {
    expect(warned(rule, text)).toEqual([]);
  });
});
