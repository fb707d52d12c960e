import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { createSecretScan } from "../secrets/secret-scan.ts";
import { silentLog } from "../system/log.ts";
import { createWorkspaces } from "./workspaces.ts";

const own = "Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aGe";
/** Assembled, so that no scanner reports this file as a leak. */
const github = `gh${"p"}_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8`;
const fixture = `gh${"p"}_f1X2t3U4r5E6f7I8x9T0u1R2e3F4i5X6t7U8`;
const hex = Buffer.from(own).toString("hex");

let root: string;
let clone: string;
let access: RepositoryAccess;
let workspaces: Workspaces;
let base: string;

function sh(cwd: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "user.name=agent", "-c", "user.email=agent@localhost", ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
  }).trim();
}

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), content);
}

function commit(message = "work", ...args: string[]): void {
  sh(clone, "add", "-A");
  sh(clone, "commit", "-q", "--allow-empty", "-m", message, ...args);
}

/** Pushes like a run: the clone's head, through the trusted repository. */
async function push(allowSecrets: string[] = []): Promise<string | null> {
  const sha = sh(clone, "rev-parse", "HEAD");
  sh(join(root, "baton", "trusted", "7.git"), "fetch", "-q", clone, `+HEAD:refs/baton/runs/x`);
  const given = { sha, knownShas: [base], allowSecrets };
  const refs = (): string => sh(access.url, "for-each-ref", "refs/baton", "refs/heads/baton");
  const before = refs();
  const failed = (thrown: Error & { code?: string }): string => `${thrown.code} ${thrown.message}`;
  const scanned = await workspaces.scan(access, given).catch(failed);
  const pushed = await workspaces.push(access, { branch: `baton/${sha}`, expectedSha: null, ...given }).catch(failed);
  expect(scanned).toBe(pushed);
  if (pushed !== undefined) expect(refs()).toBe(before);
  return pushed ?? null;
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-scan-"));
  const remote = join(root, "remote.git");
  clone = join(root, "clone");
  sh(root, "init", "-q", "--bare", "-b", "main", remote);
  sh(root, "init", "-q", "-b", "main", clone);
  write("a.txt", "one\n");
  write("test/fixture.txt", `token = ${fixture}\nother line\n`);
  commit("first");
  sh(clone, "push", "-q", remote, "main");
  access = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: remote,
    token: async () => null,
  };
  const secrets = createSecretScan([own]);
  workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, secrets });
  base = await workspaces.fetch(access, "main");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const inFiles: [string, string, () => void][] = [
  ["a value in a file", "config.txt", () => write("config.txt", `key: ${own}\n`)],
  ["a line added to a file", "a.txt", () => write("a.txt", `one\n# ${own}\n`)],
  [
    "base64 in a file",
    "b.json",
    () => write("b.json", JSON.stringify({ k: Buffer.from(`x${own}`).toString("base64") })),
  ],
  ["UTF-16 in a file", "u.txt", () => write("u.txt", Buffer.from(own, "utf16le"))],
  [
    "a binary file",
    "b.bin",
    () => write("b.bin", Buffer.concat([Buffer.from([0, 255, 1, 0]), Buffer.from(own), Buffer.alloc(9)])),
  ],
  [
    "pieces in numbered lines",
    "n.md",
    () =>
      write(
        "n.md",
        own
          .match(/.{1,8}/g)
          ?.map((piece, at) => `${at + 1}. ${piece}`)
          .join("\n") ?? "",
      ),
  ],
  ["a link's target", "link", () => symlinkSync(`/tmp/${own.replaceAll("/", "_")}`, join(clone, "link"))],
  [
    "a submodule's address",
    ".gitmodules",
    () => write(".gitmodules", `[submodule "x"]\n\turl = https://x:${github}@github.com/a/b\n`),
  ],
  ["a token that Baton was not told of", "t.js", () => write("t.js", `const t = "${github}";\n`)],
  [
    "a private key",
    "id",
    () =>
      write(
        "id",
        `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3BlbnNzaC1rZXkt".repeat(4)}\n-----END OPENSSH PRIVATE KEY-----\n`,
      ),
  ],
  [
    "a moved fixture with a new value",
    "moved.txt",
    () => {
      renameSync(join(clone, "test/fixture.txt"), join(clone, "moved.txt"));
      write("moved.txt", `token = ${github}\nother line\n`);
    },
  ],
];

describe("secret-in-files-and-names", () => {
  it.each(inFiles)("%s stops the push and names the file", async (_, path, make) => {
    make();
    commit();
    const refused = (await push()) ?? "";
    expect(refused).toMatch(/^BATON_SECRET_FOUND /);
    expect(refused).toContain(`"${path}" in commit`);
    expect(refused).not.toContain(own.slice(0, 8));
    expect(refused).not.toContain(github.slice(4, 12));
  });

  it.each([
    ["hex in a file's name", () => write(`name-${hex}.txt`, "x")],
    ["a value over folders", () => write(`Kx7+Qm/92vBnLw=Tz0/RpYd4sHcJ8aGe`, "x")],
    ["a value in a file of that name", () => write(`${hex}.txt`, own)],
  ])("%s stops the push and is not told", async (_, make) => {
    make();
    commit();
    const refused = (await push()) ?? "";
    expect(refused).toMatch(/^BATON_SECRET_FOUND /);
    expect(refused).toMatch(/a file name in commit|whose name holds one too/);
    expect(refused).not.toContain(hex);
    expect(refused).not.toContain("RpYd4s");
  });

  it("an earlier commit counts, also when a later one takes it back", async () => {
    write("config.txt", own);
    commit();
    rmSync(join(clone, "config.txt"));
    commit("take it back");
    expect(await push()).toMatch(/^BATON_SECRET_FOUND .*"config\.txt" in commit/);
  });

  it.each([
    ["a fixture of the base stays", () => write("a.txt", "two\n")],
    ["a fixture is moved", () => renameSync(join(clone, "test/fixture.txt"), join(clone, "moved.txt"))],
    ["a fixture's file gets another line", () => write("test/fixture.txt", `token = ${fixture}\nother\nmore\n`)],
    [
      "documentation shows an example",
      () =>
        write(
          "doc.md",
          "AKIAIOSFODNN7EXAMPLE, ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nhttps://user:password@example.com\n",
        ),
    ],
    [
      "hashes and code",
      () =>
        write(
          "lock.json",
          `{"integrity":"sha512-${Buffer.alloc(64, 7).toString("base64")}","sha":"${"ab12".repeat(10)}"}`,
        ),
    ],
  ])("%s: pushed", async (_, make) => {
    make();
    commit();
    expect(await push()).toBeNull();
  });

  it("`secrets.allow` lets strings pass that look like tokens, never a value of Baton's own", async () => {
    write("test/new/fixture.txt", github);
    commit();
    expect(await push()).toMatch(/^BATON_SECRET_FOUND/);
    expect(await push(["test/**"])).toBeNull();
    write("test/own.txt", own);
    commit();
    expect(await push(["test/**"])).toMatch(/^BATON_SECRET_FOUND .*own\.txt/);
  });
});

describe("secret-in-commit-message", () => {
  it.each([
    ["a message", () => commit(`work\n\n${own}`)],
    ["a message in quoted lines", () => commit(`work\n\n> ${own.slice(0, 12)}\n> ${own.slice(12)}`)],
    ["an author", () => commit("work", `--author=${own} <a@b>`)],
    ["an address", () => commit("work", `--author=a <${hex}@b>`)],
    ["a token in a message", () => commit(`work ${github}`)],
  ])("%s stops the push", async (_, make) => {
    write("b.txt", "b");
    make();
    const refused = (await push()) ?? "";
    expect(refused).toMatch(/^BATON_SECRET_FOUND .*the message or author of commit/);
    expect(refused).not.toContain(own);
  });
});
