import { describe, expect, it } from "vitest";
import { defaultSettings } from "../config/schema.ts";
import { type PreflightFacts, preflight } from "./preflight.ts";

const alice = { id: 1, login: "alice", kind: "user", permission: "write" } as const;
const bob = { id: 2, login: "bob", kind: "user", permission: "maintain" } as const;
const jobGrants = { metadata: "read", contents: "write", pull_requests: "write", issues: "write", checks: "write" };
const ofJob: Partial<PreflightFacts> = {
  job: { workflow: ".github/workflows/baton.yml", needs: ["contents", "pull_requests", "issues", "checks"] },
};
const facts = (change: Partial<PreflightFacts> = {}): PreflightFacts => ({
  archived: false,
  branch: "baton/issue-1-sum",
  isNew: true,
  neighbours: [],
  headRules: [],
  baseRules: [],
  mergeMethods: ["merge", "squash", "rebase"],
  hasChecks: true,
  people: [alice, bob],
  requester: alice,
  author: null,
  opensPullRequest: true,
  speaksIn: "issue",
  isPerson: false,
  granted: { metadata: "read", contents: "write", pull_requests: "write", issues: "write" },
  settings: { ...defaultSettings, merge: { mode: "auto", method: "squash" } },
  ...change,
});
const pattern = (operator: string, text: string, negate = false) => [
  { type: "branch_name_pattern", pattern: { operator, pattern: text, negate } },
];

describe("what stops a run before it costs anything", () => {
  it.each<[string, Partial<PreflightFacts>, RegExp | null]>([
    ["nothing in the way", {}, null],
    ["locked-thread: an archived repository", { archived: true }, /archived/],
    ["branch-names: a name that git does not take", { branch: "a..b" }, /not a branch name/],
    ["branch-names: any name that git takes", { branch: "feat(x)/#42-テスト", isNew: false }, null],
    [
      "push-refused-by-rule-told-as-moved: a branch of the folder's name",
      { neighbours: ["baton"] },
      /`baton` is in the way/,
    ],
    ["push-refused-by-rule-told-as-moved: a branch below", { neighbours: ["baton/issue-1-sum/x"] }, /in the way/],
    [
      "no permission to push",
      { granted: { contents: "read", pull_requests: "write", issues: "write" } },
      /lacks `contents: write` here/,
    ],
    [
      "no permission to open a pull request",
      { granted: { contents: "write", issues: "write" } },
      /lacks `pull_requests: write` here/,
    ],
    [
      "no permission at all",
      { granted: { metadata: "read" } },
      /`contents: write` and `pull_requests: write` and `issues: write`.*App/,
    ],
    [
      "locked-thread: no permission to speak",
      { granted: { contents: "write", pull_requests: "write" } },
      /lacks `issues: write` here/,
    ],
    [
      "locked-thread: one to read only",
      { granted: { contents: "write", pull_requests: "write", issues: "read" } },
      /lacks `issues: write` here/,
    ],
    [
      "locked-thread: a pull request takes comments by its own permission",
      { granted: { contents: "write", pull_requests: "write" }, opensPullRequest: false, speaksIn: "pull-request" },
      null,
    ],
    [
      "locked-thread: a pull request takes comments by that of issues",
      { granted: { contents: "write", issues: "write" }, opensPullRequest: false, speaksIn: "pull-request" },
      null,
    ],
    [
      "locked-thread: a pull request takes none without both",
      { granted: { contents: "write" }, opensPullRequest: false, speaksIn: "pull-request" },
      /lacks `issues: write` here/,
    ],
    [
      "a pull request that is there",
      { granted: { contents: "write", issues: "write" }, opensPullRequest: false },
      null,
    ],
    [
      "a pull request that is there, no push",
      { granted: { issues: "write" }, opensPullRequest: false },
      /lacks `contents: write` here/,
    ],
    [
      "a job without `pull-requests: write`",
      { ...ofJob, granted: { ...jobGrants, pull_requests: "read" } },
      /This job's token lacks `pull-requests: write`.*`permissions` of `\.github\/workflows\/baton\.yml`/,
    ],
    [
      "a job that may not show its check",
      { ...ofJob, granted: { ...jobGrants, checks: "none" } },
      /lacks `checks: write`/,
    ],
    ["a job that may not answer", { ...ofJob, granted: { ...jobGrants, issues: "read" } }, /lacks `issues: write`/],
    [
      "a job that may do nothing",
      { ...ofJob, granted: { metadata: "read" } },
      /contents.*pull-requests.*issues.*checks/,
    ],
    [
      "a job that is to start CI",
      {
        ...ofJob,
        granted: jobGrants,
        settings: { ...defaultSettings, gates: { ...defaultSettings.gates, dispatch: ["ci.yml"] } },
      },
      /lacks `actions: write`/,
    ],
    ["a job that has all", { ...ofJob, granted: jobGrants }, null],
    ["a job whose workflow says nothing", { ...ofJob, granted: null }, null],
    ["permissions that nobody tells", { granted: null }, null],
    ["branches beside it", { neighbours: ["baton/issue-2", "baton/issue-1-sum-2"] }, null],
    ["push-refused-by-rule-told-as-moved: signatures", { headRules: [{ type: "required_signatures" }] }, null],
    [
      "push-refused-by-rule-told-as-moved: signatures, with a person's token",
      { isPerson: true, headRules: [{ type: "required_signatures" }] },
      /GitHub signs none .* person's token/,
    ],
    ["signatures for other branches, with a person's token", { isPerson: true }, null],
    ["creations are restricted", { headRules: [{ type: "creation" }] }, /creates/],
    ["creations are restricted, the branch exists", { isNew: false, headRules: [{ type: "creation" }] }, null],
    ["pushes are restricted", { isNew: false, headRules: [{ type: "update" }] }, /pushes/],
    ["by pull requests only", { headRules: [{ type: "pull_request" }] }, /pull requests only/],
    ["a pattern that does not match", { headRules: pattern("starts_with", "feature/") }, /branchPrefix/],
    ["a pattern that matches", { headRules: pattern("regex", "^baton/") }, null],
    ["a negated pattern that matches", { headRules: pattern("contains", "issue", true) }, /branchPrefix/],
    ["a pattern that nobody can read", { headRules: pattern("regex", "(?<") }, null],
    ["a rule of tomorrow", { headRules: [{ type: "of_tomorrow" }] }, null],
    ["merge-refused-once: a method that is not allowed", { mergeMethods: ["rebase"] }, /Set it to `rebase`/],
    [
      "merge-refused-once: a method that a rule of the base excludes",
      { baseRules: [{ type: "pull_request", methods: ["merge", "rebase"] }] },
      /`merge` or `rebase`/,
    ],
    ["a merge queue has its own method", { mergeMethods: ["rebase"], baseRules: [{ type: "merge_queue" }] }, null],
    ["methods that may not be read", { mergeMethods: null }, null],
  ])("%s", (_, change, expected) => {
    const { stops, asks } = preflight(facts(change));
    const said = [...stops, ...asks.map(({ text }) => text)];
    if (expected === null) expect(said).toEqual([]);
    else expect(said.join(" ")).toMatch(expected);
    // Only a person who may bypass a rule can say so. No other problem has such a way.
    expect(asks.every(({ without }) => without === "rules")).toBe(true);
  });
});

describe("what a person decides", () => {
  const asked = (change: Partial<PreflightFacts>): string[] =>
    preflight(facts(change)).asks.map(({ without }) => without);
  const approvals = defaultSettings.approvals;
  const settings = facts().settings;

  it.each<[string, Partial<PreflightFacts>, string[]]>([
    ["no CI", { hasChecks: false }, ["checks"]],
    ["CI unknown", { hasChecks: null }, []],
    [
      "no CI, which the settings accept",
      { hasChecks: false, settings: { ...settings, gates: { ...settings.gates, noChecks: "pass" } } },
      [],
    ],
    ["nobody but the one who asks", { people: [alice] }, ["approver"]],
    [
      "a team of one that says so",
      { people: [alice], settings: { ...settings, approvals: { ...approvals, self: "allow" } } },
      [],
    ],
    [
      "nobody listed has the permission",
      { settings: { ...settings, approvals: { ...approvals, people: ["carol"] } } },
      ["approver"],
    ],
    ["two are needed", { settings: { ...settings, approvals: { ...approvals, count: 2 } } }, ["approver"]],
    ["the only other one wrote the pull request", { author: bob }, ["approver"]],
    ["people may not be read", { people: null }, []],
    ["both at once", { hasChecks: false, people: [] }, ["checks", "approver"]],
    ["no question where it stops anyway", { archived: true, people: [] }, []],
  ])("%s", (_, change, expected) => {
    expect(asked(change)).toEqual(expected);
  });
});
