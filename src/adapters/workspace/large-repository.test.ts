/**
 * A repository too large to fetch whole. Baton fetches all commits and trees and the files of base and head. Older
 * files come when git asks. Runs with the system's git and a current one.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunId } from "../../core/vocabulary.ts";
import type { ImportOptions, RepositoryAccess } from "../../ports/workspace.ts";
import { silentLog } from "../system/log.ts";
import { useGit } from "./git-command.ts";
import { wantsOf } from "./object-door.ts";
import { patient } from "./transfer.ts";
import { createWorkspaces, type HostWorkspaces } from "./workspaces.ts";

const runFile = promisify(execFile);
const gits = [null, ...(process.env["BATON_TEST_GIT"] === undefined ? [] : [process.env["BATON_TEST_GIT"]])];
const runId = "run_01j00000000000000000000000" as RunId;
const commits = 12;

let root: string;
let remote: string;
let binary = "git";
let workspaces: HostWorkspaces;
const opened: HostWorkspaces[] = [];

const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.com",
};
const sh = (cwd: string, ...args: string[]): string =>
  execFileSync(binary, args, { cwd, encoding: "utf8", env }).trim();
/** The agent's git asks Baton, which runs in this process. */
const agent = async (cwd: string, ...args: string[]): Promise<string> =>
  (await runFile(binary, args, { cwd, encoding: "utf8", env })).stdout.trim();
const access = (url = `file://${remote}`): RepositoryAccess => ({
  repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
  url,
  token: async () => null,
});
const options: ImportOptions = {
  identity: { name: "baton[bot]", email: "b@example.com" },
  trailers: ["Baton-Run: run_x"],
  rescueSubject: "Work",
  limits: { filesMax: 100, blobBytesMax: 1e6, importBytesMax: 1e7 },
};
const packs = (): string[] => readdirSync(join(root, "baton", "fetched", "7.git", "objects", "pack"));
/** Whether an object is here, without asking any remote. */
const has = (oid: string): boolean => {
  const found = sh(
    root,
    "--git-dir",
    join(root, "baton", "fetched", "7.git"),
    "cat-file",
    "--batch-all-objects",
    "--batch-check",
  );
  return found.includes(oid);
};
const blobAt = (revision: string): string => sh(remote, "rev-parse", `${revision}:file.txt`);

function make(wholeObjectsMax = 0): HostWorkspaces {
  const made = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, wholeObjectsMax });
  opened.push(made);
  return made;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "baton-large-"));
  remote = join(root, "remote.git");
  const seed = join(root, "seed");
  mkdirSync(seed);
  sh(root, "init", "-q", "--bare", "-b", "main", remote);
  // The settings with which GitHub serves git:
  // https://github.blog/open-source/git/get-up-to-speed-with-partial-clone-and-shallow-clone/
  for (const key of ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"]) sh(remote, "config", key, "true");
  sh(seed, "init", "-q", "-b", "main");
  for (let count = 1; count <= commits; count += 1) {
    writeFileSync(join(seed, "file.txt"), `${Array.from({ length: count }, (_, line) => `line ${line}`).join("\n")}\n`);
    writeFileSync(join(seed, `only-${count}.txt`), `${count}\n`);
    if (count > 1) rmSync(join(seed, `only-${count - 1}.txt`));
    sh(seed, "add", "-A");
    sh(seed, "commit", "-qm", `commit ${count}`);
  }
  sh(seed, "push", "-q", remote, "main");
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.release();
  useGit(null);
  rmSync(root, { recursive: true, force: true });
});

describe.each(gits)("with git %s", (given) => {
  beforeEach(() => {
    useGit(given);
    binary = given ?? "git";
    workspaces = make();
  });

  it("base and head are whole before the agent starts; log --stat, blame and bisect get older files through Baton", async () => {
    const base = await workspaces.fetch(access(), "main");
    expect(packs().some((name) => name.endsWith(".promisor"))).toBe(true);
    expect([has(blobAt("main")), has(sh(remote, "rev-parse", "main~5^{tree}"))]).toEqual([false, true]);
    const place = await workspaces.create(access(), {
      runId,
      name: "w",
      baseSha: base,
      reads: [sh(remote, "rev-parse", "main~1")],
    });
    expect([has(blobAt("main")), has(blobAt("main~1")), has(blobAt("main~2"))]).toEqual([true, true, false]);
    expect(await agent(place.path, "status", "--porcelain")).toBe("");
    expect(place.loopbackPorts).toHaveLength(1);
    expect(await agent(place.path, "log", "--stat", "--format=%s")).toMatch(/commit 12\n\n file\.txt.*commit 1\n/s);
    expect((await agent(place.path, "blame", "file.txt")).split("\n")).toHaveLength(commits);
    const first = sh(remote, "rev-list", "--max-parents=0", "main");
    await agent(place.path, "bisect", "start", base, first);
    const found = await agent(place.path, "bisect", "run", "sh", "-c", "test $(wc -l < file.txt) -lt 7");
    expect(found).toMatch(/is the first bad commit/);
    await agent(place.path, "bisect", "reset", base);
    expect(await agent(place.path, "show", `${first}:file.txt`)).toBe("line 0");
  });

  it("what an agent makes is imported, scanned, compared and pushed, and the push brings nothing else", async () => {
    const base = await workspaces.fetch(access(), "main");
    const place = await workspaces.create(access(), { runId, name: "w", baseSha: base });
    writeFileSync(join(place.path, "file.txt"), "changed\n");
    writeFileSync(join(place.path, "new.txt"), "new\n");
    const { headSha } = await workspaces.import(access(), { runId, name: "w", baseSha: base }, options);
    await workspaces.remove(access(), { runId, name: "w" });
    const before = packs().length;
    await workspaces.push(access(), { branch: "baton/x", sha: headSha ?? "", expectedSha: null });
    expect(packs()).toHaveLength(before);
    expect(sh(remote, "show", "baton/x:file.txt")).toBe("changed");
    expect((await workspaces.changes(access(), base, headSha ?? "")).map(({ path }) => path)).toEqual([
      "file.txt",
      "new.txt",
    ]);
    expect(has(blobAt("main~3"))).toBe(false);
    // A tree that nobody touched is unchanged.
    await workspaces.create(access(), { runId, name: "v", baseSha: base });
    expect(await workspaces.strayChanges(access(), { runId, name: "v", baseSha: base })).toEqual([]);
    const bundle = await workspaces.bundle(access(), headSha ?? "");
    expect(bundle?.byteLength).toBeGreaterThan(100);
  });

  it("older commits are compared and joined, and what is here works while the remote is away", async () => {
    const base = await workspaces.fetch(access(), "main");
    const [old, older] = [sh(remote, "rev-parse", "main~4"), sh(remote, "rev-parse", "main~6")];
    await workspaces.fetch(access(), old);
    expect((await workspaces.diff(access(), older, old, 10_000)).text).toContain("+line 7");
    expect(await workspaces.readFile(access(), older, "file.txt")).toContain("line 5");
    const place = await workspaces.create(access(), { runId, name: "w", baseSha: old });
    writeFileSync(join(place.path, "other.txt"), "other\n");
    const { headSha } = await workspaces.import(access(), { runId, name: "w", baseSha: old }, options);
    rmSync(join(root, "seed"), { recursive: true });
    const joined = await workspaces.join(
      access(),
      { runId, name: "j", baseSha: base, shas: [headSha ?? ""], message: "Join" },
      options,
    );
    expect(joined).toMatchObject({ joined: 1, conflict: null });
    const away = access("file:///nowhere.git");
    await workspaces.create(away, { runId, name: "again", baseSha: base }).catch(() => {});
    const second = await workspaces.create(away, { runId, name: "a", baseSha: old });
    expect(await agent(second.path, "status", "--porcelain")).toBe("");
  });

  it("a small repository is there whole, as ever, without a door", async () => {
    workspaces = make(10_000);
    const base = await workspaces.fetch(access(), "main");
    expect(packs().some((name) => name.endsWith(".promisor"))).toBe(false);
    const place = await workspaces.create(access(), { runId, name: "w", baseSha: base });
    expect(place.loopbackPorts).toBeUndefined();
    expect(readFileSync(join(place.path, "..", "repo.git", "config"), "utf8")).not.toContain("remote");
    expect(await agent(place.path, "log", "--stat", "--format=%s")).toContain("commit 1");
  });
});

describe("bounded by silence", () => {
  it.each([300_000, 90_500])("git's own clock does not ring before ours of %d ms", (silenceMs) => {
    expect(Number(patient({ silenceMs }).config["http.lowSpeedTime"]) * 1_000).toBeGreaterThan(silenceMs);
  });

  it("a transfer that goes on longer than the bound arrives; what a stopped one left is gone before the next", async () => {
    const seed = join(root, "seed");
    // Random bytes, which no transfer can compress.
    execFileSync("sh", ["-c", "head -c 3000000 /dev/urandom > big.bin"], { cwd: seed });
    sh(seed, "add", "-A");
    sh(seed, "commit", "-qm", "big");
    sh(seed, "push", "-q", remote, "main");
    const served = slowServer(40, 100);
    const url = await served.url;
    // The repository proves too large on arrival. Then only commits and trees come.
    const bounded = createWorkspaces({ rootDir: join(root, "bounded"), log: silentLog, wholeObjectsMax: 10 });
    expect(await bounded.fetch(access(url), "main")).toBe(sh(remote, "rev-parse", "main"));
    const ofBounded = readdirSync(join(root, "bounded", "fetched", "7.git", "objects", "pack"));
    expect(ofBounded.map((name) => name.replace(/.*\./, "")).sort()).toEqual(
      expect.arrayContaining(["pack", "promisor"]),
    );
    expect(ofBounded.filter((name) => name.startsWith("tmp_"))).toEqual([]);
    const limited = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, transferTimeoutMs: 3_000 });
    try {
      const began = performance.now();
      expect(await limited.fetch(access(url), "main")).toBe(sh(remote, "rev-parse", "main"));
      expect(performance.now() - began).toBeGreaterThan(3_000);
    } finally {
      served.close();
    }
    const left = join(root, "baton", "fetched", "7.git", "objects", "pack", "tmp_pack_left");
    writeFileSync(left, "half");
    writeFileSync(join(root, "baton", "fetched", "7.git", "refs", "heads", "x.lock"), "");
    await limited.fetch(access(), "main");
    expect(existsSync(left)).toBe(false);
  });
});

/** Git's own server, whose answers come in parts with pauses. */
function slowServer(parts: number, pauseMs: number): { url: Promise<string>; close(): void } {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const protocol = { ...env, GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "") };
    const isRefs = request.method === "GET";
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const words = ["upload-pack", "--stateless-rpc", ...(isRefs ? ["--advertise-refs"] : []), remote];
    const answer = execFileSync("git", words, { env: protocol, input: Buffer.concat(chunks), maxBuffer: 1e8 });
    response.setHeader("content-type", `application/x-git-upload-pack-${isRefs ? "advertisement" : "result"}`);
    if (isRefs) {
      response.end(Buffer.concat([Buffer.from("001e# service=git-upload-pack\n0000"), answer]));
      return;
    }
    const size = Math.max(1_000, Math.ceil(answer.length / parts));
    for (let at = 0; at < answer.length; at += size) {
      response.write(answer.subarray(at, at + size));
      await delay(pauseMs);
    }
    response.end();
  };
  const server = createServer((request, response) => void serve(request, response)).listen(0, "127.0.0.1");
  const url = new Promise<string>((resolve) =>
    server.once("listening", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`)),
  );
  return {
    url,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("the door to older files", () => {
  const line = (text: string): string => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
  const [a, b] = ["a".repeat(40), "b".repeat(64)];
  it.each<[string, string, string[]]>([
    ["version 2", `${line("command=fetch")}0001${line("ofs-delta")}${line(`want ${a}\n`)}${line("done\n")}0000`, [a]],
    ["version 0, with capabilities", `${line(`want ${a} ofs-delta agent=git/2\n`)}${line(`want ${b}\n`)}0000`, [a, b]],
    ["the same twice", line(`want ${a}\n`).repeat(2), [a]],
    ["none", `${line("command=ls-refs\n")}0000`, []],
    ["a line that has no end", "zzzzwant", []],
    ["a length below its own", `0003${line(`want ${a}\n`)}`, []],
  ])("reads what is wanted: %s", (_, body, wants) => {
    expect(wantsOf(Buffer.from(body))).toEqual(wants);
  });

  it("takes no push, no other address, and nothing once the workspace is gone", async () => {
    workspaces = make();
    const base = await workspaces.fetch(access(), "main");
    const place = await workspaces.create(access(), { runId, name: "w", baseSha: base });
    const url = await agent(place.path, "config", "remote.baton.url");
    const status = async (path: string, init?: RequestInit): Promise<number> => (await fetch(path, init)).status;
    expect(await status(`${url}/info/refs?service=git-upload-pack`)).toBe(200);
    expect(await status(`${url}/info/refs?service=git-receive-pack`)).toBe(403);
    expect(await status(`${url}/git-receive-pack`, { method: "POST", body: "0000" })).toBe(403);
    expect(await status(`${new URL(url).origin}/${"0".repeat(48)}/info/refs?service=git-upload-pack`)).toBe(404);
    await expect(agent(place.path, "push", "baton", "HEAD:refs/heads/x")).rejects.toThrow();
    await workspaces.remove(access(), { runId, name: "w" });
    expect(await status(`${url}/info/refs?service=git-upload-pack`)).toBe(404);
  });
});
