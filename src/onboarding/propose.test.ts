/** The set-up pull request over a GitHub of plain data: its files, its refusals, and the files that belong to people. */
import { expect, it } from "vitest";
import { sha256 } from "../adapters/system/sha256.ts";
import { BatonError } from "../core/errors.ts";
import type { Github } from "../ports/github.ts";
import { propose, setupBranch } from "./propose.ts";
import { workflowAlone } from "./template.ts";

const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 0 };
const ciPath = ".github/workflows/ci.yml";
const ci = "name: CI\non: pull_request # all\njobs: { test: {} }\n";
const changed = "name: CI\non: [pull_request, workflow_dispatch] # all\njobs: { test: {} }\n";

function githubOf({
  mayWorkflows = true,
  onBranch = null as Record<string, string> | null,
  isEmpty = false,
  isOpen = true,
  messages = [] as string[] | null,
} = {}) {
  const resets: boolean[] = [];
  const main: Record<string, string> = { [ciPath]: ci };
  const branch: Record<string, string> = { ...main, ...onBranch };
  let exists = onBranch !== null;
  const bodies: string[] = [];
  const pull = { number: 4, headRepositoryId: 9 };
  const github = {
    branchSha: async (_: object, name: string) => (name === "main" ? (isEmpty ? null : "m") : exists ? "b" : null),
    file: async (_: object, path: string, sha: string) => (sha === "m" ? main : branch)[path] ?? null,
    requiredChecks: async () => [],
    collaborators: async () => [
      { id: 1, login: "ada", kind: "user", permission: "admin" },
      { id: 2, login: "bob", kind: "user", permission: "read" },
    ],
    pullRequestsForBranch: async () => (onBranch === null || !isOpen ? [] : [pull]),
    ensurePullRequest: async (_: object, { body }: { body: string }) => {
      bodies.push(body);
      return pull;
    },
    updatePullRequest: async () => {},
    setup: () => ({
      paths: async () => ({ paths: Object.keys(main), isWhole: true }),
      secretNames: async () => null,
      branchRules: async () => ({ protected: false, reviews: 0, codeOwners: false }),
      messagesAhead: async () => messages,
      ensureBranch: async (_name: string, _sha: string, from: string | null) => {
        const begins = from !== null || !exists;
        resets.push(begins);
        exists = true;
        return begins;
      },
      ensureFile: async ({ path, text }: { path: string; text: string }) => {
        if (!mayWorkflows && path.startsWith(".github/workflows/"))
          throw new BatonError("BATON_GITHUB_DENIED", "Resource not accessible by integration");
        branch[path] = text;
      },
    }),
  } as unknown as Github;
  const run = () =>
    propose({
      github,
      repository,
      workflow: workflowAlone(),
      permissionsText: workflowAlone().text,
      digest: sha256,
      modelOf: () => null,
    });
  return { run, branch, bodies, resets };
}

it("CI gets `workflow_dispatch` where the token may write workflows, and the lone maintainer is told", async () => {
  const { run, branch, bodies } = githubOf();
  expect((await run()).pullRequest?.number).toBe(4);
  expect(branch[ciPath]).toBe(changed);
  expect(branch["baton.yaml"]).toContain("gates: { required: [ test ] }");
  expect(branch["baton.yaml"]).toContain("# approvals: { self: allow }");
  expect(bodies[0]).toContain("**Nobody approves their own run**");
});

it("otherwise it is shown as a patch, with the page that changes the file", async () => {
  const { run, branch, bodies } = githubOf({ mayWorkflows: false });
  const { proposal } = await run();
  expect(branch[ciPath]).toBe(ci);
  expect(Object.keys(branch)).toEqual([ciPath, "baton.yaml"]);
  expect(proposal.refused.map(({ path, isChange }) => [path, isChange])).toEqual([
    [".github/workflows/baton.yml", false],
    [".github/workflows/baton-wake-up.yml", false],
    [ciPath, true],
  ]);
  expect(bodies[0]).toContain(`[Change it yourself](/acme/shop/edit/main/${ciPath})`);
  expect(bodies[0]).toContain("-on: pull_request # all\n+on: [pull_request, workflow_dispatch] # all");
});

it("a change by people on the proposal's branch stays", async () => {
  const mine = `${ci}# mine\n`;
  const { run, branch } = githubOf({ onBranch: { [ciPath]: mine } });
  const { proposal } = await run();
  expect(branch[ciPath]).toBe(mine);
  expect(proposal.files.find(({ path }) => path === ciPath)?.action).toBe("keep");
  expect(setupBranch).toBe("baton/setup");
});

it.each<[string, string[] | null, boolean]>([
  ["Baton's own commits", ["Set up Baton: baton.yaml", "Set up Baton: .github/workflows/baton.yml"], true],
  ["none, because it was merged", [], true],
  ["a commit by people on another file", ["Set up Baton: baton.yaml", "Update README.md"], false],
  ["a merge of the default branch", ["Set up Baton: baton.yaml", "Merge branch 'main' into baton/setup"], false],
  ["more than GitHub lists", null, false],
])("the branch of a closed proposal with %s begins again: %j", async (_, messages, begins) => {
  const { run, resets } = githubOf({ onBranch: { "README.md": "Ours\n" }, isOpen: false, messages });
  await run();
  expect(resets).toEqual([begins]);
});

it("an empty repository is told what must come first", async () => {
  await expect(githubOf({ isEmpty: true }).run()).rejects.toMatchObject({
    code: "BATON_INPUT_INVALID",
    message: expect.stringMatching(/acme\/shop is empty.*Push a first commit, then CI/),
  });
});
