import { describe, expect, it } from "vitest";
import { BatonError } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { CheckFacts, CheckSuiteFacts } from "../ports/github.ts";
import { anyCheck } from "./any-check.ts";

const repository: Repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const sha = "a".repeat(40);
const place = { sha, base: "main", head: "baton/issue-1-sum" };
const actions = 15_368;

interface Given {
  /** null: GitHub refuses to show it. */
  workflows?: Record<string, string | null> | null;
  checks?: { appId: number | null }[];
  suites?: { appId: number; appName: string }[];
}

const denied = new BatonError("BATON_GITHUB_DENIED", "Resource not accessible by integration");

const ask = ({ workflows = {}, checks = [], suites = [] }: Given): Promise<boolean | null> =>
  anyCheck(
    {
      directory: async () => {
        if (workflows === null) throw denied;
        return Object.keys(workflows);
      },
      file: async (_, path) => {
        const text = workflows?.[path.replace(".github/workflows/", "")];
        if (text === null) throw denied;
        return text ?? null;
      },
      checks: async () => checks.map(({ appId }) => ({ appId }) as CheckFacts),
      checkSuites: async () => suites.map((suite) => ({ ...suite, checkRuns: 1 }) as CheckSuiteFacts),
    },
    repository,
    place,
  );

const file = (on: string): string => `on: ${on}\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: ./x }] } }\n`;
const baton = "on: workflow_dispatch\njobs: { a: { steps: [{ uses: acme/baton/action@v1 }] } }\n";

describe("skipped-and-neutral-fail-by-default: whether CI can start at all, before anything is paid", () => {
  it.each<[string, Given, boolean | null]>([
    ["no workflow", {}, false],
    ["one that pull requests start", { workflows: { "ci.yml": file("pull_request") } }, true],
    ["one that a push of Baton's branch starts", { workflows: { "ci.yml": file("push") } }, true],
    ["a release on tags", { workflows: { "release.yml": file("{ push: { tags: ['v*'] } }") } }, false],
    ["a nightly", { workflows: { "nightly.yml": file("{ schedule: [{ cron: '0 3 * * *' }] }") } }, false],
    ["pushes of the base only", { workflows: { "main.yml": file("{ push: { branches: [main] } }") } }, false],
    ["Baton's own runner", { workflows: { "baton-runner.yml": baton } }, false],
    ["a text that is no workflow", { workflows: { "README.md": "# Workflows" } }, false],
    [
      "a release next to CI",
      { workflows: { "r.yml": file("release"), "ci.yaml": file("[push, pull_request]") } },
      true,
    ],
    ["one that may not be read", { workflows: { "r.yml": file("release"), "ci.yml": null } }, null],
    ["one that is not YAML", { workflows: { "ci.yml": "{ on: [" } }, null],
    ["a folder that may not be read", { workflows: null }, null],
    ["another App's check", { checks: [{ appId: 7 }] }, true],
    ["a status", { workflows: { "r.yml": file("release") }, checks: [{ appId: null }] }, true],
    [
      "another App's suite",
      { workflows: { "r.yml": file("release") }, suites: [{ appId: 7, appName: "Circle" }] },
      true,
    ],
    [
      "what a release reported on the base",
      {
        workflows: { "release.yml": file("{ push: { branches: [main] } }") },
        checks: [{ appId: actions }],
        suites: [{ appId: actions, appName: "GitHub Actions" }],
      },
      false,
    ],
  ])("%s", async (_, given, expected) => {
    expect(await ask(given)).toBe(expected);
  });
});
