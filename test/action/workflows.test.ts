/**
 * GitHub accepts every workflow and action file that Baton ships or writes. GitHub's own parser and actionlint both check
 * that, and both find broken files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Document, isMap, parse, parseDocument } from "yaml";
import type { Json } from "../../src/core/vocabulary.ts";
import { type Detected, detect } from "../../src/onboarding/detect.ts";
import { harnessKeys } from "../../src/onboarding/keys.ts";
import { workflowAlone, workflowForApp } from "../../src/onboarding/template.ts";
import { permissionsOf, workflowFile } from "../../src/onboarding/workflow-file.ts";
import { evaluate, isTrue, parseExpression } from "../../src/workflow/expression.ts";
import { actionProblems, workflowProblems } from "../onboarding/workflow-problems.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const own = readdirSync(fileURLToPath(new URL(".github/workflows/", root))).map((name) => `.github/workflows/${name}`);
const copied = ["action/workflow.yml", "action/wake-up.yml", "action/runner.yml"];

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<
    string,
    { if?: string; permissions?: object; steps: { uses?: string; with?: Record<string, string> }[] }
  >;
}
const workflowOf = (text: string): Workflow => parse(text) as Workflow;

describe("what is shipped", () => {
  it.each([...copied, ...own])("%s", async (path) => {
    expect(await workflowProblems(read(path))).toEqual([]);
  });

  it("action/action.yml", () => {
    expect(actionProblems(read("action/action.yml"))).toEqual([]);
  });

  it.each(copied)("%s gives the Action only inputs that it has", (path) => {
    const { inputs } = parse(read("action/action.yml")) as { inputs: object };
    const given = Object.values(workflowOf(read(path)).jobs).flatMap(({ steps }) =>
      steps.flatMap(({ uses, with: values }) => (uses?.includes("/action@") ? Object.keys(values ?? {}) : [])),
    );
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(given));
  });
});

const ci = (name: string, on: string): string => `name: ${name}\non: ${on}\njobs: { test: { steps: [] } }\n`;
const repositories: [string, Record<string, string>][] = [
  ["no CI", {}],
  ["CI that Baton can start", { "ci.yml": ci("CI", "[pull_request, workflow_dispatch]") }],
  ["CI that it cannot", { "ci.yml": ci('"Build: all, \\"quick\\""', "push") }],
  [
    "several, with a name as YAML does not like it",
    { "a.yml": ci("'yes'", "[push, workflow_dispatch]"), "b.yaml": ci("'# b: {'", "[push, workflow_dispatch]") },
  ],
];

function detected(files: Record<string, string>, harness: string): Detected {
  const texts = new Map(Object.entries(files).map(([name, text]) => [`.github/workflows/${name}`, text]));
  return detect(
    {
      name: "acme/shop",
      defaultBranch: "main",
      paths: [...texts.keys()],
      texts,
      secretNames: null,
      environmentNames: [],
      branch: null,
    } as never,
    harness,
  );
}

describe.each(repositories)("what `baton init` writes: %s", (_, files) => {
  const harnesses = [...new Set(harnessKeys.flatMap((key) => key.harnesses)), "command"];
  it.each(harnesses)("with %s", async (harness) => {
    for (const { text } of [workflowAlone(), workflowForApp()])
      expect(await workflowProblems(workflowFile(text, detected(files, harness)))).toEqual([]);
  });
});

describe("what is broken is found", () => {
  const broken = (path: string, from: RegExp | string, to: string): string => {
    const text = read(path);
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    return changed;
  };
  it.each([
    ["an event that is none", "pull_request_review:", "pull_request_reviews:", /pull_request_reviews/],
    ["a permission that is none", "contents: write", "contents: wriet", /wriet/],
    ["a condition with a slip", "github.event_name,", "github.event_nam,", /event_nam/],
    ["a label that no runner has", "ubuntu-latest", "ubuntu-latst", /ubuntu-latst/],
    ["an indentation that is none", "    steps:", "\tsteps:", /./],
    ["text of people in a script", "npm install", `echo \${{ github.event.issue.title }} && npm install`, /untrusted/],
  ])("in the workflow: %s", async (_, from, to, problem) => {
    expect((await workflowProblems(broken("action/workflow.yml", from, to))).join("\n")).toMatch(problem);
  });

  it("in the wake-up: a schedule that is none", async () => {
    const problems = await workflowProblems(broken("action/wake-up.yml", "17 * * * *", "every hour"));
    expect(problems.join("\n")).toMatch(/cron/i);
  });

  it.each([
    ["no way to run", "using: node24", "using: node99", /node99|using/],
    ["no file to run", /main: .*/, "", /main/],
    ["a key that is none", "branding:", "brand:", /brand/],
  ])("in the action: %s", (_, from, to, problem) => {
    expect(actionProblems(broken("action/action.yml", from, to)).join("\n")).toMatch(problem);
  });
});

/** The permissions that each job asks for itself. */
function jobPermissionsOf(text: string): ReturnType<typeof permissionsOf>[] {
  const jobs = parseDocument(text).get("jobs");
  const each = isMap(jobs) ? jobs.items.map(({ value }) => value) : [];
  return each.map((job) => {
    const permissions = isMap(job) ? job.get("permissions") : null;
    if (!isMap(permissions)) return [];
    const alone = new Document({});
    alone.set("permissions", permissions);
    return permissionsOf(alone.toString());
  });
}

describe("what a workflow may", () => {
  it.each([...copied, ...own])(
    "%s: each permission has its reason beside it, none is left to the repository's default",
    (path) => {
      const text = read(path);
      const ofJobs = jobPermissionsOf(text);
      const permissions = [...permissionsOf(text), ...ofJobs.flat()];
      // Nothing for the workflow as a whole: then each job says its own.
      if (permissionsOf(text).length === 0) expect(ofJobs.every(({ length }) => length > 0)).toBe(true);
      expect(permissions.length).toBeGreaterThan(0);
      for (const { name, access, reason } of permissions) {
        expect(["read", "write"], name).toContain(access);
        expect(reason, name).toMatch(/\w+ \w+/);
      }
    },
  );

  it.each([...copied, ...own])("%s: never runs with secrets or a write token on a fork's head", (path) => {
    const { on, jobs } = workflowOf(read(path));
    expect(Object.keys(on)).not.toContain("pull_request_target");
    // A workflow that only people start, or the default branch, sees no fork's head.
    if (!copied.includes(path) && !Object.keys(on).some((event) => event.startsWith("pull_request"))) return;
    for (const { uses = "" } of Object.values(jobs).flatMap(({ steps }) => steps))
      if (uses.startsWith("actions/checkout@")) expect(path).toBe(".github/workflows/ci.yml");
    // A copied workflow has a write token and secrets, so it checks nothing out. Baton itself fetches, without keys.
    if (copied.includes(path)) expect(read(path)).not.toContain("checkout");
  });
});

describe("the file that people copy", () => {
  it("is started by everything that a run can wait for", () => {
    expect(Object.keys(workflowOf(workflowAlone().text).on).sort()).toEqual([
      "check_suite",
      "issue_comment",
      "issues",
      "pull_request",
      "pull_request_review",
      "pull_request_review_comment",
      "push",
      "repository_dispatch",
      "workflow_dispatch",
      "workflow_run",
    ]);
  });

  it("parses to what its text says, whatever reads it", () => {
    for (const path of copied) expect(parseDocument(read(path)).errors).toEqual([]);
  });

  const dashboard = "Text.\n\n<!-- baton:op=dashboard:7 -->";
  it.each<[string, string, object, boolean]>([
    ["a new issue with a command", "issues", { action: "opened", issue: { body: "/baton run" } }, true],
    ["a new issue without one", "issues", { action: "opened", issue: { body: "It breaks." } }, false],
    ["a new issue without a text", "issues", { action: "opened", issue: { body: null } }, false],
    ["an edit of the dashboard", "issues", edited(dashboard, "Mine."), true],
    ["an edit of another issue, with a command too", "issues", edited("Before.", "/baton run"), false],
    ["a new title of the dashboard", "issues", { ...edited("", dashboard), changes: { title: { from: "x" } } }, false],
    ["a comment with a command", "issue_comment", { comment: { body: "/baton run" }, issue: { body: "x" } }, true],
    ["a comment without one", "issue_comment", { comment: { body: "Thanks." }, issue: { body: "/baton run" } }, false],
    ["a line with a command", "pull_request_review_comment", { comment: { body: "/baton plan" } }, true],
    ["a line without one", "pull_request_review_comment", { comment: { body: "Why?" } }, false],
    ["a pull request", "pull_request", { action: "opened" }, true],
    ["the end of CI", "workflow_run", { action: "completed" }, true],
    ["the wake-up", "workflow_dispatch", {}, true],
    ["a push of the configuration", "push", {}, true],
  ])("%s: whether a runner starts", (_, name, event, starts) => {
    const parsed = parseExpression(workflowOf(workflowAlone().text).jobs["read"]?.if ?? "", ["github"], false);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    expect(isTrue(evaluate(parsed.value, { github: { event_name: name, event } as unknown as Json }))).toBe(starts);
  });
});

function edited(from: string, body: string): object {
  return { action: "edited", issue: { body }, changes: { body: { from } } };
}
