/**
 * A server that stops answering ends the call at its limit. No process is left, and the repository can be fetched
 * again.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { processIds } from "../child/process-table.ts";
import { StateRemote } from "../git-state/remote.ts";
import { silentLog } from "../system/log.ts";
import { git } from "./git-command.ts";
import { createWorkspaces } from "./workspaces.ts";

const limitMs = 1_500;

let root: string;
let remote: string;
let server: Server;
let base: string;
let stall: (request: IncomingMessage, response: ServerResponse) => void;
let workspaces: Workspaces;
let url: string;

const sh = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
    cwd: root,
    encoding: "utf8",
  });

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-stalled-"));
  remote = join(root, "remote.git");
  mkdirSync(join(root, "seed"));
  sh("init", "-q", "--bare", "-b", "main", remote);
  sh("init", "-q", "-b", "main", "seed");
  sh("-C", "seed", "commit", "-qm", "first", "--allow-empty");
  sh("-C", "seed", "push", "-q", remote, "main");
  base = sh("-C", "seed", "rev-parse", "HEAD").trim();
  server = createServer((request, response) => stall(request, response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stalled.git`;
  workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, transferTimeoutMs: limitMs });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

const access = (address: string): RepositoryAccess => ({
  repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
  url: address,
  token: async () => null,
});

/** Git processes that still talk to this server. */
const left = (): number[] =>
  processIds().filter((pid) => {
    try {
      const isEnding = /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
      return !isEnding && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(url);
    } catch {
      return false;
    }
  });

const advertised = (service: "upload-pack" | "receive-pack"): Buffer => {
  const refs = execFileSync("git", [service, "--stateless-rpc", "--advertise-refs", remote]);
  const first = `# service=git-${service}\n`;
  return Buffer.concat([Buffer.from(`${(first.length + 4).toString(16).padStart(4, "0")}${first}0000`), refs]);
};
const type = (response: ServerResponse, name: string): ServerResponse =>
  response.setHeader("content-type", `application/x-git-${name}`);

type Stall = typeof stall;
const noAnswer: Stall = () => {};
const firstLine: Stall = (_, response) => {
  type(response, "upload-pack-advertisement").write("001e# service=git-upload-pack\n");
};
const headersOnly: Stall = (_, response) => {
  type(response, "upload-pack-advertisement").flushHeaders();
};
const drip: Stall = (_, response) => {
  type(response, "upload-pack-advertisement").write("001e# service=git-upload-pack\n0000ffff");
  const timer = setInterval(() => response.write("x"), 100);
  response.once("close", () => clearInterval(timer));
};
const afterRefs =
  (service: "upload-pack" | "receive-pack", answer: string | null): Stall =>
  (request, response) => {
    const asked = request.url?.includes("receive-pack") === true ? "receive-pack" : "upload-pack";
    if (request.method === "GET") type(response, `${asked}-advertisement`).end(advertised(asked));
    else if (answer !== null) type(response, `${service}-result`).write(answer);
  };

async function expectToEnd(work: Promise<unknown>): Promise<void> {
  // Without the end of the whole group these calls never settle.
  await expect(work).rejects.toMatchObject({
    code: "BATON_GIT_FAILED",
    message: expect.stringContaining("took too long"),
  });
  expect(left()).toEqual([]);
}

describe("git-time-limit-does-not-hold", () => {
  it.each([
    ["the first line of info/refs, then nothing", firstLine],
    ["no answer at all", noAnswer],
    ["headers without a body", headersOnly],
    ["a byte now and then", drip],
    ["upload-pack without an answer", afterRefs("upload-pack", null)],
    ["upload-pack that stops in its answer", afterRefs("upload-pack", "0008NAK\n")],
  ])("fetch: %s; the next fetch of the repository works", async (_, answer) => {
    stall = answer;
    const waiting = workspaces.fetch(access(url), "main");
    const behind = expect(workspaces.fetch(access(remote), "main")).resolves.toBe(base);
    await expectToEnd(waiting);
    await behind;
  });

  it("push: the answer never comes", async () => {
    await workspaces.fetch(access(remote), "main");
    stall = afterRefs("receive-pack", null);
    await expectToEnd(workspaces.push(access(url), { branch: "baton/one", sha: base, expectedSha: null }));
  });

  it("a look at a remote, and one at a branch", async () => {
    stall = firstLine;
    await expectToEnd(git(["ls-remote", url], { timeoutMs: limitMs }));
    await expectToEnd(workspaces.remoteHead(access(url), "main"));
  });

  it("the state's remote: an exit code that would be an answer is none after the limit", async () => {
    stall = noAnswer;
    await expectToEnd(git(["fetch", url, "main"], { gitDir: remote, timeoutMs: limitMs, okCodes: [1, 128] }));
    const state = new StateRemote({ gitDir: join(root, "state.git"), url: remote, token: async () => null });
    expect((await state.heads(["refs/heads/main"])).get("refs/heads/main")).toBe(base);
  });
});
