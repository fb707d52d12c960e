/** A workflow is judged again at the commits of base and head, whatever the settings name. */
import { expect, it } from "vitest";
import type { Repository } from "../core/vocabulary.ts";
import { judgeDispatch } from "./judge-dispatch.ts";

const repository = { id: 1, owner: "acme", name: "shop", defaultBranch: "main" } as Repository;
const place = { repository, base: "main", head: "baton/issue-1-x" };
const ci = "on: [pull_request, workflow_dispatch]\njobs: { test: { uses: ./.github/workflows/test.yml } }\n";
const test = "on: workflow_call\njobs: { test: { steps: [{ run: npm test }] } }\n";
const folder = ".github/workflows/";

type Files = Record<string, string>;
const judged = (workflow: string, base: Files, change: Record<string, string | null> = {}) => {
  const at: Record<string, Record<string, string | null>> = { b: base, h: { ...base, ...change } };
  return judgeDispatch(
    {
      branchSha: async (_, branch) => (branch === "main" ? "b" : "h"),
      file: async (_, path, sha) => at[sha ?? ""]?.[path] ?? null,
    },
    place,
    workflow,
  );
};
const good = { [`${folder}ci.yml`]: ci, [`${folder}test.yml`]: test };

it("init-dispatches-release-and-deploy: CI with a called workflow is started", async () => {
  expect(await judged("ci.yml", good)).toEqual({ may: "start" });
});

it.each<[string, Record<string, string | null>, RegExp]>([
  [
    "the workflow gets an environment",
    { [`${folder}ci.yml`]: ci.replace("uses:", "environment: live, uses:") },
    /changes it: .*environment `live`/,
  ],
  [
    "the called workflow publishes",
    { [`${folder}test.yml`]: test.replace("npm test", "npm publish") },
    /changes it: .*runs `npm publish`/,
  ],
  ["the called workflow is gone", { [`${folder}test.yml`]: null }, /cannot read/],
  [
    "its pull request does not start it",
    { [`${folder}ci.yml`]: ci.replace("pull_request", "release") },
    /No pull request starts it/,
  ],
  ["it is no workflow any more", { [`${folder}ci.yml`]: "jobs: [" }, /Baton cannot read it/],
])("init-dispatches-release-and-deploy: the agent's branch decides, too: %s", async (_, change, reason) => {
  expect(await judged("ci.yml", good, change)).toEqual({ may: "not", reason: expect.stringMatching(reason) });
});

it.each<[string, string, Files, Record<string, string>, RegExp]>([
  ["one that only the branch has", "new.yml", good, { [`${folder}new.yml`]: ci }, /Only `baton\/issue-1-x` has it/],
  [
    "one that the base publishes with",
    "ci.yml",
    { [`${folder}ci.yml`]: ci.replace("test:", "deploy:"), [`${folder}test.yml`]: test },
    { [`${folder}ci.yml`]: ci },
    /named like a release/,
  ],
  ["the number of a workflow", "1234567", good, {}, /not the file name/],
  ["a path", "../workflows/ci.yml", good, {}, /not the file name/],
  [
    "a circle",
    "ci.yml",
    { [`${folder}ci.yml`]: ci.replace("test.yml", "ci.yml").replace("} }", "}, b: { permissions: write-all } }") },
    {},
    /write-all|cannot read/,
  ],
])("init-dispatches-release-and-deploy: refused: %s", async (_, workflow, base, change, reason) => {
  expect(await judged(workflow, base, change)).toEqual({ may: "not", reason: expect.stringMatching(reason) });
});

it("what is nowhere is not there", async () => {
  expect(await judged("absent.yml", good)).toEqual({ may: "not-there" });
});
