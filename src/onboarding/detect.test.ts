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
  writers: null,
  isEmpty: false,
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
    [
      "a benchmark's lock file does not speak for the root",
      ["bench/jsx/yarn.lock", "bun.lock", "package.json"],
      [["bun", "bun.lock"]],
    ],
    [
      "a deeper lock file of another manager does not either",
      ["web/pnpm-lock.yaml", "package.json"],
      [["npm", "package.json"]],
    ],
    [
      "Maven and Gradle side by side",
      ["pom.xml", "build.gradle"],
      [
        ["maven", "pom.xml"],
        ["gradle", "build.gradle"],
      ],
    ],
  ])("%s", (_, paths, managers) => {
    expect(packageManagersOf(paths).map(({ name, path }) => [name, path])).toEqual(managers);
  });
});

describe("what joins projects, and what runs their tasks", () => {
  const found = (files: Record<string, string>) =>
    detect(facts({ paths: Object.keys(files), texts: new Map(Object.entries(files)) }));

  it.each<[string, Record<string, string>, [string, string][], string[]]>([
    ["tox", { "tox.ini": "", "setup.py": "" }, [["pip", "setup.py"]], ["tox"]],
    ["tox in pyproject.toml", { "pyproject.toml": "[tool.tox]\nenv_list = []" }, [["pip", "pyproject.toml"]], ["tox"]],
    [
      "uv without its lock file",
      { "pyproject.toml": "[tool.uv]\ndev-dependencies = []" },
      [["uv", "pyproject.toml"]],
      [],
    ],
    ["hatch", { "pyproject.toml": "[tool.hatch.envs.default]" }, [["hatch", "pyproject.toml"]], []],
    // `hatchling` builds many packages whose developers never use hatch.
    [
      "hatchling alone is not hatch",
      { "pyproject.toml": "[build-system]\nbuild-backend = 'hatchling.build'\n[tool.hatch.build]" },
      [["pip", "pyproject.toml"]],
      [],
    ],
    [
      "a Makefile, just and pre-commit",
      { Makefile: "", justfile: "", ".pre-commit-config.yaml": "" },
      [],
      ["make", "just", "pre-commit"],
    ],
    ["a Makefile below the root is a part's own", { "docs/Makefile": "" }, [], []],
  ])("%s", (_, files, managers, runners) => {
    expect(found(files).packageManagers.map(({ name, path }) => [name, path])).toEqual(managers);
    expect(found(files).taskRunners.map(({ name }) => name)).toEqual(runners);
  });

  it.each<[string, Record<string, string>, [string[], number] | null]>([
    ["one project", { "package.json": "{}", "src/i.ts": "" }, null],
    [
      "a program and its example",
      { "go.mod": "", "examples/a/go.mod": "", "examples/b/go.mod": "", "test/c/go.mod": "" },
      null,
    ],
    ["go.work", { "go.work": "", "a/go.mod": "", "b/go.mod": "" }, [["go"], 2]],
    [
      "workspaces of npm",
      { "package.json": '{ "workspaces": ["packages/*"] }', "packages/a/package.json": "{}" },
      [["npm or yarn"], 2],
    ],
    [
      "pnpm with turbo",
      { "pnpm-workspace.yaml": "", "turbo.json": "", "package.json": "{}", "apps/a/package.json": "{}" },
      [["pnpm", "turbo"], 2],
    ],
    ["a workspace of cargo", { "Cargo.toml": "[workspace]\nmembers = []", "a/Cargo.toml": "" }, [["cargo"], 2]],
    ["projects that lie next to each other", { "a/go.mod": "", "b/package.json": "", "c/pom.xml": "" }, [[], 3]],
  ])("%s", (_, files, monorepo) => {
    const one = found(files).monorepo;
    expect(one === null ? null : [one.joinedBy.map(({ name }) => name), one.projects]).toEqual(monorepo);
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
    ["nothing but an expression is named by its job", jobs("  t: { name: '${{ inputs.a || inputs.b }}' }"), ["t…"]],
    ["no open parenthesis before an expression", jobs("  t: { name: 'unit (${{ inputs.a }})' }"), ["unit…"]],
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
