/** `baton init` in clones of several languages, as a person calls it. It asks nothing outside. */
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

it("the agent that is asked for, by a short name too, whatever key is found; one that is not known is nothing", async () => {
  const directory = await clone({ "a.py": "" });
  expect(await baton(directory, "init --harness codx")).toMatchObject({
    code: 3,
    err: expect.stringContaining("Did you mean `codex`?"),
  });
  expect(existsSync(join(directory, workflow))).toBe(false);
  const { code } = await baton(directory, "init --harness gemini", { OPENAI_API_KEY: "sk-a-key" });
  expect(code).toBe(0);
  expect(read(directory, "baton.yaml")).toContain("default: gemini");
  expect(read(directory, workflow)).toMatch(
    /npm install --global "@google\/gemini-cli@\$AGENT_VERSION"[^]*AGENT_VERSION: "\d/,
  );
  expect(read(directory, workflow)).toContain("GEMINI_API_KEY: ${{ secrets.GEMINI_API_KEY }}");
});

it("another Action than this Baton's own is in the workflow and in the schema's address", async () => {
  const directory = await clone({ "a.py": "" });
  expect(await baton(directory, "init --action acme/robot")).toMatchObject({
    code: 2,
    err: expect.stringContaining("Write `owner/name@ref`"),
  });
  const { code, out } = await baton(directory, `init --action acme/robot@${"a".repeat(40)}`);
  expect(code).toBe(0);
  expect(read(directory, workflow).match(/uses: acme\/robot\/action@a{40}/g)).toHaveLength(2);
  expect(read(directory, "baton.yaml")).toContain(`/acme/robot/${"a".repeat(40)}/schemas/baton.schema.json`);
  expect(read(directory, ".github/workflows/baton-wake-up.yml")).toContain(`acme/robot/action@${"a".repeat(40)}`);
  expect(out).not.toContain("baton_owner");
  // Without a release, nobody knows the repository, and the text says so.
  expect((await baton(await clone({ "a.py": "" }), "init")).out).toContain("Replace `baton_owner/baton`");
});

it("again: refreshed while nobody touched it, kept and told when somebody did, overwritten only when forced", async () => {
  const directory = await clone({ "a.go": "" });
  await baton(directory, "init");
  write(directory, ".github/workflows/ci.yml", ci("test"));
  const refreshed = await baton(directory, "init");
  expect(refreshed).toMatchObject({ code: 0, out: expect.stringContaining("brought up to date") });
  expect(read(directory, workflow)).toContain('"Build"');
  const again = await baton(directory, "init");
  expect(again.out.match(/as it should be/g)).toHaveLength(3);

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

it("a configuration that is broken is left as it is, and what is wrong with it is said first", async () => {
  const directory = await clone({ "a.go": "", "baton.yaml": "budget: { runUsd: many }\n" });
  const { code, out } = await baton(directory, "init");
  expect(code).toBe(1);
  expect(out).toMatch(/`baton\.yaml`: was changed by people.*\*\*It has errors\*\*.*line 1: /);
  expect(read(directory, "baton.yaml")).toBe("budget: { runUsd: many }\n");
});

it.each<[string, string | null, Record<string, string>, number, RegExp]>([
  ["no remote", null, {}, 2, /no remote `origin`.*gh repo create/s],
  [
    "a folder",
    "/srv/git/acme/shop.git",
    {},
    2,
    /`origin` is \/srv\/git\/acme\/shop\.git, which is not a repository on GitHub/,
  ],
  ["another host by SSH", "git@gitlab.com:acme/shop.git", {}, 2, /origin` is on gitlab\.com, .*GHE_HOST=gitlab\.com/],
  ["another host with a token", "https://me:tok@git.example/acme/shop", {}, 2, /^(?!.*tok@).*git\.example/s],
  [
    "another Enterprise Server",
    "git@one.example:acme/shop.git",
    { GHE_HOST: "two.example" },
    2,
    /would go to two\.example/,
  ],
])("a token goes nowhere but to where the clone comes from: %s", async (_, remote, environment, code, told) => {
  const directory = await clone({ "a.go": "" });
  if (remote !== null) await execa("git", ["remote", "add", "origin", remote], { cwd: directory });
  const given = { GITHUB_TOKEN: "ghp_of-a-person", ...environment };
  expect(await baton(directory, "init --pull-request", given)).toMatchObject({
    code,
    out: "",
    err: expect.stringMatching(told),
  });
  // Without a pull request, a clone is enough. If the person gave a token, Baton says why it did not ask GitHub.
  const here = await baton(directory, "init", given);
  expect(here.code).toBe(0);
  expect(here.err).toMatch(remote?.includes("@") === true ? /GitHub was not asked: / : /^$/);
});

it.each([
  [
    401,
    "Bad credentials",
    5,
    /BATON_TOKEN_DENIED: GITHUB_TOKEN may not do this in acme\/shop.*Bad credentials.*gh auth refresh/s,
  ],
  [403, "Resource not accessible", 5, /BATON_TOKEN_DENIED: .*Resource not accessible.*workflows: write/s],
  [404, "Not Found", 5, /BATON_TOKEN_DENIED: GITHUB_TOKEN sees no repository acme\/shop/],
])("a token that GitHub answers %i is told so, with what it needs", async (status, message, code, told) => {
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const directory = await clone({ "a.go": "" });
    await execa("git", ["remote", "add", "origin", "git@github.com:acme/shop.git"], { cwd: directory });
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const environment = { GITHUB_TOKEN: "ghp_x", GITHUB_API_URL: api };
    const { err, ...answer } = await baton(directory, "init --pull-request", environment);
    expect(answer).toEqual({ code, out: "" });
    expect(err).toMatch(told);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

it.each([
  [
    "Java with Gradle",
    { "src/main/java/A.java": "", "build.gradle.kts": "" },
    ["Java (1)", "gradle (`build.gradle.kts`)"],
  ],
  [
    "a monorepo",
    {
      "package.json": "{}",
      "packages/a/i.ts": "",
      "services/b/go.mod": "",
      "services/b/main.go": "",
      "tools/pom.xml": "",
    },
    ["Go (1)", "npm (`package.json`)", "go (`services/b/go.mod`)", "maven (`tools/pom.xml`)"],
  ],
])("%s", async (_, files, told) => {
  const { code, out } = await baton(await clone(files), "init");
  expect(code).toBe(0);
  for (const text of told) expect(out).toContain(text);
});

it("`baton.yml` is read, and two configurations are an error that names both", async () => {
  const one = await clone({ "a.go": "", "baton.yml": "version: 1\nbudget: { runUsd: 3 }\n" });
  expect((await baton(one, "config check")).out).toContain("baton.yml");
  await baton(one, "init");
  expect(existsSync(join(one, "baton.yaml"))).toBe(false);
  const two = await clone({ "a.go": "", ".github/baton.yml": "version: 1\n", "baton.yaml": "version: 1\n" });
  const checked = await baton(two, "config check");
  expect(checked.code).toBe(1);
  expect(checked.out).toContain("this repository has `baton.yaml` and `.github/baton.yml`, and only one may be there");
  expect((await baton(two, "init --dry-run")).out).toContain("**There are 2 configurations**");
});

it("CI that a push of Baton would not start gets `workflow_dispatch`; the rest of the file stays", async () => {
  const text = "name: CI # mine\non:\n  pull_request:\njobs: { test: { runs-on: x, steps: [{ run: 'true' }] } }\n";
  const directory = await clone({ "a.py": "", ".github/workflows/ci.yml": text });
  const { out } = await baton(directory, "init");
  expect(out).toContain("gets `workflow_dispatch`");
  expect(read(directory, ".github/workflows/ci.yml")).toBe(text.replace("on:\n", "on:\n  workflow_dispatch:\n"));
  expect(read(directory, workflow)).toContain("dispatch-workflows: ci.yml");
  expect((await baton(directory, "init")).out.match(/as it should be/g)).toHaveLength(3);
});
