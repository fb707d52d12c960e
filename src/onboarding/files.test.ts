import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { workflowProblems } from "../../test/onboarding/workflow-problems.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { parseConfig } from "../config/parse.ts";
import { startsOf, wakeUpsOf } from "../config/wake-ups.ts";
import { product } from "../core/product.ts";
import { readSettings } from "../environment/settings.ts";
import { triggerEvents } from "../trigger/event.ts";
import { startsOn } from "../trigger/workflow-events.ts";
import { harnessesHere } from "../wire-tools.ts";
import { type Detected, detect } from "./detect.ts";
import { explain } from "./explain.ts";
import { agentPackage } from "./install.ts";
import { lineDifference } from "./line-difference.ts";
import { planFile, planFiles } from "./plan.ts";
import { proposalOf } from "./propose.ts";
import { isUntouched, seal } from "./seal.ts";
import { type SettingsFileOptions, settingsFile } from "./settings-file.ts";
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
    writers: 2,
    isEmpty: false,
  });
const template = workflowAlone().text;
const cacheStep = { uses: expect.stringMatching(/^actions\/cache\/(restore|save)@[0-9a-f]{40}$/) };

it("a file that Baton writes does not ask to be copied", () => {
  for (const text of [workflowAlone().text, workflowAlone().wakeUp ?? "", workflowForApp().text]) {
    expect(text).toMatch(/^# [A-Z]/);
    expect(text).not.toContain("copy this file");
  }
  expect(workflowAlone().text).toMatch(/^# Baton without a server\. It needs the secret of your model\.\n/);
});

describe("the short baton.yaml", () => {
  const given: SettingsFileOptions = {
    schemaUrl: "https://example.com/s.json",
    referenceUrl: "https://example.com/baton-yaml.md",
    harness: "codex",
    required: { names: ["test", "a: b"], why: "jobs without a condition" },
    isAlone: false,
    packageManagers: [],
  };

  it("begins with the line by which editors find the schema, is right, and has few lines", () => {
    const text = settingsFile(given);
    expect(text).toBe(
      [
        "# yaml-language-server: $schema=https://example.com/s.json",
        "# All keys with their defaults: https://example.com/baton-yaml.md",
        "version: 1",
        "harness: { default: codex }",
        "budget: { runUsd: 5 } # the most that one run may spend, in USD",
        "# Jobs without a condition. Without this line every check must be green.",
        'gates: { required: [ test, "a: b" ] }',
        "",
      ].join("\n"),
    );
    expect(parseConfig(text)).toMatchObject({
      ok: true,
      problems: [],
      settings: { harness: { default: "codex" }, gates: { required: [{ name: "test" }, { name: "a: b" }] } },
    });
  });

  it.each([
    ["alone", { isAlone: true }, /Only one person has write access[^\n]*\n# (approvals: [^\n]*)/],
    ["perhaps alone", { isAlone: null }, /If you are the only person[^\n]*\n# (approvals: [^\n]*)/],
    [
      "with package managers",
      {
        packageManagers: [
          { name: "npm", path: "package-lock.json" },
          { name: "uv", path: "uv.lock" },
        ],
      },
      /sandbox:\n# (sandbox: [^\n]*)/,
    ],
  ] as const)("lines that are switched off are right when they are switched on: %s", (_, change, found) => {
    const text = settingsFile({ ...given, ...change });
    const [, line = ""] = found.exec(text) ?? [];
    expect(line).not.toBe("");
    expect(parseConfig(`${text}${line}\n`)).toMatchObject({ ok: true, problems: [] });
  });

  it.each([
    ["no lock file, so no command that needs one", { name: "npm", path: "package.json" }],
    ["a part's own", { name: "npm", path: "web/package-lock.json" }],
    ["a manager that no command is known for", { name: "maven", path: "pom.xml" }],
  ])("no set-up is proposed: %s", (_, manager) => {
    expect(settingsFile({ ...given, packageManagers: [manager] })).not.toContain("sandbox");
  });

  it("without checks to require there is no such line", () => {
    expect(settingsFile({ ...given, required: { names: [], why: "x" } })).not.toContain("gates");
  });
});

describe("the workflow", () => {
  it.each([workflowAlone(), workflowForApp()])("is one to GitHub's own parser ($for)", async ({ text }) => {
    expect(await workflowProblems(workflowFile(text, detected()))).toEqual([]);
  });

  it("the wake-up is one to GitHub's own parser, is hourly, and may only read and start", async () => {
    const { wakeUp = "" } = workflowAlone();
    expect(await workflowProblems(wakeUp)).toEqual([]);
    expect(wakeUpsOf(wakeUp)).toEqual(["17 * * * *"]);
    expect(wakeUpsOf(template)).toEqual([]);
    const { permissions } = parse(wakeUp) as { permissions: Record<string, string> };
    expect(Object.entries(permissions).filter(([, level]) => level === "write")).toEqual([["actions", "write"]]);
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

  it("the agent is installed before the Action needs it, in an exact version that Renovate finds", () => {
    const textOf = (harness: string, from = template): string => workflowFile(from, { ...detected(), harness });
    const steps = (harness: string, from = template): object[] =>
      (parse(textOf(harness, from)) as { jobs: { baton: { steps: object[] } } }).jobs.baton.steps;
    const install = (name: string) => ({
      run: `npm install --global "${name}@$AGENT_VERSION"`,
      env: { AGENT_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    expect(steps("codex")).toMatchObject([
      cacheStep,
      install("@openai/codex"),
      { uses: expect.stringContaining("/action@") },
      cacheStep,
    ]);
    expect(steps("command")).toHaveLength(3);
    const others = template.replaceAll("@anthropic-ai/claude-code", "other");
    expect(steps("codex", others)[1]).toMatchObject(install("@openai/codex"));
    // The expression of the preset `customManagers:githubActionsVersions`:
    // https://docs.renovatebot.com/presets-customManagers/
    const preset =
      /# renovate: datasource=(?<datasource>[a-zA-Z0-9-._]+?) depName=(?<depName>[^\s]+?)\s+[A-Za-z0-9_]+?_VERSION\s*:\s*["']?(?<currentValue>.+?)["']?\s/g;
    for (const harness of ["claude-code", "codex", "pi"])
      expect([...textOf(harness).matchAll(preset)].map(({ groups }) => ({ ...groups }))).toEqual([
        { datasource: "npm", depName: agentPackage(harness)?.name, currentValue: agentPackage(harness)?.version },
      ]);
  });

  it("the Action has the exact tag of this release in both jobs", () => {
    const uses = [...workflowFile(template, detected()).matchAll(/uses: (\S+\/action@\S+)/g)].map(([, one]) => one);
    expect(uses).toEqual(Array.from({ length: uses.length }, () => `${product.repository}/action@v${product.version}`));
    expect(uses.length).toBeGreaterThanOrEqual(2);
  });

  it("the template's agent is the one that Baton was tested with", () => {
    expect(template).toContain(`AGENT_VERSION: "${agentPackage("claude-code")?.version}"`);
    expect(workflowForApp().text).toContain(`AGENT_VERSION: "${agentPackage("claude-code")?.version}"`);
  });

  it("each harness is installed by the package that it advises itself", async () => {
    const binaries = ["CLAUDE", "CODEX", "COPILOT", "GEMINI", "OPENCODE", "PI"].map((name) => [
      `BATON_${name}_BINARY`,
      "/nowhere/none",
    ]);
    const all = harnessesHere(readSettings(Object.fromEntries(binaries) as Record<string, string>));
    const harnesses = [...all.values()].filter(({ name }) => name !== "command");
    expect(harnesses.length).toBeGreaterThan(3);
    for (const harness of harnesses)
      expect((await harness.probe()).advice).toBe(`\`npm install --global ${agentPackage(harness.name)?.name}\``);
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
    expect(pathFor("executor: actions")).toBe(".github/workflows/baton-runner.yml");
    expect(pathFor("executor: actions\nrunnerWorkflow: mine.yml")).toBe(".github/workflows/mine.yml");
    // Agents on the App's own machine need no workflow.
    expect(pathFor("version: 1")).toBe("baton.yaml");
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
      // A rule of its own is about every file.
      push: { branches: ["main"] },
      check_run: { types: ["completed"] },
      release: { types: ["published"] },
      repository_dispatch: null,
    });
    for (const on of events) expect(startsOn(startsOf(text), on), on).toBe(true);
    const bare = workflowFile(template, rules("pull_request.labeled"));
    expect(startsOn(startsOf(bare), "push")).toBe(false);
    expect((parse(bare) as { on: { push: object } }).on.push).toMatchObject({
      branches: ["main"],
      paths: expect.arrayContaining(["baton.yaml"]),
    });
    expect(startsOn(startsOf(bare), "issues.opened")).toBe(false);
    expect(bare).toContain("contains(github.event.issue.body, '/baton')");
    // Next to an App, the rules belong to the App.
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

  it("says how to start and to decline, minutes next to money, what a stranger can start, and how to remove it", () => {
    const text = proposal();
    expect(text).toMatch(/^\*\*Merge this pull request to start with Baton\. Close it to decline\.\*\*/);
    expect(text).toMatch(/GitHub Actions: about \*\*\d+ minutes\*\* a run/);
    expect(text).toContain("A comment with `/baton` by anybody starts the job `Baton reads the event`");
    expect(text).toMatch(
      /### How to remove Baton\n\nDelete `\.github\/workflows\/baton\.yml`, `\.github\/workflows\/baton-wake-up\.yml` and `baton\.yaml`, and the secret/,
    );
  });

  it("a lone maintainer reads before the first run what decides whether a run can pass", () => {
    expect(proposal({ writers: 1 })).toContain("**Nobody approves their own run**");
    expect(proposal({ writers: 2 })).not.toContain("approves their own run");
    expect(proposal({ writers: null })).not.toContain("approves their own run");
  });

  it("an empty repository reads what must come first", () => {
    const text = proposal({ isEmpty: true, checks: [], workflows: [] });
    expect(text).toMatch(/1\. Make the first commit[^\n]*\n2\. Add CI/);
    expect(text).toContain("This repository has no commit yet.");
  });

  it.each([
    [[], 2],
    [["renovate"], 1],
    [["dependabot"], 1],
  ] as const)("the line for the bots that are there: %s", (updaters, lines) => {
    const [, part = ""] = /### Versions\n([\s\S]*?)\n###/.exec(proposal({ updaters: [...updaters] })) ?? [];
    expect(part.match(/^- /gm)).toHaveLength(lines);
  });

  it("a workflow of people gets `workflow_dispatch`, and nothing else", () => {
    const all = detected({ "ci.yml": "name: CI # mine\non: push\njobs: { test: {} }\n" });
    const files = planFiles({ detected: all, workflow: workflowAlone(), digest: sha256 });
    expect(files.map(({ path, action }) => [path, action])).toEqual([
      [".github/workflows/baton.yml", "create"],
      [".github/workflows/baton-wake-up.yml", "create"],
      [".github/workflows/ci.yml", "change"],
      ["baton.yaml", "create"],
    ]);
    expect(files[2]?.text).toBe("name: CI # mine\non: [push, workflow_dispatch]\njobs: { test: {} }\n");
    expect(files[0]?.text).toContain("dispatch-workflows: ci.yml");
    // One that may publish stays closed to Baton.
    const other = detected({ "ci.yml": "name: CI\non: push\njobs: { test: { steps: [{ run: npm publish }] } }\n" });
    expect(planFiles({ detected: other, workflow: workflowAlone(), digest: sha256 })).toHaveLength(3);
  });

  it("no price, no figure", () => {
    expect(proposal({}, "somebody's-own")).toContain("No price is known for `somebody's-own`.");
  });

  it("names that people chose break out of nothing", () => {
    const text = proposal({
      checks: [
        {
          name: "a` | <img> |\n# b",
          exact: true,
          always: true,
          collects: false,
          optional: false,
          workflow: "x",
          path: "x",
        },
      ],
    });
    expect(text).toContain("`a? ? <img> ??# b`");
  });
});
