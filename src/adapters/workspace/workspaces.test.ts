import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitReader } from "../../../test/git-reader.ts";
import type { RunId } from "../../core/vocabulary.ts";
import type { ImportOptions, RepositoryAccess, Workspaces } from "../../ports/workspace.ts";
import { silentLog } from "../system/log.ts";
import { unmountBelow } from "./mounts.ts";
import { overlayObstacle } from "./probe-overlay.ts";
import { createWorkspaces } from "./workspaces.ts";

/** Why no overlay can be mounted here. Null: it can. */
const obstacle = await overlayObstacle(mkdtempSync(join(tmpdir(), "baton-probe-")));
it.skipIf(obstacle !== null)(`overlay mounts can be made here${obstacle === null ? "" : `: ${obstacle}`}`, () => {
  expect(obstacle).toBeNull();
});

describe.each(obstacle === null ? (["checkout", "overlay"] as const) : (["checkout"] as const))("by %s", (way) => {
  const runId = "run_0123456789abcdef" as RunId;
  let root: string;
  let remote: string;
  let access: RepositoryAccess;
  let workspaces: Workspaces;
  let base: string;

  const sh = (cwd: string, ...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=agent", "-c", "user.email=agent@example.com", ...args], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
    }).trim();

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "baton-workspaces-"));
    remote = join(root, "remote.git");
    const seed = join(root, "seed");
    mkdirSync(join(seed, "src"), { recursive: true });
    writeFileSync(join(seed, "src", "a.js"), "one\ntwo\n");
    writeFileSync(join(seed, ".gitignore"), "ignored/\n");
    sh(root, "init", "-q", "--bare", "-b", "main", remote);
    sh(seed, "init", "-q", "-b", "main");
    sh(seed, "add", "-A");
    sh(seed, "commit", "-qm", "first");
    sh(seed, "push", "-q", remote, "main");
    access = {
      repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
      url: remote,
      token: async () => null,
    };
    workspaces = createWorkspaces({ rootDir: join(root, "baton"), log: silentLog, way });
    base = await workspaces.fetch(access, "main");
  });
  afterEach(async () => {
    await unmountBelow(root);
    rmSync(root, { recursive: true, force: true });
  });

  const options: ImportOptions = {
    identity: { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" },
    trailers: ["Baton-Run: run_x", "Baton-Step: implement"],
    rescueSubject: "Save what was left",
    limits: { filesMax: 100, blobBytesMax: 1_000_000, importBytesMax: 5_000_000 },
  };
  const create = (name = "w") => workspaces.create(access, { runId, name, baseSha: base });
  const bring = (name = "w", change: Partial<ImportOptions> = {}) =>
    workspaces.import(access, { runId, name, baseSha: base }, { ...options, ...change });

  /** Exists while Baton makes or removes the tree. */
  const partial = (): string => join(root, "baton", "runs", runId, "partial", "w");

  describe("a workspace's life", () => {
    it("W3: an untouched tree gives no commit", async () => {
      await create();
      expect(await bring()).toEqual({ headSha: null, commits: 0, files: [], rescued: false });
    });

    it("W3: leftovers become one rescue commit with trailers, ignored files stay out", async () => {
      const { path } = await create();
      writeFileSync(join(path, "src", "a.js"), "one\nTWO\n");
      writeFileSync(join(path, "new file.txt"), "x\n");
      mkdirSync(join(path, "ignored"));
      writeFileSync(join(path, "ignored", "y"), "y");
      const result = await bring();
      expect(result).toMatchObject({ commits: 1, rescued: true });
      expect(result.files).toEqual([
        { path: "new file.txt", added: 1, removed: 0 },
        { path: "src/a.js", added: 1, removed: 1 },
      ]);
      await workspaces.push(access, { branch: "baton/issue-1", sha: result.headSha as string, expectedSha: null });
      expect(await gitReader(remote).commits("main..baton/issue-1")).toEqual([
        {
          sha: result.headSha,
          parents: [base],
          author: "baton[bot]",
          committer: "baton[bot]",
          subject: "Save what was left",
          trailers: options.trailers,
        },
      ]);
    });

    it("W3: what a step that only reads changed is told, committed or not, and nothing of it is taken in", async () => {
      const { path } = await create();
      const stray = () => workspaces.strayChanges(access, { runId, name: "w", baseSha: base });
      expect(await stray()).toEqual([]);
      writeFileSync(join(path, "b.js"), "b");
      sh(path, "add", "-A");
      sh(path, "commit", "-qm", "Add b");
      const sha = sh(path, "rev-parse", "HEAD");
      rmSync(join(path, "src", "a.js"));
      mkdirSync(join(path, "ignored"));
      writeFileSync(join(path, "ignored", "y"), "y");
      writeFileSync(join(path, "naïve\nname"), "n");
      expect(await stray()).toEqual(["b.js", "naïve\nname", "src/a.js"]);
      await workspaces.remove(access, { runId, name: "w" });
      expect(await stray()).toEqual([]);
      await expect(workspaces.listFiles(access, sha)).rejects.toThrow();
    });

    it("the agent's own commits keep message and order, and get Baton's author and trailers", async () => {
      const { path } = await create();
      for (const name of ["b", "c"]) {
        writeFileSync(join(path, `${name}.js`), name);
        sh(path, "add", "-A");
        sh(path, "commit", "-qm", `Add ${name}`);
      }
      const result = await bring();
      expect(result).toMatchObject({ commits: 2, rescued: false });
      await workspaces.push(access, { branch: "baton/x", sha: result.headSha as string, expectedSha: null });
      expect(await gitReader(remote).commits("main..baton/x")).toMatchObject([
        { sha: result.headSha, author: "baton[bot]", subject: "Add c", trailers: options.trailers },
        { parents: [base], author: "baton[bot]", subject: "Add b", trailers: options.trailers },
      ]);
    });

    it("IM2: a history that does not grow from the base becomes one commit on it", async () => {
      const { path } = await create();
      sh(path, "checkout", "-q", "--orphan", "other");
      writeFileSync(join(path, "z.js"), "z");
      sh(path, "add", "-A");
      sh(path, "commit", "-qm", "Orphan");
      const result = await bring();
      expect(result.commits).toBe(1);
      expect(await workspaces.isAncestor(access, base, result.headSha as string)).toBe(true);
    });

    it("odd names, modes and content come back byte by byte", async () => {
      const { path } = await create();
      const names = ["näme ünïcode.txt", "tab\tname", "new\nline", "-dash", "quote\"'name", "emoji👍"];
      for (const name of names) writeFileSync(join(path, name), Buffer.from([0, 255, 10, 13, 10]));
      writeFileSync(join(path, "run.sh"), "#!/bin/sh\n");
      chmodSync(join(path, "run.sh"), 0o755);
      symlinkSync("/etc/passwd", join(path, "link"));
      rmSync(join(path, "src", "a.js"));
      const { headSha, files } = await bring();
      expect(files.map((file) => file.path).sort()).toEqual([...names, "link", "run.sh", "src/a.js"].sort());
      await workspaces.push(access, { branch: "baton/odd", sha: headSha as string, expectedSha: null });
      expect(sh(remote, "ls-tree", "baton/odd", "link", "run.sh")).toMatch(/^120000 .*\n100755 /);
      expect(sh(remote, "cat-file", "blob", "baton/odd:link")).toBe("/etc/passwd");
    });

    it("is made anew after a crash half-way", async () => {
      const { path } = await create();
      writeFileSync(join(path, "half"), "x");
      const again = await create();
      expect(existsSync(join(again.path, "half"))).toBe(false);
      expect(readFileSync(join(again.path, "src", "a.js"), "utf8")).toBe("one\ntwo\n");
    });

    it("cut off by a crash while it was made: what is missing was not deleted by an agent", async () => {
      const { path } = await create();
      mkdirSync(dirname(partial()), { recursive: true });
      writeFileSync(partial(), "");
      rmSync(join(path, "src"), { recursive: true });
      expect(await bring()).toEqual({ headSha: null, commits: 0, files: [], rescued: false });
      expect(existsSync(join((await create()).path, "src", "a.js"))).toBe(true);
      expect(existsSync(partial())).toBe(false);
    });

    it("cut off by a crash while it was removed, or removed: the import before it is found again", async () => {
      const { path } = await create();
      writeFileSync(join(path, "new.js"), "new\n");
      const before = await bring();
      mkdirSync(dirname(partial()), { recursive: true });
      writeFileSync(partial(), "");
      rmSync(join(path, "src"), { recursive: true });
      expect(await bring()).toMatchObject({ headSha: before.headSha, commits: 1, files: before.files });
      await workspaces.remove(access, { runId, name: "w" });
      expect(await bring()).toMatchObject({ headSha: before.headSha, commits: 1, files: before.files });
    });

    it("32 at once: none is lost", async () => {
      const names = Array.from({ length: 32 }, (_, index) => `w${index}`);
      const results = await Promise.all(
        names.map(async (name) => {
          const { path } = await create(name);
          writeFileSync(join(path, `${name}.txt`), name);
          const result = await bring(name);
          await workspaces.remove(access, { runId, name });
          return result;
        }),
      );
      expect(results.map(({ files }) => files[0]?.path).sort()).toEqual(names.map((name) => `${name}.txt`).sort());
      for (const { headSha } of results)
        expect(await workspaces.isAncestor(access, base, headSha as string)).toBe(true);
    });
  });

  describe("push", () => {
    it("W5: a branch that somebody moved is not overwritten", async () => {
      const { path } = await create();
      writeFileSync(join(path, "x"), "x");
      const { headSha } = await bring();
      await expect(
        workspaces.push(access, {
          branch: "main",
          sha: headSha as string,
          expectedSha: "0".repeat(40).replace(/0$/, "1"),
        }),
      ).rejects.toMatchObject({ code: "BATON_BRANCH_MOVED" });
      await expect(
        workspaces.push(access, { branch: "main", sha: headSha as string, expectedSha: null }),
      ).rejects.toMatchObject({ code: "BATON_BRANCH_MOVED" });
      expect(await workspaces.remoteHead(access, "main")).toBe(base);
      expect(await gitReader(remote).refs()).toEqual({ "refs/heads/main": base });
    });

    it("done twice it is done once", async () => {
      const { path } = await create();
      writeFileSync(join(path, "x"), "x");
      const { headSha } = await bring();
      const push = () => workspaces.push(access, { branch: "baton/y", sha: headSha as string, expectedSha: null });
      await push();
      await push();
      expect(await workspaces.remoteHead(access, "baton/y")).toBe(headSha);
      const reader = gitReader(remote);
      expect(await reader.refs()).toEqual({ "refs/heads/baton/y": headSha, "refs/heads/main": base });
      expect(await reader.file("baton/y", "x")).toBe("x");
    });

    it.each(["../x", "-x", "a..b", "refs@{0}", "x.lock", "a b", ""])(
      "the branch name %j is refused",
      async (branch) => {
        await expect(workspaces.push(access, { branch, sha: base, expectedSha: null })).rejects.toMatchObject({
          code: "BATON_INPUT_INVALID",
        });
      },
    );
  });

  describe("W2: nothing of the agent's tree runs on the host", () => {
    const marker = () => join(root, "PWNED");
    const plant = (path: string): string => {
      const program = join(path, "evil.sh");
      writeFileSync(program, `#!/bin/sh\ntouch ${marker()}\ncat\n`);
      chmodSync(program, 0o755);
      return program;
    };
    const attacks: [string, (path: string, evil: string) => void][] = [
      [
        "a clean filter in the repository's config",
        (path, evil) => {
          sh(path, "config", "filter.x.clean", evil);
          writeFileSync(join(path, ".gitattributes"), "* filter=x\n");
        },
      ],
      ["fsmonitor", (path, evil) => void sh(path, "config", "core.fsmonitor", evil)],
      [
        "hooks",
        (path, evil) => {
          const hooks = join(path, "hooks");
          mkdirSync(hooks);
          for (const name of [
            "pre-commit",
            "post-commit",
            "post-checkout",
            "reference-transaction",
            "post-index-change",
          ])
            symlinkSync(evil, join(hooks, name));
          sh(path, "config", "core.hooksPath", hooks);
        },
      ],
      [
        "an include in the config",
        (path, evil) => {
          writeFileSync(join(path, "more"), `[core]\nfsmonitor = ${evil}\n[diff]\nexternal = ${evil}\n`);
          sh(path, "config", "include.path", join(path, "more"));
        },
      ],
      [
        "an external diff and textconv",
        (path, evil) => {
          sh(path, "config", "diff.external", evil);
          sh(path, "config", "diff.x.textconv", evil);
          writeFileSync(join(path, ".gitattributes"), "* diff=x\n");
        },
      ],
      [
        "a swapped .git pointer",
        (path, evil) => {
          const other = join(path, "other");
          mkdirSync(other);
          sh(other, "init", "-q");
          sh(other, "config", "core.fsmonitor", evil);
          rmSync(join(path, ".git"));
          writeFileSync(join(path, ".git"), `gitdir: ${join(other, ".git")}\n`);
          rmSync(join(path, ".git"));
          symlinkSync(join(other, ".git"), join(path, ".git"));
        },
      ],
      [
        "a bare repository in the tree",
        (path, evil) => {
          const bare = join(path, "bare");
          mkdirSync(join(bare, "refs"), { recursive: true });
          mkdirSync(join(bare, "objects"));
          writeFileSync(join(bare, "HEAD"), "ref: refs/heads/main\n");
          writeFileSync(join(bare, "config"), `[core]\nbare = true\nfsmonitor = ${evil}\n`);
        },
      ],
    ];
    it.each(attacks)("%s", async (_, attack) => {
      const { path } = await create();
      const evil = plant(path);
      attack(path, evil);
      rmSync(marker(), { force: true });
      writeFileSync(join(path, "work.txt"), "work");
      await bring().catch(() => {});
      await workspaces.remove(access, { runId, name: "w" });
      expect(existsSync(marker())).toBe(false);
    });

    it("IM3: a repository within the repository is refused, with its path", async () => {
      const { path } = await create();
      const inner = join(path, "vendor", "inner");
      mkdirSync(inner, { recursive: true });
      sh(inner, "init", "-q");
      writeFileSync(join(inner, "f"), "f");
      sh(inner, "add", "-A");
      sh(inner, "commit", "-qm", "inner");
      await expect(bring()).rejects.toMatchObject({
        code: "BATON_TREE_REFUSED",
        message: expect.stringContaining("vendor/inner"),
      });
    });

    it("IM3: too large a file and too many files are refused", async () => {
      const { path } = await create();
      writeFileSync(join(path, "big"), Buffer.alloc(2_000_000, 1));
      await expect(bring()).rejects.toMatchObject({
        code: "BATON_TREE_REFUSED",
        message: expect.stringContaining("big"),
      });
      await expect(bring("w", { limits: { ...options.limits, filesMax: 0 } })).rejects.toMatchObject({
        code: "BATON_TREE_REFUSED",
      });
    });

    it("W1: the quarantine repository has no remote and no credential", async () => {
      const { path } = await create();
      expect(sh(path, "remote")).toBe("");
      expect(() => sh(path, "config", "--get-regexp", "credential|http")).toThrow();
    });
  });

  describe("garbage collection", () => {
    it("W6: takes what is over, keeps what runs and what was not imported", async () => {
      await create();
      expect((await workspaces.collectGarbage(async () => true)).removed).toEqual([]);
      expect((await workspaces.collectGarbage(async () => false)).kept[0]).toContain("not imported");
      await workspaces.remove(access, { runId, name: "w" });
      expect((await workspaces.collectGarbage(async () => false)).removed).toEqual([runId]);
    });
  });

  describe("commits of several workspaces are joined", () => {
    const made = async (name: string, files: Record<string, string>, baseSha = base): Promise<string> => {
      const { path } = await workspaces.create(access, { runId, name, baseSha });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
      const { headSha } = await workspaces.import(access, { runId, name, baseSha }, options);
      return headSha as string;
    };
    const joinAll = (shas: string[], baseSha = base) =>
      workspaces.join(access, { runId, name: "join-0", baseSha, shas, message: "Join them" }, options);

    it("in order, by commits that keep what each was, and the same again", async () => {
      const one = await made("one", { "one.txt": "1\n" });
      const two = await made("two", { "two.txt": "2\n", "src/a.js": "one\n2\n" });
      const three = await made("three", { "three.txt": "3\n" });
      const joined = await joinAll([one, two, three]);
      expect(joined).toMatchObject({ joined: 3, conflict: null });
      expect((await workspaces.listFiles(access, joined.headSha)).sort()).toEqual(
        [".gitignore", "one.txt", "src/a.js", "three.txt", "two.txt"].sort(),
      );
      for (const sha of [one, two, three]) expect(await workspaces.isAncestor(access, sha, joined.headSha)).toBe(true);
      expect(sh(join(root, "baton", "trusted", "7.git"), "show", "-s", "--format=%an %cn|%B", joined.headSha)).toMatch(
        /^baton\[bot\] baton\[bot\]\|Join them/,
      );
      expect(await joinAll([one, two, three])).toEqual(joined);
      // Later work begins there and builds on it.
      const four = await made("four", { "four.txt": "4\n" }, joined.headSha);
      expect(await workspaces.diffStat(access, joined.headSha, four)).toEqual([
        { path: "four.txt", added: 1, removed: 0 },
      ]);
    });

    it("protected-paths-allowed-unseen: the diff and the content of named paths alone, each taken literally", async () => {
      const path = "[a]*.yml";
      const head = await made("literal", { [path]: "on: push\n", "abc.yml": "x\n", "src/a.js": "one\n2\n" });
      const names = [path, "src/a.js", "absent"];
      const states = await workspaces.pathStates(access, head, names);
      expect(states.map(({ path: name, mode }) => [name, mode])).toEqual([
        [path, "100644"],
        ["src/a.js", "100644"],
        ["absent", null],
      ]);
      expect(states[0]?.blob).toBe(sh(join(root, "baton", "trusted", "7.git"), "rev-parse", `${head}:${path}`));
      expect((await workspaces.pathStates(access, base, names))[0]).toEqual({ path, mode: null, blob: null });
      const { text } = await workspaces.diff(access, base, head, 10_000, [path]);
      expect(text).toContain("+on: push");
      expect(text).not.toMatch(/abc\.yml|src\/a\.js/);
    });

    it("up to the first conflict, which is told with its paths; nothing is merged half", async () => {
      const one = await made("one", { "src/a.js": "ONE\ntwo\n" });
      const two = await made("two", { "src/a.js": "Uno\ntwo\n", "two.txt": "2\n" });
      expect(await joinAll([one, two])).toEqual({
        headSha: one,
        joined: 1,
        conflict: { sha: two, paths: ["src/a.js"] },
      });
    });

    it("one alone, and one that is already in, make no commit", async () => {
      const one = await made("one", { "one.txt": "1\n" });
      expect(await joinAll([one])).toEqual({ headSha: one, joined: 1, conflict: null });
      expect(await joinAll([one, base])).toEqual({ headSha: one, joined: 2, conflict: null });
    });
  });
});
