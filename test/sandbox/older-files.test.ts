/**
 * Files of old commits in a repository that was fetched without them. An agent's git inside the real sandbox asks the door,
 * as its performer confines it (ADR 13).
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { children } from "../../src/adapters/child/children.ts";
import { testSandbox } from "../../src/adapters/sandbox/test-attempt.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { createWorkspaces, type HostWorkspaces } from "../../src/adapters/workspace/workspaces.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import type { RepositoryAccess, Workspace } from "../../src/ports/workspace.ts";
import { confine } from "../../src/runner/perform/confine.ts";
import { sandboxWorks } from "../sandbox-here.ts";

const runId = "run_01j00000000000000000000000" as RunId;
const commits = 8;
const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

describe.skipIf(!sandboxWorks)("large-history: older files come through the sandbox on demand", () => {
  let root: string;
  let remote: string;
  let workspaces: HostWorkspaces;
  let access: RepositoryAccess;
  let place: Workspace;
  let door = true;
  const denied: string[] = [];

  const sh = (cwd: string, ...words: string[]): string =>
    execFileSync("git", [...who, ...words], { cwd, encoding: "utf8" }).trim();

  /** Runs in the sandbox, as an agent's shell does. */
  async function inside(script: string): Promise<{ exitCode: number | null; text: string }> {
    const parsed = parseConfig("version: 1\n");
    if (!parsed.ok) throw new Error("settings");
    const resources = { memoryBytesMax: 2 ** 30, processesMax: 200, diskBytesMax: 2 ** 30 };
    const root = process.getuid?.() === 0;
    const agentSandbox = {
      sandbox: testSandbox,
      operator: "require" as const,
      hosts: [],
      readable: [],
      resources,
      root,
    };
    const workspace = door ? place : { ...place, loopbackPorts: [] };
    const { confinement } = confine(
      { agentSandbox },
      { kind: "confined" },
      { settings: parsed.settings, workspace, harness: null, onDenied: (line) => denied.push(line) },
    );
    if (confinement === null) throw new Error("no sandbox");
    const { exitCode, stdout, stderr } = await children.call({
      command: ["/bin/sh", "-c", script],
      cwd: place.path,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: place.path, GIT_TERMINAL_PROMPT: "0" },
      timeoutMs: 120_000,
      outputBytesMax: 4 * 1024 * 1024,
      confinement,
    });
    return { exitCode, text: `${stdout.toString()}${stderr.toString()}` };
  }

  beforeAll(async () => {
    root = mkdtempSync(join(realpathSync(tmpdir()), "baton-older-"));
    remote = join(root, "remote.git");
    const seed = join(root, "seed");
    mkdirSync(seed);
    sh(root, "init", "-q", "--bare", "-b", "main", remote);
    for (const key of ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"]) sh(remote, "config", key, "true");
    sh(seed, "init", "-q", "-b", "main");
    for (let count = 1; count <= commits; count += 1) {
      writeFileSync(join(seed, "file.txt"), Array.from({ length: count }, (_, line) => `line ${line}\n`).join(""));
      sh(seed, "add", "-A");
      sh(seed, "commit", "-qm", `commit ${count}`);
    }
    sh(seed, "push", "-q", remote, "main");
    workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, wholeObjectsMax: 0 });
    access = {
      repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
      url: `file://${remote}`,
      token: async () => null,
    };
    const baseSha = await workspaces.fetch(access, "main");
    place = await workspaces.create(access, { runId, name: "w", baseSha });
  }, 120_000);
  afterAll(async () => {
    await workspaces.release();
    rmSync(root, { recursive: true, force: true });
  });

  it("without the door's port nothing comes: the sandbox is what lets it through", async () => {
    door = false;
    const { exitCode, text } = await inside("git show HEAD~5:file.txt");
    door = true;
    expect(exitCode, text).not.toBe(0);
    expect(text).not.toContain("line 2");
  });

  it.each<[string, string, RegExp]>([
    ["show of an older file", "git show HEAD~6:file.txt", /^line 0\nline 1\n$/],
    ["blame", "git blame -s file.txt", new RegExp(`^(?:\\^?[0-9a-f]+ +\\d+\\) line \\d\\n){${commits}}$`)],
    ["log -p of all", "git log -p --format=%s", /^commit 8\n[\s\S]*\+line 7[\s\S]*commit 1\n[\s\S]*\+line 0\n$/],
    ["log --stat", "git log --stat --format=%s", /commit 2\n\n file\.txt \| 1 \+/],
    [
      "bisect",
      "git bisect start HEAD HEAD~7 >/dev/null && git bisect run sh -c 'test $(wc -l <file.txt) -lt 5'; git bisect reset >/dev/null 2>&1",
      /is the first bad commit/,
    ],
  ])("%s", async (_, script, says) => {
    const { exitCode, text } = await inside(script);
    expect(exitCode, text).toBe(0);
    expect(text).toMatch(says);
  });

  it("the door is all that opens: no push through it, no way to the remote, and no token", async () => {
    const pushed = await inside("git push baton HEAD:refs/heads/x");
    expect(pushed.exitCode, pushed.text).not.toBe(0);
    expect(sh(remote, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
    const direct = await inside(`git ls-remote file://${remote}`);
    expect(direct.exitCode, direct.text).not.toBe(0);
    const { text } = await inside("git config --get-regexp . ; env");
    expect(text).not.toMatch(/extraheader|password|token=/i);
    expect(denied).toEqual([]);
  });
});
