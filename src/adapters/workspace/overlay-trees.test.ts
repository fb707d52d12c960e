import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunId } from "../../core/vocabulary.ts";
import type { ImportOptions, RepositoryAccess } from "../../ports/workspace.ts";
import { silentLog } from "../system/log.ts";
import { mountPoints, mountsBelow, unmountBelow } from "./mounts.ts";
import { chooseWay, overlayObstacle } from "./probe-overlay.ts";
import { createWorkspaces, type HostWorkspaces } from "./workspaces.ts";

const obstacle = await overlayObstacle(mkdtempSync(join(tmpdir(), "baton-probe-")));

const runId = "run_0123456789abcdef" as RunId;
const options: ImportOptions = {
  identity: { name: "baton[bot]", email: "bot@example.com" },
  trailers: ["Baton-Run: run_x"],
  rescueSubject: "Save what was left",
  limits: { filesMax: 2_000, blobBytesMax: 1_000_000, importBytesMax: 5_000_000 },
};
let root: string;
let seed: string;
let access: RepositoryAccess;
let workspaces: HostWorkspaces;
let base: string;

const sh = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=agent", "-c", "user.email=agent@example.com", ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
  }).trimEnd();

/** Commits the content of the seed and returns the commit, known to the trusted repository. */
async function commit(): Promise<string> {
  sh(seed, "add", "-A");
  sh(seed, "commit", "-qm", "change");
  sh(seed, "push", "-q", join(root, "remote.git"), "main");
  return workspaces.fetch(access, "main");
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "baton-overlay-"));
  seed = join(root, "seed");
  mkdirSync(join(seed, "src", "deep"), { recursive: true });
  writeFileSync(join(seed, "src", "a.js"), "one\n");
  writeFileSync(join(seed, "src", "deep", "b.js"), "two\n");
  writeFileSync(join(seed, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("src/a.js", join(seed, "link"));
  writeFileSync(join(seed, ".gitignore"), "ignored\n");
  sh(root, "init", "-q", "--bare", "-b", "main", join(root, "remote.git"));
  sh(seed, "init", "-q", "-b", "main");
  access = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: join(root, "remote.git"),
    token: async () => null,
  };
  workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, way: "overlay" });
  base = await commit();
});
afterEach(async () => {
  await unmountBelow(root);
  rmSync(root, { recursive: true, force: true });
});

const create = async (name = "w", baseSha = base): Promise<string> =>
  (await workspaces.create(access, { runId, name, baseSha })).path;
const bring = (name = "w", baseSha = base) => workspaces.import(access, { runId, name, baseSha }, options);
const remove = (name = "w") => workspaces.remove(access, { runId, name });
const lowers = (): string => join(root, "baton", "lowers", "7");
const lowerTree = (): string => join(lowers(), base, "tree");
const run = (): string => join(root, "baton", "runs", runId);
const changed = async (name = "w"): Promise<string[]> => (await bring(name)).files.map(({ path }) => path);

describe.skipIf(obstacle !== null)(`a mounted tree${obstacle === null ? "" : ` (${obstacle})`}`, () => {
  it("is clean for git at once, by an index that knows the files that it shows", async () => {
    const path = await create();
    expect(await mountsBelow(path)).toEqual([path]);
    expect(sh(path, "status", "--porcelain")).toBe("");
    const known = sh(path, "ls-files", "--debug", "src/a.js");
    const { ino, size } = statSync(join(path, "src", "a.js"));
    expect(known).toContain(`ino: ${ino % 2 ** 32}`);
    expect(known).toContain(`size: ${size}`);
  });

  it("takes every change as any directory does, and neither the lower nor another workspace sees one", async () => {
    const [path, other] = await Promise.all([create("w"), create("other")]);
    const before = readdirSync(lowerTree(), { recursive: true }).sort();
    appendFileSync(join(path, "src", "a.js"), "more\n");
    chmodSync(join(path, "run.sh"), 0o644);
    renameSync(join(path, "src", "deep"), join(path, "moved"));
    rmSync(join(path, "link"));
    mkdirSync(join(path, "link"));
    writeFileSync(join(path, "link", "now-a-folder"), "");
    sh(path, "add", "-A");
    sh(path, "mv", "src", "source");
    expect(sh(path, "status", "--porcelain", "--no-renames").split("\n").sort()).toEqual([
      "A  link/now-a-folder",
      "A  moved/b.js",
      "A  source/a.js",
      "D  link",
      "D  src/a.js",
      "D  src/deep/b.js",
      "M  run.sh",
    ]);
    expect(await changed()).toHaveLength(7);
    expect(readdirSync(lowerTree(), { recursive: true }).sort()).toEqual(before);
    expect(readFileSync(join(lowerTree(), "src", "a.js"), "utf8")).toBe("one\n");
    expect(sh(other, "status", "--porcelain")).toBe("");
    expect(await bring("other")).toMatchObject({ headSha: null });
  });

  it("an edit of the same length within the second of the checkout is seen by the agent's git", async () => {
    const path = await create();
    writeFileSync(join(path, "src", "a.js"), "ONE\n");
    expect(sh(path, "status", "--porcelain")).toBe(" M src/a.js");
  });

  it("of many made at once there is one lower", async () => {
    const paths = await Promise.all(Array.from({ length: 12 }, (_, index) => create(`w${index}`)));
    expect(new Set(paths).size).toBe(12);
    expect(readdirSync(lowers())).toEqual([base]);
    for (const path of paths) expect(sh(path, "status", "--porcelain")).toBe("");
  });

  it("a base near to a lower is made of it: exactly its tree, clean, and no second lower", async () => {
    await create();
    rmSync(join(seed, "link"));
    renameSync(join(seed, "src", "deep"), join(seed, "elsewhere"));
    writeFileSync(join(seed, "src", "a.js"), "ten\n");
    writeFileSync(join(seed, "src", "deep"), "a file now\n");
    const next = await commit();
    const path = await create("next", next);
    expect(readdirSync(lowers())).toEqual([base]);
    expect(sh(path, "status", "--porcelain")).toBe("");
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
    expect(files.map(({ parentPath, name }) => join(parentPath, name).slice(path.length + 1)).sort()).toEqual(
      [".git", ".gitignore", "elsewhere/b.js", "run.sh", "src/a.js", "src/deep"].sort(),
    );
    expect(await bring("next", next)).toMatchObject({ headSha: null });
  });

  it("a base far from every lower gets one of its own", async () => {
    await create();
    for (let index = 0; index < 600; index += 1) writeFileSync(join(seed, `many-${index}`), `${index}`);
    const next = await commit();
    expect(sh(await create("next", next), "status", "--porcelain")).toBe("");
    expect(readdirSync(lowers()).sort()).toEqual([base, next].sort());
  });
});

describe.skipIf(obstacle !== null)("what a stop, a crash or a reboot leaves", () => {
  it("is mounted again for the import: commits, leftovers and deletions are there", async () => {
    const path = await create();
    writeFileSync(join(path, "new.js"), "new\n");
    sh(path, "add", "-A");
    sh(path, "commit", "-qm", "Add new");
    rmSync(join(path, "link"));
    renameSync(join(path, "src"), join(path, "source"));
    await workspaces.release();
    expect(await mountsBelow(root)).toEqual([]);
    workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, way: "checkout" });
    // Another workspace of the run is removed meanwhile. Git must not forget a worktree that only waits for its mount.
    await create("other");
    await remove("other");
    const result = await bring();
    expect(result).toMatchObject({ commits: 2, rescued: true });
    expect(result.files.map((file) => file.path)).toEqual(
      ["link", "new.js", "source/a.js", "source/deep/b.js", "src/a.js", "src/deep/b.js"].sort(),
    );
  });

  it("is imported though its lower is gone", async () => {
    const path = await create();
    writeFileSync(join(path, "src", "a.js"), "edited\n");
    await workspaces.release();
    rmSync(lowers(), { recursive: true });
    expect(await changed()).toEqual(["src/a.js"]);
  });

  it("a stop leaves the mount that somebody works in", async () => {
    const path = await create();
    const worker = spawn("cat", { cwd: path, stdio: ["pipe", "ignore", "ignore"] });
    await once(worker, "spawn");
    await workspaces.release();
    expect(await mountsBelow(root)).toEqual([path]);
    worker.stdin.end();
    await once(worker, "exit");
    await workspaces.release();
    expect(await mountsBelow(root)).toEqual([]);
  });

  it("made anew it has nothing of the attempt before, mounted or not", async () => {
    writeFileSync(join(await create(), "half"), "x");
    expect(existsSync(join(await create(), "half"))).toBe(false);
    writeFileSync(join(await create(), "half"), "x");
    await workspaces.release();
    rmSync(join(run(), "attempts", "w", "work"), { recursive: true });
    expect(existsSync(join(await create(), "half"))).toBe(false);
  });
});

describe.skipIf(obstacle !== null)("removal", () => {
  it("takes mount and layers, also from under a process that works in it", async () => {
    const path = await create();
    const worker = spawn("cat", { cwd: path, stdio: ["pipe", "ignore", "ignore"] });
    await once(worker, "spawn");
    await remove();
    expect(await mountsBelow(root)).toEqual([]);
    for (const folder of ["attempts", "made", "partial"]) expect(readdirSync(join(run(), folder))).toEqual([]);
    worker.stdin.end();
    await once(worker, "exit");
    expect(readFileSync(join(lowerTree(), "src", "a.js"), "utf8")).toBe("one\n");
  });

  it("MO2: does not delete through what an agent mounted in its tree", async () => {
    const path = await create();
    const precious = join(root, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "file"), "kept");
    mkdirSync(join(path, "trap"));
    execFileSync("mount", ["--bind", precious, join(path, "trap")]);
    await remove();
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(join(precious, "file"), "utf8")).toBe("kept");
  });
});

describe.skipIf(obstacle !== null)("lowers", () => {
  const tampered: [string, (tree: string) => void][] = [
    [
      "a file changed at the same length and with its old time",
      (tree) => {
        const file = join(tree, "src", "a.js");
        const { atime, mtime } = statSync(file);
        // The index stores the change time to the second. The kernel's clock for files runs some milliseconds behind.
        while (Date.now() < (Math.floor(statSync(file).ctimeMs / 1_000) + 1) * 1_000 + 50);
        writeFileSync(file, "ONE\n");
        utimesSync(file, atime, mtime);
      },
    ],
    ["a file added that git ignores", (tree) => writeFileSync(join(tree, "ignored"), "x")],
    ["a file deleted", (tree) => rmSync(join(tree, "link"))],
  ];
  it.each(tampered)("LO2: %s: the next workspace stands on a lower built anew", async (_, tamper) => {
    await create();
    tamper(lowerTree());
    const path = await create("next");
    expect(readFileSync(join(path, "src", "a.js"), "utf8")).toBe("one\n");
    expect(existsSync(join(path, "ignored"))).toBe(false);
    expect(sh(path, "status", "--porcelain")).toBe("");
    expect(await bring("next")).toMatchObject({ headSha: null });
  });

  it("W3: a workspace that stands on a changed lower shows it as its change, whatever its index says", async () => {
    await create();
    const file = join(lowerTree(), "src", "a.js");
    const { atime, mtime } = statSync(file);
    writeFileSync(file, "ONE\n");
    utimesSync(file, atime, mtime);
    sh(join(run(), "attempts", "w", "work"), "update-index", "--assume-unchanged", "src/a.js");
    expect(await changed()).toEqual(["src/a.js"]);
  });

  it("LO3: go a day after their last use, but not from under a workspace", async () => {
    await create();
    await workspaces.release();
    const age = (): void => {
      const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
      utimesSync(join(lowers(), base, "used"), longAgo, longAgo);
    };
    const collect = () => workspaces.collectGarbage(async () => true);
    age();
    await collect();
    expect(readdirSync(lowers())).toEqual([base]);
    await remove();
    await create("again");
    await remove("again");
    await collect();
    expect(readdirSync(lowers())).toEqual([base]);
    age();
    await collect();
    expect(readdirSync(lowers())).toEqual([]);
  });
});

describe("the choice", () => {
  /**
   * A place where no mount can be made. An overlay cannot be the upper layer of another overlay. Without overlays, any
   * place works.
   */
  const hopeless = async (): Promise<string> =>
    obstacle === null ? join(await create(), "inner") : join(root, "inner");

  it("overlay demanded where it cannot be is refused with what to do, and leaves nothing behind", async () => {
    const rootDir = await hopeless();
    await expect(chooseWay({ wanted: "overlay", rootDir, log: silentLog })).rejects.toMatchObject({
      code: "BATON_SETTINGS_INVALID",
      message: expect.stringMatching(/BATON_WORKSPACES is "overlay".*(?:mount|none).*CAP_SYS_ADMIN/s),
    });
    expect(readdirSync(rootDir)).toEqual([]);
  });

  it("by itself it falls back to checkouts, and says why", async () => {
    const said: [string, unknown][] = [];
    const log = { ...silentLog, info: (text: string, fields?: object) => void said.push([text, fields]) };
    expect(await chooseWay({ wanted: "auto", rootDir: await hopeless(), log })).toBe("checkout");
    expect(said).toEqual([[expect.stringContaining("checked out"), { why: expect.stringMatching(/\w/) }]]);
  });

  it("checkout asked for is not probed", async () => {
    const rootDir = join(root, "nothing-here");
    expect(await chooseWay({ wanted: "checkout", rootDir, log: silentLog })).toBe("checkout");
    expect(existsSync(rootDir)).toBe(false);
  });

  it.skipIf(obstacle !== null)("a mount that fails at last becomes a checkout", async () => {
    const rootDir = join(await create("outer"), "inner");
    const inner = createWorkspaces({ rootDir, log: silentLog, way: "overlay" });
    await inner.fetch(access, "main");
    const { path } = await inner.create(access, { runId, name: "w", baseSha: base });
    expect(await mountsBelow(path)).toEqual([]);
    expect(sh(path, "status", "--porcelain")).toBe("");
    writeFileSync(join(path, "x"), "x");
    expect(await inner.import(access, { runId, name: "w", baseSha: base }, options)).toMatchObject({ commits: 1 });
  });
});

describe("the table of mounts", () => {
  it.each([
    ["one with a space and a tab", "36 35 0:1 / /a\\040b\\011c rw - ext4 /dev/a rw\n", ["/a b\tc"]],
    ["a backslash that is one", "36 35 0:1 / /a\\134040 rw - ext4 /dev/a rw\n", ["/a\\040"]],
    ["two over each other", "1 0 0:1 / /a rw - x x rw\n2 1 0:2 / /a rw - x x rw\n", ["/a", "/a"]],
    ["none", "", []],
  ])("%s", (_, table, points) => expect(mountPoints(table)).toEqual(points));
});
