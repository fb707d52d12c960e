/** `baton init` in clones of several languages, as a person calls it; nothing outside is asked. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { workflowProblems } from "./workflow-problems.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function clone(files: Record<string, string>, git = true): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "baton-init-"));
  directories.push(directory);
  for (const [path, text] of Object.entries(files)) write(directory, path, text);
  if (git) await execa("git", ["init", "-q", "-b", "trunk"], { cwd: directory });
  return directory;
}

function write(directory: string, path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

async function baton(directory: string, words: string, environment: Record<string, string> = {}) {
  let [out, err] = ["", ""];
  const code = await runCli(words.split(" "), {
    environment,
    directory,
    print: (text) => (out += `${text}\n`),
    note: (text) => (err += `${text}\n`),
  });
  return { code, out, err };
}

const read = (directory: string, path: string): string => readFileSync(join(directory, path), "utf8");
const ci = (job: string): string => `name: Build\non: [pull_request, workflow_dispatch]\njobs: { ${job}: {} }\n`;
const workflow = ".github/workflows/baton.yml";

it.each<[string, Record<string, string>, string[]]>([
  [
    "TypeScript with npm",
    { "a.ts": "", "b.js": "", "package-lock.json": "{}", ".github/workflows/ci.yml": ci("test") },
    ["JavaScript (1), TypeScript (1)", "npm (`package-lock.json`)", "| CI checks | `test` |"],
  ],
  [
    "Python with uv",
    { "src/a.py": "", "uv.lock": "", ".github/workflows/x.yaml": ci("pytest") },
    ["Python (1)", "uv (`uv.lock`)", "| CI checks | `pytest` |"],
  ],
  ["Go, code owners", { "main.go": "", "go.mod": "", CODEOWNERS: "" }, ["Go (1)", "go (`go.mod`)", "`CODEOWNERS`"]],
  ["Rust without CI", { "src/main.rs": "", "Cargo.lock": "" }, ["cargo (`Cargo.lock`)", "none in `.github/workflows`"]],
  ["nothing yet", { "README.md": "" }, ["| Languages | none that is known |", "| Package managers | none |"]],
])("%s", async (_, files, told) => {
  const directory = await clone(files);
  const { code, out } = await baton(directory, "init");
  expect(code).toBe(0);
  for (const text of [...told, "`trunk`"]) expect(out).toContain(text);
  expect(parseConfig(read(directory, "baton.yaml"))).toMatchObject({ ok: true, problems: [] });
  expect(await workflowProblems(read(directory, workflow))).toEqual([]);
});

it("keys are found by name; their values are nowhere", async () => {
  const directory = await clone({ "a.py": "" });
  const { out } = await baton(directory, "init", { OPENAI_API_KEY: "sk-very-secret-value" });
  expect(out).toContain("`OPENAI_API_KEY` (environment; for codex)");
  expect(read(directory, workflow)).toContain("OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}");
  expect(read(directory, "baton.yaml")).toContain("default: codex");
  for (const text of [out, read(directory, workflow), read(directory, "baton.yaml")])
    expect(text).not.toContain("very-secret");
});

it("again: refreshed while nobody touched it, kept and told when somebody did, overwritten only when forced", async () => {
  const directory = await clone({ "a.go": "" });
  await baton(directory, "init");
  write(directory, ".github/workflows/ci.yml", ci("test"));
  const refreshed = await baton(directory, "init");
  expect(refreshed).toMatchObject({ code: 0, out: expect.stringContaining("brought up to date") });
  expect(read(directory, workflow)).toContain('"Build"');
  const again = await baton(directory, "init");
  expect(again.out.match(/as it should be/g)).toHaveLength(2);

  const mine = read(directory, "baton.yaml").replace("runUsd: 5", "runUsd: 2");
  write(directory, "baton.yaml", mine);
  const kept = await baton(directory, "init");
  expect(kept).toMatchObject({ code: 1, out: expect.stringContaining("-budget.runUsd: 2\n+budget.runUsd: 5") });
  expect(read(directory, "baton.yaml")).toBe(mine);
  expect((await baton(directory, "init --force")).code).toBe(0);
  expect(read(directory, "baton.yaml")).toContain("runUsd: 5");
});

it("from a folder below the root it writes at the root; `.github/baton.yaml` stays where it is", async () => {
  const directory = await clone({ "src/a.go": "", ".github/baton.yaml": "version: 1\n" });
  await baton(join(directory, "src"), "init");
  expect(existsSync(join(directory, workflow))).toBe(true);
  expect(existsSync(join(directory, "baton.yaml"))).toBe(false);
  expect(read(directory, ".github/baton.yaml")).toBe("version: 1\n");
});

it("a dry run prints the files and writes none; --json is one value", async () => {
  const directory = await clone({ "a.rb": "" });
  const { out } = await baton(directory, "init --dry-run");
  expect(out).toContain("--- baton.yaml ---\n# yaml-language-server: $schema=https://");
  const json = JSON.parse((await baton(directory, "init --dry-run --json")).out) as object;
  expect(json).toMatchObject({ detected: { languages: [{ name: "Ruby", files: 1 }] }, pullRequest: null });
  expect(existsSync(join(directory, workflow))).toBe(false);
});

it.each<[string, string, boolean, RegExp]>([
  ["outside of a repository", "init", false, /not in a git repository/],
  ["a pull request without a token", "init --pull-request", true, /GITHUB_TOKEN is not set/],
])("%s is refused with what to do", async (_, words, git, told) => {
  const directory = await clone({}, git);
  expect(await baton(directory, words)).toMatchObject({ code: 2, out: "", err: expect.stringMatching(told) });
});
