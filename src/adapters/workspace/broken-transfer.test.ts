/**
 * A fetch that breaks off, again and again. Each break leaves the repository as large as it was, and its error says so.
 * The next fetch that succeeds brings everything.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultRetry, retryPauseMs } from "../../core/retry.ts";
import type { RepositoryAccess } from "../../ports/workspace.ts";
import { silentLog } from "../system/log.ts";
import { createWorkspaces, type HostWorkspaces } from "./workspaces.ts";

let root: string;
let remote: string;
let server: Server;
let url: string;
let workspaces: HostWorkspaces;
/** The part of each pack that arrives. */
let arrives = 1;
let packsSent = 0;

const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
const sh = (cwd: string, ...words: string[]): string =>
  execFileSync("git", [...who, ...words], { cwd, encoding: "utf8" }).trim();

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const env = { ...process.env, GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "") };
  const isRefs = request.method === "GET";
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const words = ["upload-pack", "--stateless-rpc", ...(isRefs ? ["--advertise-refs"] : []), remote];
  const sent = Buffer.concat(chunks);
  const input = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
  const answer = execFileSync("git", words, { env, input, maxBuffer: 1e8 });
  response.setHeader("content-type", `application/x-git-upload-pack-${isRefs ? "advertisement" : "result"}`);
  if (isRefs) {
    response.end(Buffer.concat([Buffer.from("001e# service=git-upload-pack\n0000"), answer]));
    return;
  }
  const isPack = answer.includes("PACK");
  if (isPack) packsSent += 1;
  if (!isPack || arrives === 1) {
    response.end(answer);
    return;
  }
  response.write(answer.subarray(0, Math.floor(answer.length * arrives)), () => response.destroy());
}

const access = (): RepositoryAccess => ({
  repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
  url,
  token: async () => null,
});

/** A commit that no pack can shrink: `files` of `bytes` each. */
function commit(name: string, files: number, bytes: number): string {
  const seed = join(root, "seed");
  for (let file = 0; file < files; file += 1)
    writeFileSync(join(seed, `${name}-${file}.bin`), execFileSync("head", ["-c", `${bytes}`, "/dev/urandom"]));
  sh(seed, "add", "-A");
  sh(seed, "commit", "-qm", name);
  sh(seed, "push", "-q", remote, "main");
  return sh(seed, "rev-parse", "HEAD");
}

/** Files below Baton's directory, with their bytes. Directories count nothing. */
function disk(): { files: number; bytes: number; names: string[] } {
  const names = readdirSync(join(root, "baton"), { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(root, "baton", name), { throwIfNoEntry: false })?.isFile());
  const bytes = files.reduce((sum, name) => sum + statSync(join(root, "baton", name)).size, 0);
  return { files: files.length, bytes, names: files };
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-broken-"));
  remote = join(root, "remote.git");
  mkdirSync(join(root, "seed"));
  sh(root, "init", "-q", "--bare", "-b", "main", remote);
  for (const key of ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"]) sh(remote, "config", key, "true");
  sh(join(root, "seed"), "init", "-q", "-b", "main");
  server = createServer((request, response) => void serve(request, response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/shop.git`;
  [arrives, packsSent] = [1, 0];
});
afterEach(async () => {
  await workspaces.release();
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

function make(wholeObjectsMax: number): void {
  workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, wholeObjectsMax });
}

/** Breaks `times` times. Returns the state of the disk after each break. */
async function breaks(times: number, part: number, work: () => Promise<unknown>): Promise<ReturnType<typeof disk>[]> {
  arrives = part;
  const after: ReturnType<typeof disk>[] = [];
  for (let time = 0; time < times; time += 1) {
    const sent = packsSent;
    await expect(work()).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
    // One try per call. The policy of a step bounds its retries.
    expect(packsSent - sent).toBe(1);
    after.push(disk());
  }
  arrives = 1;
  return after;
}

describe("large-history: a fetch that breaks off leaves nothing that grows", () => {
  it.each<[string, number, number, number, number]>([
    ["the first fetch of all", 10_000, 3, 200_000, 0.9],
    ["many small objects, which git would unpack one by one", 10_000, 40, 2_000, 0.6],
    ["one without blobs", 0, 40, 2_000, 0.6],
  ])("%s", async (_, wholeObjectsMax, files, bytes, part) => {
    make(wholeObjectsMax);
    commit("one", files, bytes);
    const after = await breaks(3, part, () => workspaces.fetch(access(), "main"));
    for (const now of after) {
      expect(now.names.filter((name) => /tmp_|\.lock$|objects\/(?:pack|[0-9a-f]{2})\//.test(name))).toEqual([]);
      expect([now.files, now.bytes]).toEqual([after[0]?.files, after[0]?.bytes]);
    }
    expect(await workspaces.fetch(access(), "main")).toBe(sh(remote, "rev-parse", "main"));
  });

  it("nor one of a remote that goes on meanwhile, where each try brings other objects", async () => {
    make(10_000);
    commit("first", 2, 1_000);
    await workspaces.fetch(access(), "main");
    const before = disk();
    for (let round = 0; round < 3; round += 1) {
      commit(`round${round}`, 30, 2_000);
      const [after] = await breaks(1, 0.7, () => workspaces.fetch(access(), "main"));
      expect([after?.files, after?.bytes]).toEqual([before.files, before.bytes]);
    }
    expect(await workspaces.fetch(access(), "main")).toBe(sh(remote, "rev-parse", "main"));
  });

  it("nor one of blobs that somebody asks for", async () => {
    make(0);
    const sha = commit("one", 20, 4_000);
    const base = await workspaces.fetch(access(), "main");
    const before = disk();
    const read = () => workspaces.diff(access(), base, sha, 1_000, ["one-1.bin"]);
    expect((await read()).text).toBe("");
    const older = commit("two", 20, 4_000);
    await workspaces.fetch(access(), older);
    const with2 = disk();
    expect(with2.files).toBeGreaterThanOrEqual(before.files);
    const after = await breaks(3, 0.5, () => workspaces.diff(access(), base, older, 1_000));
    for (const now of after) expect([now.files, now.bytes]).toEqual([after[0]?.files, after[0]?.bytes]);
    expect(after[0]?.names.filter((name) => name.includes("tmp_"))).toEqual([]);
    expect((await workspaces.diff(access(), base, older, 1_000)).text).toContain("two-1.bin");
  });
});

describe("large-history: a fetch that breaks every time ends its step", () => {
  it.each(Object.entries(defaultRetry))("%s", (_, policy) => {
    const error = { code: "BATON_GIT_FAILED" as const, message: "early EOF" };
    let [tries, pausedMs] = [1, 0];
    for (let pause = retryPauseMs(policy, tries, error); pause !== null; pause = retryPauseMs(policy, tries, error)) {
      tries += 1;
      pausedMs += pause;
    }
    expect(tries).toBe(policy.attemptsMax);
    expect(tries).toBeLessThanOrEqual(12);
    expect(pausedMs).toBeLessThan(2 * 3_600_000);
  });
});
