import { describe, expect, it } from "vitest";
import { detect } from "./detect.ts";
import { type RepositoryFacts, wantedPaths } from "./facts.ts";
import { languagesOf, packageManagersOf } from "./languages.ts";
import { readWorkflow } from "./workflows.ts";

const facts = (change: Partial<RepositoryFacts> = {}): RepositoryFacts => ({
  name: "acme/shop",
  defaultBranch: "main",
  paths: [],
  isWhole: true,
  texts: new Map(),
  secretNames: null,
  environmentNames: [],
  branch: null,
  ...change,
});

describe("languages", () => {
  it.each<[string, string[], string[]]>([
    ["most files first", ["a.py", "b.ts", "c.tsx"], ["TypeScript", "Python"]],
    ["what others wrote does not count", ["node_modules/x/a.js", "vendor/b.go", "main.rs"], ["Rust"]],
    ["extensions in any case, names without one not", ["A.PY", "Makefile", "readme"], ["Python"]],
    ["an extension that is a word of every object is none", ["x.constructor", "y.toString"], []],
    ["nothing", [], []],
  ])("%s", (_, paths, names) => {
    expect(languagesOf(paths).map(({ name }) => name)).toEqual(names);
  });
});

describe("package managers", () => {
  it.each<[string, string[], [string, string][]]>([
    ["the lock file goes before the manifest", ["package.json", "pnpm-lock.yaml"], [["pnpm", "pnpm-lock.yaml"]]],
    ["a manifest alone", ["package.json"], [["npm", "package.json"]]],
    ["the one nearest to the root", ["apps/web/yarn.lock", "yarn.lock"], [["yarn", "yarn.lock"]]],
    [
      "one of each family",
      ["go.mod", "uv.lock", "pyproject.toml"],
      [
        ["uv", "uv.lock"],
        ["go", "go.mod"],
      ],
    ],
    ["requirements with a name", ["requirements-dev.txt"], [["pip", "requirements-dev.txt"]]],
    ["projects below folders", ["src/App/App.csproj"], [["dotnet", "src/App/App.csproj"]]],
    ["what others brought does not count", ["node_modules/x/package.json"], []],
  ])("%s", (_, paths, managers) => {
    expect(packageManagersOf(paths).map(({ name, path }) => [name, path])).toEqual(managers);
  });
});

describe("checks of a workflow", () => {
  const jobs = (text: string): string => `name: CI\non: [push]\njobs:\n${text}`;
  it.each<[string, string, string[]]>([
    ["a job's id", jobs("  test: {}"), ["test"]],
    ["its name, where it has one", jobs("  test: { name: Unit tests }"), ["Unit tests"]],
    ["a matrix", jobs("  t: { strategy: { matrix: { os: [a, b], node: [20] } } }"), ["t (a, 20)", "t (b, 20)"]],
    [
      "a name with the matrix in it",
      jobs("  t: { name: 'Node ${{ matrix.node }}', strategy: { matrix: { node: [20, 22] } } }"),
      ["Node 20", "Node 22"],
    ],
    ["a matrix with include is a pattern", jobs("  t: { strategy: { matrix: { include: [{ a: 1 }] } } }"), ["t…"]],
    ["an expression is a pattern", jobs("  t: { name: 'On ${{ inputs.where }}' }"), ["On…"]],
    ["a matrix that is an expression", jobs("  t: { strategy: { matrix: '${{ fromJSON(x) }}' } }"), ["t…"]],
    ["a called workflow reports below its caller", jobs("  t: { uses: ./.github/workflows/x.yml }"), ["t / …"]],
    ["jobs without a push or a pull request report to nobody", "on: schedule\njobs: { t: {} }", []],
    ["triggers as a map", "on: { pull_request: { branches: [main] } }\njobs: { t: {} }", ["t"]],
    ["Baton's own job is none", jobs("  b: { steps: [{ uses: baton_owner/baton/action@v0 }] }"), []],
  ])("%s", (_, text, names) => {
    expect(readWorkflow(".github/workflows/x.yml", text)?.checks.map(({ name }) => name)).toEqual(names);
  });

  it.each(["", "jobs: 3", "a: [", "on: push", "- a\n- b"])("%j is no workflow", (text) => {
    expect(readWorkflow("x.yml", text)).toBeNull();
  });

  it("tells whether Baton can start it", () => {
    const read = (on: string) => readWorkflow("x.yml", `on: ${on}\njobs: { t: {} }`)?.workflow.dispatchable;
    expect([read("[push, workflow_dispatch]"), read("push")]).toEqual([true, false]);
  });
});

describe("keys", () => {
  it.each<[string, string[] | null, string[], string, string]>([
    ["a repository's secret", ["OPENAI_API_KEY"], [], "OPENAI_API_KEY", "codex"],
    ["a variable that is set here", null, ["CLAUDE_CODE_OAUTH_TOKEN"], "CLAUDE_CODE_OAUTH_TOKEN", "claude-code"],
    [
      "of several the first that Baton knows",
      ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
      [],
      "ANTHROPIC_API_KEY",
      "claude-code",
    ],
    ["without any, what is expected", [], [], "ANTHROPIC_API_KEY", "claude-code"],
    ["others are not looked at", ["AWS_SECRET_ACCESS_KEY"], ["HOME"], "ANTHROPIC_API_KEY", "claude-code"],
  ])("%s", (_, secretNames, environmentNames, key, harness) => {
    expect(detect(facts({ secretNames, environmentNames }))).toMatchObject({ key, harness });
  });
});

it.each([
  ["codex", "OPENAI_API_KEY"],
  ["pi", "ANTHROPIC_API_KEY"],
  ["one of somebody's own", "ANTHROPIC_API_KEY"],
])("a harness that is given is taken, with a key that opens it: %s", (harness, key) => {
  expect(detect(facts({ environmentNames: ["ANTHROPIC_API_KEY"] }), harness)).toMatchObject({ harness, key });
});

it("what is there already is found, its own workflow is no CI", () => {
  const texts = new Map([
    [".github/workflows/baton.yml", "on: push\njobs: { baton: { steps: [{ uses: baton_owner/baton/action@v0 }] } }"],
    [".github/workflows/ci.yaml", "on: push\njobs: { test: {} }"],
    [".github/baton.yaml", "version: 1"],
  ]);
  const paths = [...texts.keys(), ".github/CODEOWNERS"];
  expect(wantedPaths(paths)).toEqual([...texts.keys()]);
  const found = detect(facts({ paths, texts }));
  expect(found).toMatchObject({
    codeowners: ".github/CODEOWNERS",
    settingsPath: ".github/baton.yaml",
  });
  expect(found.checks.map(({ name }) => name)).toEqual(["test"]);
});
