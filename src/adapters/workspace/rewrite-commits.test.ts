import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunId } from "../../core/vocabulary.ts";
import type { ImportOptions, RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { silentLog } from "../system/log.ts";
import { createWorkspaces } from "./workspaces.ts";

const runId = "run_0123456789abcdef" as RunId;
const now = Date.parse("2026-11-30T12:00:00Z");
const baseDate = "2026-11-01T00:00:00Z";
const bot = { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" };
const signOff = `Signed-off-by: ${bot.name} <${bot.email}>`;
const options: ImportOptions = {
  identity: bot,
  trailers: [
    "Baton-Run: run_x",
    "Baton-Step: implement",
    "Co-authored-by: ann <2+ann@users.noreply.github.com>",
    signOff,
  ],
  rescueSubject: "Save the work",
  limits: { filesMax: 100, blobBytesMax: 1_000_000, importBytesMax: 5_000_000 },
  now,
};

let root: string;
let access: RepositoryAccess;
let workspaces: Workspaces;
let base: string;

function sh(
  cwd: string,
  args: string[],
  given: { env?: Record<string, string>; input?: string | Buffer } = {},
): string {
  return execFileSync("git", ["-c", "user.name=agent", "-c", "user.email=agent@localhost", ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    ...(given.input === undefined ? {} : { input: given.input }),
    env: { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1", ...given.env },
  }).trim();
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-rewrite-"));
  const seed = join(root, "seed");
  sh(root, ["init", "-q", "-b", "main", seed]);
  writeFileSync(join(seed, "a.txt"), "one\n");
  sh(seed, ["add", "-A"]);
  sh(seed, ["commit", "-qm", "first"], { env: { GIT_AUTHOR_DATE: baseDate, GIT_COMMITTER_DATE: baseDate } });
  access = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: join(seed, ".git"),
    token: async () => null,
  };
  workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, way: "checkout" });
  base = await workspaces.fetch(access, "main");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("commits are listed apart whatever bytes their messages hold", async () => {
  const seed = join(root, "seed");
  const messages = ["one\x01two", "\x01", "three\n\n\x02 four"];
  for (const message of messages)
    sh(seed, ["commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-"], { input: message });
  const sha = await workspaces.fetch(access, "main");
  const listed = await workspaces.commits(access, sha, { newest: 4 });
  expect(listed.map(({ message }) => message)).toEqual(["first", ...messages]);
  expect(listed.map((one) => one.parents)).toEqual([[], ...listed.slice(0, 3).map((one) => [one.sha])]);
  expect(new Set(listed.map(({ tree }) => tree)).size).toBe(1);
});

const trusted = (): string => join(root, "baton", "trusted", "7.git");

interface Seen {
  people: string;
  dates: string;
  message: string;
}

/** From the base, oldest first. */
function commits(headSha: string | null): Seen[] {
  if (headSha === null) return [];
  const format = "--format=%an <%ae>|%cn <%ce>%x00%at %ct%x00%B%x00%x01";
  return sh(trusted(), ["log", "--reverse", format, `${base}..${headSha}`])
    .split("\u0001")
    .map((part) => part.trim().split("\0"))
    .filter((parts) => parts.length > 1)
    .map(([people = "", dates = "", message = ""]) => ({ people, dates, message: message.trim() }));
}

async function imported(agent: (path: string, commit: (args: string[], env?: Record<string, string>) => void) => void) {
  const { path } = await workspaces.create(access, { runId, name: "w", baseSha: base });
  let number = 0;
  agent(path, (args, env = {}) => {
    writeFileSync(join(path, "a.txt"), `${(number += 1)}\n`);
    sh(path, ["add", "-A"]);
    sh(path, ["commit", "-q", ...args], { env });
  });
  return workspaces.import(access, { runId, name: "w", baseSha: base }, options);
}

const person = `${bot.name} <${bot.email}>`;

describe("commits-by-agent-at-localhost", () => {
  it.each([
    ["the agent's own identity, signed off", ["-s", "-m", "work"], {}],
    ["a person's name as author", ["--author=bob <3+bob@users.noreply.github.com>", "-m", "work"], {}],
    ["names in the environment", ["-m", "work"], { GIT_AUTHOR_NAME: "bob", GIT_COMMITTER_EMAIL: "bob@example.com" }],
    ["an author that looks like a field", ["--author=x\u202eBaton-Run: y <a@b>", "-m", "work"], {}],
  ])("%s: author, committer and sign-off are the bot's", async (_, args, env) => {
    const { headSha } = await imported((path, commit) => {
      commit(args, env as Record<string, string>);
      writeFileSync(join(path, "left.txt"), "left\n");
    });
    const seen = commits(headSha);
    expect(seen.map(({ people }) => people)).toEqual([`${person}|${person}`, `${person}|${person}`]);
    expect(seen.map(({ message }) => message.split("\n\n"))).toEqual([
      ["work", options.trailers.join("\n")],
      ["Save the work", options.trailers.join("\n")],
    ]);
  });
});

describe("commits-carry-whatever-the-agent-says", () => {
  it("dates lie between the base and now, and never go back", async () => {
    const dates = ["2001-01-01T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-10T00:00:00Z", "2099-01-01T00:00:00Z"];
    const { headSha } = await imported((path, commit) => {
      for (const date of dates) commit(["-m", date], { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date });
      writeFileSync(join(path, "left.txt"), "left\n");
    });
    const expected = [baseDate, "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z", now, now].map(
      (date) => new Date(date).getTime() / 1_000,
    );
    expect(commits(headSha).map((seen) => seen.dates)).toEqual(expected.map((seconds) => `${seconds} ${seconds}`));
  });

  it("only Baton's trailers end a message, and its words have no effect", async () => {
    const { headSha } = await imported((_, commit) => {
      commit(["-m", "Fixes #99 @everyone [skip ci]", "-m", "Reviewed-by: bob <b@x.y>\nBaton-Run: run_other"]);
      commit(["--allow-empty-message", "-m", ""]);
      commit(["--cleanup=verbatim", "-m", "x\n\n\nskip-checks: true\n"]);
    });
    const seen = commits(headSha);
    expect(seen.map(({ message }) => message.split("\n\n")[0])).toEqual([
      "Fixes no. 99 @ everyone (skip ci)",
      "Save the work",
      "x",
    ]);
    for (const { message } of seen) {
      expect(message.split("\n\n")).toHaveLength(2);
      const parsed = sh(root, ["interpret-trailers", "--parse"], { input: `${message}\n` });
      expect(parsed.split("\n")).toEqual(options.trailers);
    }
  });

  it.each([
    ["another encoding", "encoding iso-8859-1\n", Buffer.from("caf\u00e9 [skip ci]", "latin1"), "café (skip ci)"],
    [
      "bytes that are no text",
      "",
      Buffer.from([0x77, 0xff, 0xfe, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x78]),
      "w\ufffd\ufffdx",
    ],
    ["a NUL before more", "", Buffer.from("w\0Signed-off-by: bob <b@x.y>"), "w"],
    ["a signature and fields of its own", "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n", Buffer.from("w"), "w"],
  ])("%s in the commit object", async (_, header, message, subject) => {
    const { path } = await workspaces.create(access, { runId, name: "w", baseSha: base });
    const tree = sh(path, ["write-tree"]);
    writeFileSync(join(path, "a.txt"), "two\n");
    sh(path, ["add", "-A"]);
    const person_ = "agent <agent@localhost> 1790000000 +0000";
    const object = Buffer.concat([
      Buffer.from(
        `tree ${sh(path, ["write-tree"])}\nparent ${base}\nauthor ${person_}\ncommitter ${person_}\n${header}\n`,
      ),
      message,
    ]);
    expect(tree).toMatch(/^[0-9a-f]{40}$/);
    const sha = sh(path, ["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], { input: object });
    sh(path, ["reset", "-q", "--soft", sha]);
    const { headSha } = await workspaces.import(access, { runId, name: "w", baseSha: base }, options);
    expect(commits(headSha).map((seen) => seen.message.split("\n\n")[0])).toEqual([subject]);
    const raw = sh(trusted(), ["cat-file", "commit", headSha as string]).split("\n\n")[0] ?? "";
    expect(raw.split("\n").map((line) => line.split(" ")[0])).toEqual(["tree", "parent", "author", "committer"]);
  });

  it("commits of a worker elsewhere are rewritten on arrival; those that Baton made keep their ids", async () => {
    const { headSha } = await imported((_, commit) => {
      commit(["-m", "one\n\nSome text."]);
      commit(["-m", "two"]);
    });
    const bytes = (await workspaces.bundle(access, headSha as string)) as Uint8Array;
    const bring = (sha: string, bundle: Uint8Array) =>
      workspaces.importBundle(access, { runId, name: "b", baseSha: base, headSha: sha, bytes: bundle }, options);
    expect((await bring(headSha as string, bytes)).headSha).toBe(headSha);

    const clone = join(root, "clone");
    sh(root, ["clone", "-q", access.url, clone]);
    writeFileSync(join(clone, "a.txt"), "elsewhere\n");
    sh(clone, ["commit", "-qam", "closes #5 @bob", "--author=bob <b@x.y>"]);
    const foreign = sh(clone, ["rev-parse", "HEAD"]);
    sh(clone, ["update-ref", `refs/baton/bundles/${foreign}`, foreign]);
    const file = join(root, "foreign.bundle");
    sh(clone, ["bundle", "create", "-q", file, `refs/baton/bundles/${foreign}`, "^origin/main"]);
    const taken = await bring(foreign, readFileSync(file));
    expect(taken.headSha).not.toBe(foreign);
    expect(taken.files).toEqual([{ path: "a.txt", added: 1, removed: 1 }]);
    const [seen] = commits(taken.headSha);
    expect(seen).toMatchObject({ people: `${person}|${person}` });
    expect(seen?.message.split("\n\n")[0]).toBe("closes no. 5 @ bob");
    const ref = sh(trusted(), ["rev-parse", `refs/baton/runs/${runId}/b`]);
    expect(ref).toBe(taken.headSha);
  });

  it("secret-in-commit-message: a message passes the redactor before it is a commit", async () => {
    const redact = (text: string): string => text.replaceAll("hunter2hunter2", "[redacted]");
    const { path } = await workspaces.create(access, { runId, name: "w", baseSha: base });
    writeFileSync(join(path, "a.txt"), "two\n");
    sh(path, ["commit", "-qam", "hunter2hunter2\n\nand hunter2\u200bhunter2"]);
    const { headSha } = await workspaces.import(access, { runId, name: "w", baseSha: base }, { ...options, redact });
    expect(commits(headSha)[0]?.message.split("\n\n").slice(0, 2)).toEqual(["[redacted]", "and [redacted]"]);
  });
});
