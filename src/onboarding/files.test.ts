import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { workflowProblems } from "../../test/onboarding/workflow-problems.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { parseConfig } from "../config/parse.ts";
import { defaultSettings } from "../config/schema.ts";
import { startsOf } from "../config/wake-ups.ts";
import { readSettings } from "../environment/settings.ts";
import { triggerEvents } from "../trigger/event.ts";
import { startsOn } from "../trigger/workflow-events.ts";
import { harnessesHere } from "../wire-tools.ts";
import { type Detected, detect } from "./detect.ts";
import { explain } from "./explain.ts";
import { installCommand } from "./install.ts";
import { lineDifference } from "./line-difference.ts";
import { planFile, planFiles } from "./plan.ts";
import { proposalOf } from "./propose.ts";
import { isUntouched, seal } from "./seal.ts";
import { settingsFile } from "./settings-file.ts";
import { workflowAlone, workflowForApp } from "./template.ts";
import { permissionsOf, workflowFile } from "./workflow-file.ts";

const ci = "name: Tests: all\non: [push, workflow_dispatch]\njobs: { test: {}, lint: { name: 'Lint `it`' } }";
const detected = (
  workflows: Record<string, string> = { "ci.yml": ci.replace("Tests: all", "'Tests: all'") },
): Detected =>
  detect({
    name: "acme/shop",
    defaultBranch: "main",
    paths: ["index.ts", "package-lock.json"],
    isWhole: true,
    texts: new Map(Object.entries(workflows).map(([name, text]) => [`.github/workflows/${name}`, text])),
    secretNames: ["OPENAI_API_KEY"],
    environmentNames: [],
    branch: null,
  });
const template = workflowAlone().text;
const cacheStep = { uses: expect.stringMatching(/^actions\/cache\/(restore|save)@[0-9a-f]{40}$/) };

describe("the commented baton.yaml", () => {
  const text = settingsFile({ schemaUrl: "https://example.com/s.json", harness: "codex", checks: ["test"] });

  it("begins with the line by which editors find the schema, and is right", () => {
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=https://example.com/s.json");
    expect(parseConfig(text)).toMatchObject({ ok: true, problems: [], settings: { harness: { default: "codex" } } });
  });

  it("with every # before a key removed it is right, and says what the defaults say", () => {
    const all = text.replaceAll(/^(\s*)#(?=[A-Za-z]| {2})/gm, "$1");
    expect(Object.keys(parse(all) as object)).toEqual(Object.keys(defaultSettings));
    const parsed = parseConfig(all);
    expect(parsed).toMatchObject({ ok: true, problems: [] });
    expect(parsed.ok && parsed.settings).toEqual({
      ...defaultSettings,
      harness: { ...defaultSettings.harness, default: "codex" },
    });
  });

  it("offers rules of `triggers` that are right", () => {
    const words = text.replaceAll(/\n# /g, " ");
    const [, rules = ""] = /Examples: (.*?\})\.\n/.exec(words) ?? [];
    const parsed = parseConfig(`triggers: [${rules}]\n`, { processes: ["issue-to-pr", "review"] });
    expect(parsed).toMatchObject({ ok: true, problems: [] });
    expect(parsed.ok && parsed.settings.triggers.map(({ on, process }) => `${on} ${process}`)).toEqual([
      "issues.labeled issue-to-pr",
      "pull_request.opened review",
      "workflow_run.failed issue-to-pr",
    ]);
  });

  it("shows the checks that were found, and no line is too long to read", () => {
    expect(text).toContain('Found here: "test".');
    expect(text.split("\n").filter((line) => line.length > 112)).toEqual([]);
  });
});

describe("the workflow", () => {
  it.each([workflowAlone(), workflowForApp()])("is one to GitHub's own parser ($for)", async ({ text }) => {
    expect(await workflowProblems(workflowFile(text, detected()))).toEqual([]);
  });

  it("the parser would have found something", async () => {
    const text = workflowFile(template, detected());
    expect(await workflowProblems(text.replace("runs-on", "run-on"))).not.toEqual([]);
    expect(await workflowProblems(text.replace("contains(", "contaisn("))).not.toEqual([]);
  });

  it("waits for the project's own workflows, starts those that can be started, has the model's secret", () => {
    const text = workflowFile(
      template,
      detected({
        "ci.yml": ci.replace("Tests: all", "'Tests: all'"),
        "other.yml": "name: Other\non: push\njobs: { a: {} }",
      }),
    );
    const file = parse(text) as Record<string, never>;
    expect(file).toMatchObject({
      on: { workflow_run: { workflows: ["Tests: all", "Other"] } },
      jobs: {
        baton: {
          steps: [
            cacheStep,
            {},
            { with: { "dispatch-workflows": "ci.yml" }, env: { OPENAI_API_KEY: "${{ secrets.OPENAI_API_KEY }}" } },
            cacheStep,
          ],
        },
      },
    });
    expect(text).not.toContain("ANTHROPIC_API_KEY");
  });

  it("the agent is installed before the Action needs it; a program of one's own is not", () => {
    const steps = (harness: string, text = template): object[] =>
      (parse(workflowFile(text, { ...detected(), harness })) as { jobs: { baton: { steps: object[] } } }).jobs.baton
        .steps;
    expect(steps("codex")).toMatchObject([
      cacheStep,
      { run: "npm install --global @openai/codex" },
      { uses: expect.stringContaining("/action@") },
      cacheStep,
    ]);
    expect(steps("command")).toHaveLength(3);
    const others = template.replace(/npm install --global \S+/, "npm install --global other");
    const [, install] = steps("codex", others);
    expect(install).toMatchObject({ run: "npm install --global @openai/codex" });
  });

  it("each harness is installed as it advises itself", async () => {
    const binaries = ["CLAUDE", "CODEX", "COPILOT", "GEMINI", "OPENCODE", "PI"].map((name) => [
      `BATON_${name}_BINARY`,
      "/nowhere/none",
    ]);
    const all = harnessesHere(readSettings(Object.fromEntries(binaries) as Record<string, string>));
    const harnesses = [...all.values()].filter(({ name }) => name !== "command");
    expect(harnesses.length).toBeGreaterThan(3);
    for (const harness of harnesses) expect((await harness.probe()).advice).toBe(`\`${installCommand(harness.name)}\``);
  });

  it("without CI of Actions it waits for no workflow and starts none", () => {
    const file = parse(workflowFile(template, detected({}))) as {
      on: object;
      jobs: { baton: { steps: object[] } };
    };
    expect(file.on).not.toHaveProperty("workflow_run");
    expect(file.on).toHaveProperty("check_suite");
    expect(JSON.stringify(file.jobs)).not.toContain("dispatch-workflows");
  });

  it("beside an App it is the runner's, by the name that the configuration has: the other would answer comments, too", () => {
    const pathFor = (text: string): string | undefined =>
      planFiles({
        detected: { ...detected(), texts: new Map([["baton.yaml", text]]) },
        workflow: workflowForApp(),
        digest: sha256,
      })[0]?.path;
    expect(pathFor("version: 1")).toBe(".github/workflows/baton-runner.yml");
    expect(pathFor("runnerWorkflow: mine.yml")).toBe(".github/workflows/mine.yml");
    const triggers = (parse(workflowFile(workflowForApp().text, detected())) as { on: object }).on;
    expect(Object.keys(triggers)).toEqual(["workflow_dispatch"]);
  });

  it("starts on what rules of `triggers` name, and on an issue without a command where a rule is about issues", async () => {
    const rules = (...events: string[]): Detected => ({
      ...detected(),
      texts: new Map([
        [
          "baton.yaml",
          `triggers:\n${events.map((on, at) => `  - { name: r${at}, on: ${on}, process: explore }`).join("\n")}\n`,
        ],
      ]),
    });
    const events = triggerEvents.filter((on) => on !== "http");
    const text = workflowFile(template, rules(...events));
    expect(await workflowProblems(text)).toEqual([]);
    expect((parse(text) as { on: object }).on).toMatchObject({
      issues: { types: ["opened", "edited", "labeled", "assigned"] },
      pull_request: { types: expect.arrayContaining(["opened", "labeled"]) },
      push: { branches: ["main"] },
      check_run: { types: ["completed"] },
      release: { types: ["published"] },
      repository_dispatch: null,
    });
    for (const on of events) expect(startsOn(startsOf(text), on), on).toBe(true);
    const bare = workflowFile(template, rules("pull_request.labeled"));
    expect(startsOn(startsOf(bare), "issues.opened")).toBe(false);
    expect(bare).toContain("contains(github.event.issue.body, '/baton')");
    // Beside an App rules are the App's.
    expect(workflowFile(workflowForApp().text, rules("push"))).toBe(workflowFile(workflowForApp().text, detected()));
  });

  it("a template that has nothing to put in stays as it is", () => {
    const other = "on: push\njobs:\n  a:\n    runs-on: x\n";
    expect(workflowFile(other, detected())).toBe(other);
  });

  it("each permission has its reason", () => {
    const permissions = permissionsOf(template);
    expect(permissions.length).toBeGreaterThan(3);
    for (const { access, reason } of permissions) {
      expect(["read", "write"]).toContain(access);
      expect(reason).not.toBe("");
    }
  });
});

describe("the seal", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 200 });

  it("holds while nobody touches the file, however its lines end", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const sealed = seal(text, sha256);
        expect(isUntouched(sealed, sha256)).toBe(true);
        expect(isUntouched(sealed.replaceAll("\n", "\r\n"), sha256)).toBe(true);
      }),
    );
  });

  it.each([
    ["a line more", (text: string) => `x: 1\n${text}`],
    ["a line after it", (text: string) => `${text}x: 1\n`],
    ["another word", (text: string) => text.replace("version", "varsion")],
    ["without its seal", (text: string) => text.replace(/# baton:setup .*\n/, "")],
  ])("breaks with %s", (_, change) => {
    expect(isUntouched(change(seal("version: 1\n", sha256)), sha256)).toBe(false);
  });
});

describe("what is written", () => {
  const wanted = seal("version: 1\n", sha256);
  it.each([
    ["nothing there", null, "create"],
    ["the same", wanted, "unchanged"],
    ["an older one that nobody touched", seal("version: 1\nmerge: auto\n", sha256), "refresh"],
    ["one of people", "version: 1\nmerge: auto\n", "keep"],
    ["ours, changed by people", wanted.replace("version", "budget: {}\nversion"), "keep"],
  ] as const)("%s", (_, present, action) => {
    expect(planFile("baton.yaml", wanted, present, sha256).action).toBe(action);
  });

  it("of a configuration that is kept the difference in effect is told, not the writing", () => {
    const kept = planFile("baton.yaml", wanted, "# mine\nversion: 1\nbudget: { runUsd: 9 }\n", sha256);
    expect(kept.difference).toBe("-budget.runUsd: 9\n+budget.runUsd: 5");
    expect(planFile("baton.yaml", wanted, "# mine\nversion: 1\n", sha256).difference).toBe("");
    expect(planFile("baton.yaml", wanted, "versoin: 1\n", sha256).difference).toContain("-versoin: 1\n+version: 1");
  });
});

describe("line differences", () => {
  it("applied to the one give the other", () => {
    const lines = fc
      .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 12 })
      .map((some) => some.join("\n"));
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const rows = lineDifference(before, after, 1_000).split("\n");
        const same = before.replace(/\n$/, "") === after.replace(/\n$/, "");
        expect(rows.join("\n") === "").toBe(same);
        if (same) return;
        const side = (sign: string): string =>
          rows
            .filter((row) => row[0] !== sign)
            .map((row) => row.slice(1))
            .join("\n");
        expect(side("+")).toBe(before.replace(/\n$/, ""));
        expect(side("-")).toBe(after.replace(/\n$/, ""));
      }),
    );
  });

  it("leave out what is far from a change", () => {
    expect(lineDifference("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7", 1)).toBe("…\n 5\n-6\n+7");
    expect(lineDifference("1\n2\n3\n4\n5", "0\n2\n3\n4\n5", 1)).toBe("-1\n+0\n 2\n…");
    expect(lineDifference("1\n2\n3\n4\n5\n6", "0\n2\n3\n4\n5\n7", 1)).toBe("-1\n+0\n 2\n…\n 5\n-6\n+7");
    expect(lineDifference("1\n2\n3", "1\n2\n3\n4", 1)).toBe("…\n 3\n+4");
  });

  it("compare long texts, and say where nobody would read the difference", () => {
    const long = Array.from({ length: 50_000 }, (_, index) => `${index}`);
    const one = long.with(25_000, "changed");
    expect(lineDifference(long.join("\n"), one.join("\n"), 0)).toBe("…\n-25000\n+changed\n…");
    expect(lineDifference(long.join("\n"), long.map((line) => `${line}!`).join("\n"))).toContain("too long to compare");
  });
});

describe("the explanation", () => {
  const proposal = (change: Partial<Detected> = {}, model: string | null = "gpt-5-codex") => {
    const all = { ...detected(), ...change };
    const files = planFiles({ detected: all, workflow: workflowAlone(), digest: sha256 });
    const options = {
      workflow: workflowAlone(),
      place: "pull-request",
      permissionsText: template,
      modelOf: () => model,
    } as const;
    return explain(proposalOf(options, all, files, []));
  };

  it("says what was found, what a run costs, what is asked and why, what is left to do", () => {
    const text = proposal();
    expect(text).toContain("| Languages | TypeScript (1) |");
    expect(text).toContain("`OPENAI_API_KEY` (repository secret; for codex)");
    expect(text).toMatch(/About \*\*\$0\.5\d\*\* with `gpt-5-codex`/);
    expect(text).toContain("| contents | write | branches of Baton");
    expect(text).toMatch(
      /1\. Replace [^\n]*\n2\. Allow Actions[^\n]*\n3\. Merge this pull request\.\n4\. Comment `\/baton run`/,
    );
  });

  it("a secret that is missing is the first thing to do, after the name of Baton's repository where no release put it", () => {
    expect(proposal({ keys: [], key: "ANTHROPIC_API_KEY" })).toMatch(
      /1\. Replace [^\n]*\n2\. Add the secret `ANTHROPIC_API_KEY`/,
    );
  });

  it("no price, no figure", () => {
    expect(proposal({}, "somebody's-own")).toContain("No price is known for `somebody's-own`.");
  });

  it("names that people chose break out of nothing", () => {
    const text = proposal({
      checks: [{ name: "a` | <img> |\n# b", exact: true, always: true, workflow: "x", path: "x" }],
    });
    expect(text).toContain("`a? ? <img> ??# b`");
  });
});
