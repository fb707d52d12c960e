/** A tree that GitHub lists in part. */
import { expect, it } from "vitest";
import { detect } from "../../onboarding/detect.ts";
import { githubFacts } from "../../onboarding/github-facts.ts";
import type { Github } from "../../ports/github.ts";
import { repositorySetup } from "./repository-setup.ts";
import type { Requester } from "./request.ts";

const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const file = (path: string) => ({ path, type: "blob", sha: `of ${path}` });
const folder = (path: string) => ({ path, type: "tree", sha: `of ${path}` });

/** `.github` and `package.json` come after the point where GitHub cut the list. */
function setupOf(truncated: boolean) {
  const asked: string[] = [];
  const trees: Record<string, object> = {
    "head 1": { tree: [folder("a"), file("a/one.py"), ...(truncated ? [] : [file("package.json")])], truncated },
    "head -": {
      tree: [folder(".github"), folder("a"), folder("docs"), file("baton.yaml"), file("package.json")],
      truncated: false,
    },
    "of .github 1": { tree: [folder("workflows"), file("workflows/ci.yml"), file("CODEOWNERS")], truncated: false },
    "of docs 1": { tree: [file("index.md")], truncated: false },
  };
  const requester = {
    async get(_: string, { tree_sha: sha, recursive }: { tree_sha: string; recursive?: string }) {
      asked.push(`${sha} ${recursive ?? "-"}`);
      return trees[asked.at(-1) ?? ""];
    },
  };
  return { asked, setup: repositorySetup(requester as unknown as Requester, repository) };
}

it("a tree that is listed whole costs one request", async () => {
  const { setup, asked } = setupOf(false);
  expect(await setup.paths("head")).toEqual({ paths: ["a/one.py", "package.json"], isWhole: true });
  expect(asked).toHaveLength(1);
});

it("of a tree that GitHub lists in part, what decides is asked for by itself, and the proposal says so", async () => {
  const { setup } = setupOf(true);
  const { paths, isWhole } = await setup.paths("head");
  expect(isWhole).toBe(false);
  expect(paths).toEqual([
    ".github/CODEOWNERS",
    ".github/workflows/ci.yml",
    "a/one.py",
    "baton.yaml",
    "docs/index.md",
    "package.json",
  ]);
  const ci = "name: CI\non: [push]\njobs: { unit: { runs-on: x, steps: [{ run: 'true' }] } }\n";
  const github = {
    setup: () => ({
      ...setup,
      secretNames: async () => null,
      branchRules: async () => ({ protected: false, reviews: 0, codeOwners: false }),
    }),
    requiredChecks: async () => [],
    collaborators: async () => [],
    file: async (_: object, path: string) => (path.endsWith("ci.yml") ? ci : null),
  } as unknown as Github;
  const detected = detect(await githubFacts(github, repository, "head"));
  expect(detected).toMatchObject({ isWhole: false, codeowners: ".github/CODEOWNERS", checks: [{ name: "unit" }] });
});
