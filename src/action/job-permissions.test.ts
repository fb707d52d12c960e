import { expect, it } from "vitest";
import { workflowAlone } from "../onboarding/template.ts";
import { permissionsOfJob } from "./job-permissions.ts";

const job = (permissions: string): string => `on: push\n${permissions}\njobs: { baton: { steps: [] } }\n`;
const all = { actions: "write", checks: "write", contents: "write", issues: "write", pull_requests: "write" };

it.each<[string, string, Record<string, string> | null]>([
  ["nothing said", job(""), null],
  ["all of it", job("permissions: write-all"), { ...all, metadata: "read" }],
  [
    "only reading",
    job("permissions: read-all"),
    { actions: "read", checks: "read", contents: "read", issues: "read", pull_requests: "read", metadata: "read" },
  ],
  ["nothing given", job("permissions: {}"), { metadata: "read" }],
  ["nothing behind the colon", job("permissions:"), { metadata: "read" }],
  ["some, the others are none", job("permissions: { contents: write }"), { metadata: "read", contents: "write" }],
  ["`none`", job("permissions: { contents: write, issues: none }"), { metadata: "read", contents: "write" }],
  ["names with a dash", job("permissions: { pull-requests: write }"), { metadata: "read", pull_requests: "write" }],
  [
    "the job's own in place of the workflow's",
    "permissions: write-all\njobs: { baton: { permissions: { contents: read } } }\n",
    { metadata: "read", contents: "read" },
  ],
  ["a job of a called workflow", "permissions: {}\njobs: { call: { uses: ./x.yml } }\n", null],
  ["no workflow", "- a\n", null],
  ["no YAML", "a: [", null],
  ["a word that GitHub does not know", job("permissions: some"), null],
])("%s", (_, text, granted) => {
  expect(permissionsOfJob(text, "baton")).toEqual(granted);
});

it("the shipped workflow gives the job that works all it needs, and the one that reads nothing to write", () => {
  const { text } = workflowAlone();
  expect(permissionsOfJob(text, "baton")).toEqual({ ...all, statuses: "read", metadata: "read" });
  expect(Object.values(permissionsOfJob(text, "read") ?? {})).not.toContain("write");
});
