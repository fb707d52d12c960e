import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  importOptions,
  runId,
  settings,
  type WorkspaceWorld,
  workspaceWorld,
  write,
} from "../../../test/workspace-world.ts";

let world: WorkspaceWorld;
afterEach(() => world.end());

const files = {
  "a.txt": "one\n",
  "src/b.js": "two\n",
  ".github/workflows/ci.yml": "on: push\n",
  ".gitignore": "ignored/\n*.log\n",
};
const refusal = (message: RegExp) => ({ code: "BATON_TREE_REFUSED", message: expect.stringMatching(message) });

describe.each(settings)("$name", (setting) => {
  const begin = async (): Promise<string> => {
    world = await workspaceWorld(setting, files);
    return (await world.create()).path;
  };
  const marker = (): string => join(world.root, "PWNED");
  const plant = (): string => {
    const program = join(world.root, "evil.sh");
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >>'${marker()}'\ncat\n`);
    chmodSync(program, 0o755);
    return program;
  };
  /** Every configuration key by which git could start a program. */
  const configOf = (evil: string): string => `
[core]
\tfsmonitor = ${evil}
\tpager = ${evil}
\teditor = ${evil}
\tsshCommand = ${evil}
\tgitProxy = ${evil}
\taskPass = ${evil}
\talternateRefsCommand = ${evil}
\thooksPath = ${dirname(evil)}/hooks
\tattributesFile = ${dirname(evil)}/attributes
[filter "x"]
\tclean = ${evil}
\tsmudge = ${evil}
\tprocess = ${evil}
\trequired = true
[diff]
\texternal = ${evil}
[diff "x"]
\ttextconv = ${evil}
\tcommand = ${evil}
[merge "x"]
\tdriver = ${evil}
[gpg]
\tprogram = ${evil}
[commit]
\tgpgSign = true
[credential]
\thelper = ${evil}
[alias]
\tadd = !${evil}
\tls-files = !${evil}
\tread-tree = !${evil}
[uploadpack]
\tpackObjectsHook = ${evil}
[submodule "sub"]
\tupdate = !${evil}
\turl = ext::${evil}
[trailer "x"]
\tcommand = ${evil}
`;
  const hooks = [
    "pre-commit",
    "post-checkout",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
  ];
  const plantHooks = (directory: string, evil: string): void => {
    mkdirSync(directory, { recursive: true });
    for (const hook of hooks) symlinkSync(evil, join(directory, hook));
  };
  /** A repository in the tree, with a change that git has to compare by content. */
  const nest = (directory: string, evil: string): void => {
    mkdirSync(directory, { recursive: true });
    world.sh(directory, "init", "-q");
    write(directory, { f: "hi\n" });
    world.sh(directory, "add", "f");
    world.sh(directory, "commit", "-qm", "inner");
    appendFileSync(join(directory, ".git", "config"), configOf(evil));
    plantHooks(join(directory, ".git", "hooks2"), evil);
    write(directory, { ".gitattributes": "* filter=x diff=x merge=x\n", f: "ho\n" });
    utimesSync(join(directory, "f"), 978_307_200, 978_307_200);
  };

  it("nested-repository-filter-runs-on-host: a gitlink with a filter in its configuration", async () => {
    const path = await begin();
    const evil = plant();
    nest(join(path, "sub"), evil);
    rmSync(join(path, "sub", ".gitattributes"));
    world.sh(path, "add", "sub");
    world.sh(path, "commit", "-qm", "gitlink");
    write(join(path, "sub"), { ".gitattributes": "* filter=x\n" });
    rmSync(marker(), { force: true });
    await expect(world.bring()).rejects.toMatchObject(refusal(/"sub" is a repository within/));
    expect(await world.stray()).toEqual(["sub"]);
    expect(existsSync(marker())).toBe(false);
  });

  it("nested-repository-filter-runs-on-host: a program in every place from which git starts one", async () => {
    const path = await begin();
    const evil = plant();
    const repo = join(dirname(path), "repo.git");
    plantHooks(join(world.root, "hooks"), evil);
    plantHooks(join(repo, "hooks"), evil);
    writeFileSync(join(world.root, "attributes"), "* filter=x diff=x\n");
    appendFileSync(join(repo, "config"), configOf(evil));
    write(repo, { "config.worktree": configOf(evil), "info/attributes": "* filter=x diff=x merge=x\n" });
    write(dirname(path), { "home/.gitconfig": configOf(evil) });
    write(path, {
      ".gitattributes": "* filter=x diff=x merge=x\n",
      ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tupdate = merge\n',
      ".gitconfig": configOf(evil),
      // A bare repository as a folder of files, and a `.git` that points to a repository elsewhere.
      "bare/HEAD": "ref: refs/heads/main\n",
      "bare/config": `[core]\n\tbare = true\n\tfsmonitor = ${evil}\n`,
      "bare/refs/keep": "",
      "bare/objects/keep": "",
      "a.txt": "ONE\n",
    });
    nest(join(path, "ignored", "deep"), evil);
    nest(join(world.root, "elsewhere"), evil);
    rmSync(join(path, ".git"));
    writeFileSync(join(path, ".git"), `gitdir: ${join(world.root, "elsewhere", ".git")}\n`);
    rmSync(marker(), { force: true });
    const { headSha } = await world.bring();
    expect(headSha).not.toBeNull();
    expect(await world.stray()).toContain("a.txt");
    expect(world.blob(headSha as string, "a.txt").toString()).toBe("ONE\n");
    // The next workspaces of the run. A checkout must not apply a filter of the earlier one.
    await world.create("next");
    await world.workspaces.create(world.access, { runId, name: "on-it", baseSha: headSha as string });
    expect(await world.stray("next")).toEqual([]);
    await world.workspaces.remove(world.access, { runId, name: "w" });
    expect(existsSync(marker())).toBe(false);
    // Git itself refuses a command in `.gitmodules`.
    write(join(world.root, "baton", "runs", runId, "attempts", "next", "work"), {
      ".gitmodules": `[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tupdate = !${evil}\n`,
    });
    await expect(world.bring("next")).rejects.toMatchObject(refusal(/gitmodulesUpdate/));
    expect(existsSync(marker())).toBe(false);
  });

  it.each([
    ["a link to a folder of the host", (path: string, host: string) => symlinkSync(host, path)],
    ["another folder", (path: string, host: string) => cpSync(host, path, { recursive: true })],
    ["a fifo", (path: string) => void execFileSync("mkfifo", [path])],
    ["a file", (path: string) => writeFileSync(path, "x")],
    ["nothing", () => {}],
  ])("work-folder-replaced-by-symlink: %s in its place is refused, and nothing there is deleted", async (_, put) => {
    const path = await begin();
    const host = join(world.root, "host");
    write(host, { secret: "s" });
    if (setting.way === "overlay") execFileSync("umount", ["-l", path]);
    renameSync(path, `${path}.old`);
    put(path, host);
    await expect(world.bring()).rejects.toMatchObject(refusal(/Baton read nothing in it/));
    await expect(world.stray()).rejects.toMatchObject(refusal(/Baton read nothing in it/));
    await world.workspaces.remove(world.access, { runId, name: "w" });
    expect(readFileSync(join(host, "secret"), "utf8")).toBe("s");
    expect(existsSync(path)).toBe(false);
  });

  it("work-folder-replaced-by-symlink: the folder above it, and the attempt's repository, may not be a link either", async () => {
    const path = await begin();
    const attempt = dirname(path);
    const host = join(world.root, "host");
    write(host, { "work/secret": "s" });
    const repo = join(attempt, "repo.git");
    renameSync(repo, join(world.root, "moved.git"));
    symlinkSync(join(world.root, "moved.git"), repo);
    await expect(world.bring()).rejects.toMatchObject(refusal(/repo\.git is a link/));
    await world.workspaces.release();
    renameSync(attempt, `${attempt}.old`);
    symlinkSync(host, attempt);
    await expect(world.bring()).rejects.toMatchObject(refusal(/attempts\/w is a link/));
    await world.workspaces.remove(world.access, { runId, name: "w" });
    expect(readFileSync(join(host, "work", "secret"), "utf8")).toBe("s");
  });

  it("worktree-inside-the-tree: the main tree comes in, and commits elsewhere are kept and named", async () => {
    const path = await begin();
    const commit = (tree: string, name: string): string => {
      write(tree, { [name]: name });
      world.sh(tree, "add", name);
      world.sh(tree, "commit", "-qm", `Add ${name}`);
      return world.sh(tree, "rev-parse", "HEAD");
    };
    const expected: Record<string, string> = {};
    for (const [branch, place] of [
      ["one", ".worktrees/one"],
      ["two", ".claude/worktrees/two"],
      ["three", "src/deep/three"],
    ] as const) {
      world.sh(path, "worktree", "add", "-q", "-b", branch, place);
      expected[branch] = commit(join(path, place), `${branch}.js`);
    }
    world.sh(path, "worktree", "add", "-q", "--detach", join(dirname(path), "home", "four"));
    expected["worktree four"] = commit(join(dirname(path), "home", "four"), "four.js");
    write(path, { "a.txt": "stashed\n" });
    world.sh(path, "stash", "-q");
    expected["stash@{0}"] = world.sh(path, "rev-parse", "stash@{0}");
    write(path, { "a.txt": "ONE\n" });
    world.sh(path, "add", "-A");
    world.sh(path, "commit", "-qm", "Change a");
    const { headSha, files, aside = [], commits } = await world.bring();
    expect(files.map((file) => file.path)).toEqual(["a.txt"]);
    expect(commits).toBe(1);
    expect(Object.fromEntries(aside.map((one) => [one.name, one.headSha]))).toEqual(expected);
    await world.workspaces.remove(world.access, { runId, name: "w" });
    for (const sha of Object.values(expected))
      expect(await world.workspaces.isAncestor(world.access, world.base, sha)).toBe(true);
    expect(await world.workspaces.listFiles(world.access, headSha as string)).toHaveLength(4);
  });

  it("worktree-inside-the-tree: all of the work on another branch, with HEAD at the base again", async () => {
    const path = await begin();
    world.sh(path, "checkout", "-qb", "fix/it");
    write(path, { "a.txt": "ONE\n" });
    world.sh(path, "commit", "-qam", "Fix it");
    const sha = world.sh(path, "rev-parse", "HEAD");
    world.sh(path, "checkout", "-q", "--detach", world.base);
    expect(await world.bring()).toMatchObject({
      headSha: null,
      aside: [{ name: "fix/it", headSha: sha, commits: 1, ref: expect.stringContaining("refs/baton/aside/") }],
    });
  });

  it("a file of 1 TB is refused before it is read, wherever it is; one that git ignores is not", async () => {
    const path = await begin();
    const huge = (name: string): void => {
      write(path, { [name]: "" });
      truncateSync(join(path, name), 1024 ** 4);
    };
    huge("ignored/huge");
    huge("debug.log");
    expect(await world.bring()).toMatchObject({ headSha: null });
    for (const name of ["new", "a.txt", ".gitattributes", "src/.gitignore"]) {
      huge(name);
      await expect(world.bring()).rejects.toMatchObject(refusal(new RegExp(`"${name}" has 1099511627776 bytes`)));
      rmSync(join(path, name));
      if (name === "a.txt") write(path, { "a.txt": "one\n" });
    }
    huge("a.txt");
    expect(await world.stray()).toEqual(["a.txt"]);
  });

  it("what is no file stops nothing: fifos and sockets stay out, and in the place of a file they are refused", async () => {
    const path = await begin();
    execFileSync("mkfifo", [join(path, "pipe")]);
    expect(await world.bring()).toMatchObject({ headSha: null });
    rmSync(join(path, "a.txt"));
    execFileSync("mkfifo", [join(path, "a.txt")]);
    await expect(world.bring()).rejects.toMatchObject(refusal(/"a\.txt" is neither a file nor a link/));
    rmSync(join(path, "a.txt"));
    write(path, { "a.txt": "one\n" });
    execFileSync("mkfifo", [join(path, "src", ".gitignore")]);
    await expect(world.bring()).rejects.toMatchObject(refusal(/"src\/\.gitignore" is not a file/));
  });

  it("protected-file-in-a-commit-between: what a commit changes and a later one takes back is listed", async () => {
    const path = await begin();
    const commit = (message: string): void => {
      world.sh(path, "add", "-A");
      world.sh(path, "commit", "-qm", message);
    };
    const ci = ".github/workflows/ci.yml";
    write(path, { [ci]: "evil\n" });
    commit("one");
    world.sh(path, "checkout", "-q", "HEAD~1", "--", ci);
    commit("two");
    write(path, { "src/b.js": "TWO\n", "secret.bin": Buffer.from([0, 1, 2]) });
    commit("three");
    world.sh(path, "mv", ci, "ci.yml");
    chmodSync(join(path, "a.txt"), 0o755);
    rmSync(join(path, "secret.bin"));
    commit("four");
    world.sh(path, "mv", "ci.yml", ci);
    rmSync(join(path, "a.txt"));
    symlinkSync("src/b.js", join(path, "a.txt"));
    commit("five");
    rmSync(join(path, "a.txt"));
    write(path, { "a.txt": "one\n" });
    commit("six");
    const { files, commits } = await world.bring();
    expect(commits).toBe(6);
    expect(files.map((file) => file.path)).toEqual(["src/b.js", ci, "a.txt", "ci.yml", "secret.bin"]);
    expect(files.find((file) => file.path === "secret.bin")).toMatchObject({ added: null });
    expect(files.find((file) => file.path === ci)).toMatchObject({ added: 3, removed: 3 });
  });

  it("protected-file-in-a-commit-between: a file that was too large in one commit is refused", async () => {
    const path = await begin();
    write(path, { big: Buffer.alloc(importOptions.limits.blobBytesMax + 1, 1) });
    world.sh(path, "add", "big");
    world.sh(path, "commit", "-qm", "big");
    world.sh(path, "rm", "-q", "big");
    world.sh(path, "commit", "-qm", "gone");
    write(path, { "a.txt": "ONE\n" });
    await expect(world.bring()).rejects.toMatchObject(refusal(/"big" has 1000001 bytes/));
  });

  it("objects of another repository do not come in by alternates, links, grafts or replacements", async () => {
    const path = await begin();
    const repo = join(dirname(path), "repo.git");
    const other = join(world.root, "other");
    write(other, { secret: "of another repository\n" });
    world.sh(other, "init", "-q");
    world.sh(other, "add", "-A");
    world.sh(other, "commit", "-qm", "secret");
    const foreign = world.sh(other, "rev-parse", "HEAD");
    const alternates = join(repo, "objects", "info", "alternates");
    appendFileSync(alternates, `${join(other, ".git", "objects")}\n`);
    write(repo, {
      HEAD: `${foreign}\n`,
      "info/grafts": `${world.base} ${foreign}\n`,
      [`refs/replace/${world.base}`]: `${foreign}\n`,
    });
    expect(await world.bring()).toEqual({ headSha: null, commits: 0, files: [], rescued: false });
    expect(readFileSync(alternates, "utf8")).not.toContain("other");
    const [first = ""] = readdirSync(join(other, ".git", "objects")).filter((name) => name.length === 2);
    symlinkSync(join(other, ".git", "objects", first), join(repo, "objects", first));
    await expect(world.bring()).rejects.toMatchObject(refusal(/is not a file or folder of git's own/));
  });

  it("an attempt sees the objects that the remote gave, and not what other attempts made", async () => {
    const path = await begin();
    write(path, { "a.txt": "ONE\n" });
    const { headSha } = await world.bring();
    const other = await world.create("other");
    expect(() => world.sh(other.path, "cat-file", "-e", headSha as string)).toThrow();
    expect(other.readable).toEqual([join(world.root, "baton", "fetched", "7.git", "objects")]);
    expect(other.writable).toEqual(["work", "repo.git", "home"].map((part) => join(dirname(other.path), part)));
    const next = await world.workspaces.create(world.access, { runId, name: "next", baseSha: headSha as string });
    for (const args of [
      ["status"],
      ["log", "--stat"],
      ["stash", "list"],
      ["branch", "x"],
      ["worktree", "add", "-q", "wt"],
      ["gc", "-q"],
      ["fsck"],
    ])
      world.sh(next.path, ...args);
    expect(world.sh(next.path, "log", "--format=%s")).toBe("Save what was left\nfirst");
  });
});
