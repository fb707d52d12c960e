import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { createWorkspaces } from "../adapters/workspace/workspaces.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { ImportOptions, RepositoryAccess } from "../ports/workspace.ts";
import { durableWorkspaces } from "./durable-workspaces.ts";

it("the data directory goes between two steps, and another replica goes on from each commit", async () => {
  const root = mkdtempSync(join(tmpdir(), "baton-durable-"));
  const sh = (cwd: string, ...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd, encoding: "utf8" }).trim();
  try {
    const remote = join(root, "remote");
    sh(root, "init", "-q", "-b", "main", remote);
    writeFileSync(join(remote, "a.txt"), "a\n");
    sh(remote, "add", "-A");
    sh(remote, "commit", "-qm", "first");
    // A base that the default branch does not lead to.
    sh(remote, "checkout", "-qb", "topic");
    sh(remote, "commit", "-q", "--allow-empty", "-m", "topic");
    const access: RepositoryAccess = {
      repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
      url: remote,
      token: async () => null,
    };
    const { store } = openMemory({ clock: new ManualClock(), log: silentLog });
    const replica = (name: string) =>
      durableWorkspaces(createWorkspaces({ rootDir: join(root, name), log: silentLog }), store);
    const runId = "run_0123456789abcdef" as RunId;
    const options: ImportOptions = {
      identity: { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" },
      trailers: ["Baton-Run: x"],
      rescueSubject: "Work",
      limits: { filesMax: 10, blobBytesMax: 10_000, importBytesMax: 100_000 },
    };
    let baseSha = await replica("one").fetch(access, "topic");
    for (const name of ["one", "two", "three"]) {
      const workspaces = replica(name);
      await workspaces.fetch(access, baseSha);
      const { path } = await workspaces.create(access, { runId, name, baseSha });
      writeFileSync(join(path, `${name}.txt`), name);
      const { headSha } = await workspaces.import(access, { runId, name, baseSha }, options);
      baseSha = headSha as string;
      rmSync(join(root, name), { recursive: true });
    }
    const last = replica("four");
    await last.push(access, { branch: "baton/x", sha: baseSha, expectedSha: null });
    expect(sh(remote, "ls-tree", "--name-only", "baton/x").split("\n")).toEqual([
      "a.txt",
      "one.txt",
      "three.txt",
      "two.txt",
    ]);
    await expect(last.fetch(access, "f".repeat(40))).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
