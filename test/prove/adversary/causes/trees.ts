/** Files that an agent, or a repository, plants in its tree and its git directory. Real git in real attempts. */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";
import { type AgentPlace, attempt, gitBench, importOptions, inTrusted, sh, tryGit, write } from "../git-bench.ts";

/** Commits an agent's files as a careless bot does. */
function porcelain({ work }: AgentPlace): void {
  tryGit(work, ["status"]);
  tryGit(work, ["add", "-A"]);
  tryGit(work, ["diff", "--cached"]);
  tryGit(work, ["commit", "-qm", "work"]);
}

const ran = (guarded: boolean, agent: (place: AgentPlace) => void): Promise<string | null> =>
  attempt(agent, guarded ? null : porcelain).then((outcome) =>
    outcome.ran ? "a planted program ran on the host" : null,
  );

interface Planted {
  key: string;
  where: "config" | "config.worktree" | "include" | "home";
}
const keys = [
  "core.fsmonitor",
  "filter.x.clean",
  "filter.x.process",
  "diff.external",
  "diff.x.textconv",
  "diff.x.command",
  "core.pager",
  "core.editor",
  "core.hooksPath",
  "gpg.program",
  "core.sshCommand",
  "credential.helper",
  "sequence.editor",
  "core.alternateRefsCommand",
] as const;
const configured = defineCause<Planted>({
  name: "programs that git's configuration names",
  surface: "agent",
  guard: "src/adapters/workspace/git-command.ts GC1, import-commits.ts IM1: no configuration of an agent is read",
  fixed: [
    { key: "core.fsmonitor", where: "config" },
    { key: "filter.x.clean", where: "config" },
    { key: "core.fsmonitor", where: "include" },
  ],
  draw: (draw) => ({ key: draw.one(keys), where: draw.one(["config", "config.worktree", "include", "home"]) }),
  attack: ({ key, where }, guarded) =>
    ran(guarded, ({ work, gitDir, home, root, program }) => {
      const hooks = join(dirname(program), `hooks-${program.split("-").at(-1)}`);
      mkdirSync(hooks, { recursive: true });
      for (const hook of ["pre-commit", "post-index-change", "reference-transaction"]) {
        writeFileSync(join(hooks, hook), `#!/bin/sh\n${program} </dev/null\n`, { mode: 0o755 });
      }
      const value = key === "core.hooksPath" ? hooks : program;
      const more = key === "gpg.program" ? ["commit.gpgSign", "true"] : null;
      const included = join(root, `${program.split("/").at(-1)}.config`);
      const files = {
        config: join(gitDir, "config"),
        "config.worktree": join(gitDir, "config.worktree"),
        include: included,
        home: join(home, ".gitconfig"),
      };
      for (const [name, text] of [[key, value], ...(more === null ? [] : [more])] as [string, string][])
        sh(work, ["config", "-f", files[where], name, text]);
      if (where === "include") sh(work, ["config", "-f", files.config, "include.path", included]);
      if (where === "config.worktree") sh(work, ["config", "-f", files.config, "extensions.worktreeConfig", "true"]);
      write(work, ".gitattributes", "* filter=x diff=x\n");
      write(work, "src/a.js", "one\nTWO\n");
    }),
  atOnce: 3,
  slow: true,
});

const hookNames = [
  "pre-commit",
  "post-commit",
  "post-checkout",
  "post-index-change",
  "reference-transaction",
  "pre-auto-gc",
  "post-rewrite",
  "commit-msg",
  "prepare-commit-msg",
  "pre-push",
  "update",
  "post-receive",
  "proc-receive",
];
const hooks = defineCause<{ hook: string; where: "hooks" | "common" | "tree" }>({
  name: "hooks in a repository that an agent can write",
  surface: "agent",
  guard: "src/adapters/workspace/git-command.ts: core.hooksPath is nowhere",
  fixed: [
    { hook: "pre-commit", where: "hooks" },
    { hook: "reference-transaction", where: "hooks" },
  ],
  draw: (draw) => ({ hook: draw.one(hookNames), where: draw.one(["hooks", "common", "tree"]) }),
  attack: ({ hook, where }, guarded) =>
    ran(guarded, ({ work, gitDir, program }) => {
      const directory =
        where === "tree"
          ? join(work, ".githooks")
          : join(
              where === "hooks" ? gitDir : sh(work, ["rev-parse", "--path-format=absolute", "--git-common-dir"]),
              "hooks",
            );
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, hook), `#!/bin/sh\n${program} </dev/null\n`, { mode: 0o755 });
      if (where === "tree") sh(work, ["config", "-f", join(gitDir, "config"), "core.hooksPath", ".githooks"]);
      write(work, "src/a.js", "one\nTWO\n");
    }),
  atOnce: 3,
  slow: true,
});

const nested = defineCause<{ folder: string; kind: "filter" | "fsmonitor" | "process" }>({
  name: "program in the configuration of a repository within the tree",
  surface: "agent",
  guard: "src/adapters/workspace/leftover-tree.ts: nested repositories are found without starting git in them",
  fixed: [
    { folder: "vendor/lib", kind: "fsmonitor" },
    { folder: "vendor/lib", kind: "filter" },
    { folder: "vendor/lib", kind: "process" },
  ],
  draw: (draw) => ({
    folder: draw.one([draw.word(), `${draw.word()}/${draw.word()}`, `.${draw.word()}`, `src/${draw.word()}`]),
    kind: draw.one(["filter", "fsmonitor", "process"]),
  }),
  attack: ({ folder, kind }, guarded) =>
    ran(guarded, ({ work, program }) => {
      const inner = join(work, folder);
      write(inner, "f.txt");
      sh(inner, ["init", "-q"]);
      sh(inner, ["add", "-A"]);
      sh(inner, ["commit", "-qm", "inner"]);
      // In the index of the outer repository, so that git looks into it.
      tryGit(work, ["add", folder]);
      write(inner, ".gitattributes", "* filter=x\n");
      write(inner, "f.txt", "changed\n");
      const key = { filter: "filter.x.clean", fsmonitor: "core.fsmonitor", process: "filter.x.process" }[kind];
      sh(inner, ["config", key, program]);
    }),
  atOnce: 3,
  slow: true,
});

const pointer = defineCause<{ how: "file" | "directory" | "link" | "bare"; name: string }>({
  name: "git directory of the tree replaced by another",
  surface: "agent",
  guard: "src/adapters/workspace/git-command.ts: the git directory is named, never discovered",
  fixed: [
    { how: "file", name: "evil" },
    { how: "directory", name: "evil" },
  ],
  draw: (draw) => ({ how: draw.one(["file", "directory", "link", "bare"]), name: draw.word() }),
  attack: ({ how, name }, guarded) =>
    ran(guarded, ({ work, home, program }) => {
      const evil = join(home, `${name}.git`);
      sh(home, ["init", "-q", "--bare", evil]);
      sh(evil, ["config", "-f", join(evil, "config"), "core.fsmonitor", program]);
      sh(evil, ["config", "-f", join(evil, "config"), "core.bare", "false"]);
      rmSync(join(work, ".git"), { recursive: true, force: true });
      if (how === "file") writeFileSync(join(work, ".git"), `gitdir: ${evil}\n`);
      else if (how === "link") symlinkSync(evil, join(work, ".git"));
      else if (how === "directory") renameSync(evil, join(work, ".git"));
      else {
        // A bare repository directly in the tree: git finds it by its files.
        for (const part of ["HEAD", "config", "objects", "refs"]) renameSync(join(evil, part), join(work, part));
      }
      write(work, "src/a.js", "one\nTWO\n");
    }),
  atOnce: 3,
  slow: true,
});

const canary = "canary-of-the-host";
async function contents(sha: string | null): Promise<string> {
  return sha === null
    ? ""
    : inTrusted(["log", "-p", "--no-color", "--text", "-m", "--first-parent", "--format=%H", `${sha}`]);
}

interface Replaced {
  how: "link" | "renamed" | "parent";
  target: "host" | "neighbour";
  name: string;
}
const folder = defineCause<Replaced>({
  name: "work folder replaced by something else",
  surface: "agent",
  guard: "src/adapters/workspace/attempt-place.ts AP1: device, inode and type are compared before anything is read",
  fixed: [{ how: "link", target: "host", name: "host" }],
  draw: (draw) => ({
    how: draw.one(["link", "renamed", "parent"]),
    target: draw.one(["host", "neighbour"]),
    name: draw.word(),
  }),
  async attack({ how, target, name }, guarded) {
    const bench = await gitBench();
    const secret = join(bench.root, `${name}-${how}-${target}`);
    write(secret, target === "host" ? "passwd" : "work/passwd", canary);
    let took = "";
    const { result, place } = await attempt(
      ({ work }) => {
        const source = target === "host" ? secret : join(secret, "work");
        if (how === "parent") {
          const parent = dirname(work);
          renameSync(parent, `${parent}.old`);
          symlinkSync(target === "host" ? dirname(secret) : secret, parent);
          return;
        }
        renameSync(work, `${work}.old`);
        if (how === "link") symlinkSync(source, work);
        else renameSync(source, work);
      },
      guarded
        ? null
        : ({ work, gitDir }) => {
            const old = how === "parent" ? gitDir.replace(dirname(work), `${dirname(work)}.old`) : gitDir;
            const env = { GIT_DIR: old, GIT_WORK_TREE: work };
            tryGit(bench.root, ["add", "-A"], env);
            took = tryGit(bench.root, ["diff", "--cached"], env);
          },
    );
    rmSync(secret, { recursive: true, force: true });
    rmSync(`${how === "parent" ? dirname(place.work) : place.work}.old`, { recursive: true, force: true });
    const found = guarded ? await contents(result?.headSha ?? null) : took;
    return found.includes(canary) ? "a file of the host is in the commit" : null;
  },
});

interface Link {
  at: string;
  to: "file" | "folder" | "up";
}
const links = defineCause<Link>({
  name: "links that lead out of the tree",
  surface: "agent",
  guard: "src/adapters/workspace/leftover-tree.ts: a link is kept as a link, and nothing is read through it",
  fixed: [
    { at: "notes", to: "file" },
    { at: "src", to: "folder" },
  ],
  draw: (draw) => ({
    at: draw.one([draw.word(), `src/${draw.word()}`, "src", `${draw.word()}/${draw.word()}`]),
    to: draw.one(["file", "folder", "up"]),
  }),
  async attack({ at, to }, guarded) {
    const { root } = await gitBench();
    const outside = join(root, "outside-of-it");
    write(outside, "secret.txt", canary);
    let took = "";
    const { result } = await attempt(
      ({ work }) => {
        rmSync(join(work, at), { recursive: true, force: true });
        mkdirSync(dirname(join(work, at)), { recursive: true });
        const target =
          to === "file"
            ? join(outside, "secret.txt")
            : to === "folder"
              ? outside
              : join(work, "..", "..", "..", "..", "..", "..", "outside-of-it");
        symlinkSync(target, join(work, at));
        write(work, "own.txt");
      },
      guarded
        ? null
        : ({ work }) => {
            // As in a copy of the tree.
            const copied = tryGit(
              work,
              ["diff", "--no-index", "/dev/null", to === "file" ? at : `${at}/secret.txt`],
              {},
            );
            took = copied === "" ? canaryThrough(join(work, at), to) : copied;
          },
    );
    const found = guarded ? await contents(result?.headSha ?? null) : took;
    return found.includes(canary) ? "a file outside of the tree is in the commit" : null;
  },
  atOnce: 3,
  slow: true,
});

function canaryThrough(path: string, to: Link["to"]): string {
  return sh(
    "/",
    ["hash-object", "--stdin-paths"],
    { GIT_DIR: "/nonexistent" },
    `${to === "file" ? path : join(path, "secret.txt")}\n`,
  ) === ""
    ? ""
    : canary;
}

interface Size {
  what: "large" | "many" | "sum" | "sparse" | "committed";
  amount: number;
}
const sizes = defineCause<Size>({
  name: "files too large or too many",
  surface: "agent",
  guard: "src/adapters/workspace/leftover-tree.ts, check-commits.ts: sizes are checked before anything is read",
  fixed: [
    { what: "sparse", amount: 2 ** 40 },
    { what: "large", amount: 1_000_001 },
    { what: "many", amount: 51 },
    { what: "committed", amount: 1_200_000 },
    { what: "sum", amount: 4 },
  ],
  draw: (draw) =>
    draw.one<Size>([
      { what: "large", amount: draw.whole(1_000_001, 2_000_000) },
      { what: "many", amount: draw.whole(51, 120) },
      { what: "sum", amount: draw.whole(4, 6) },
      { what: "sparse", amount: draw.whole(2 ** 31, 2 ** 43) },
      { what: "committed", amount: draw.whole(1_000_001, 1_800_000) },
    ]),
  async attack({ what, amount }, guarded) {
    // Nobody needs to read a terabyte to show the effect without the guard.
    const size = guarded ? amount : Math.min(amount, 2_000_000);
    const off = { limits: { filesMax: 1e9, blobBytesMax: 1e15, importBytesMax: 1e15 } };
    const { result } = await attempt(
      ({ work }) => {
        if (what === "many") for (let index = 0; index < size; index += 1) write(work, `many/${index}`);
        else if (what === "sum")
          for (let index = 0; index < size; index += 1) write(work, `sum/${index}`, Buffer.alloc(900_000, `${index}`));
        else {
          write(work, "big");
          truncateSync(join(work, "big"), size);
        }
        if (what === "committed") {
          sh(work, ["add", "-A"]);
          sh(work, ["commit", "-qm", "big"]);
          rmSync(join(work, "big"));
          write(work, "small");
          sh(work, ["add", "-A"]);
          sh(work, ["commit", "-qm", "small"]);
        }
      },
      null,
      guarded ? importOptions : off,
    );
    return result?.headSha == null ? null : "imported";
  },
  atOnce: 3,
  slow: true,
});

const likeGit = [
  ".git",
  ".GIT",
  ".Git",
  "git~1",
  ".git ",
  ".git.",
  ".g\u200cit",
  ".g\u200dit",
  ".gi\u200et",
  "GIT~1",
  ".git::$INDEX_ALLOCATION",
  "..",
  ".",
];
const gitNames = defineCause<{ name: string; inner: string; depth: number }>({
  name: "names that a file system takes for .git or for the folder above",
  surface: "agent",
  guard: "src/adapters/workspace/git-command.ts: fsck of every object that enters, for every file system",
  fixed: likeGit.slice(0, 4).map((name) => ({ name, inner: "config", depth: 0 })),
  draw: (draw) => ({
    name: draw.one(likeGit),
    inner: draw.one(["config", "hooks", "HEAD", draw.word()]),
    depth: draw.whole(0, 3),
  }),
  async attack({ name, inner, depth }, guarded) {
    let entered = false;
    const { result } = await attempt(
      ({ work, gitDir, base }) => {
        const env = { GIT_DIR: gitDir };
        const blob = sh(work, ["hash-object", "-w", "--stdin"], env, "evil\n");
        let tree = sh(work, ["mktree"], env, `100644 blob ${blob}\t${inner}\n`);
        tree = sh(work, ["mktree"], env, `040000 tree ${tree}\t${name}\n`);
        for (let level = 0; level < depth; level += 1)
          tree = sh(work, ["mktree"], env, `040000 tree ${tree}\td${level}\n`);
        const commit = sh(work, ["commit-tree", tree, "-p", base, "-m", "work"], env);
        sh(work, ["update-ref", "--no-deref", "HEAD", commit], env);
        rmSync(join(work, "src"), { recursive: true, force: true });
      },
      guarded
        ? null
        : ({ work, gitDir, root }) => {
            const bare = join(root, "unguarded.git");
            tryGit(root, ["init", "-q", "--bare", bare]);
            const head = sh(work, ["rev-parse", "HEAD"], { GIT_DIR: gitDir });
            tryGit(bare, ["-c", "fetch.fsckObjects=false", "fetch", "-q", gitDir, `+${head}:refs/heads/in`], {
              GIT_DIR: bare,
            });
            entered = tryGit(bare, ["rev-parse", "--verify", "-q", "refs/heads/in"], { GIT_DIR: bare }) === head;
          },
    );
    if (!guarded) return entered ? "the name is in the repository" : null;
    if (result?.headSha == null) return null;
    const names = (await inTrusted(["ls-tree", "-r", "-t", "-z", "--name-only", result.headSha])).split("\0");
    return names.some((path) => path.split("/").includes(name)) ? "the name is in the repository" : null;
  },
  atOnce: 3,
  slow: true,
});

const shellNames = (draw: Draw, mark: string): string =>
  draw.one([
    `$(touch ${mark})`,
    `\`touch ${mark}\``,
    `;touch ${mark};`,
    `x\ntouch ${mark}\n`,
    `|touch ${mark}`,
    `&touch ${mark}&`,
    `-rf ${draw.word()}`,
    `--output=${draw.word()}`,
    `"'${draw.word()}`,
    `*?[${draw.word()}]`,
    ` ${draw.word()} `,
    `\t${draw.word()}`,
    `na\u00efve\u{1f600}${draw.word()}`,
    `${draw.word(200)}`,
    `%s%n${draw.word()}`,
    `:(glob)${draw.word()}`,
    `:!${draw.word()}`,
    `@{${draw.word()}}`,
  ]);
const fileNames = defineCause<string>({
  name: "file names that a shell, an option parser or git would read",
  surface: "agent",
  guard: "src/adapters/workspace: NUL-separated plumbing, no shell, paths after `--`",
  fixed: ["$(touch MARK)", ";touch MARK;", "-rf", ":(glob)x", "x\ny"],
  draw: (draw) => shellNames(draw, "MARK"),
  async attack(name, guarded) {
    const path = name.replaceAll("/", "_");
    let exact = true;
    const outcome = await attempt(
      ({ work, mark, root }) => {
        // The name has no slash, so the program plants it where the mark needs none.
        writeFileSync(join(work, path.replaceAll("MARK", mark.slice(root.length + 1))), "x\n");
      },
      guarded
        ? null
        : ({ work, mark, root }) => {
            const own = path.replaceAll("MARK", mark.slice(root.length + 1));
            try {
              chmodSync(work, 0o755);
              // As `git add ${name}` in a shell.
              const listed = shell(root, `ls -d ${own}`);
              exact = listed === own;
            } catch {
              exact = false;
            }
          },
    );
    if (!guarded) return outcome.ran || !exact ? "the name was read" : null;
    if (outcome.ran) return "a program ran";
    const own = path.replaceAll("MARK", outcome.place.mark.slice(outcome.place.root.length + 1));
    const listed = outcome.result?.files.map((file) => file.path) ?? [];
    if (outcome.refused !== null) return null;
    return listed.length === 1 && listed[0] === own ? null : `came in as ${JSON.stringify(listed)}`;
  },
  atOnce: 3,
  slow: true,
});

function shell(cwd: string, line: string): string {
  return tryGit(cwd, ["-c", `alias.run=!cd '${cwd}' && ${line}`, "run"]);
}

const branchNames = defineCause<string>({
  name: "branch names that are options, paths or other refs",
  surface: "repository",
  guard: "src/adapters/workspace/remote-branches.ts: what git does not take for a branch name is refused",
  fixed: ["--upload-pack=touch MARK", "--receive-pack=touch MARK", "../../heads/main", "a..b", "x.lock"],
  draw: (draw) =>
    draw.one([
      `--${draw.one(["upload-pack", "exec", "receive-pack"])}=touch MARK`,
      `-${draw.word(1)}${draw.word()}`,
      `${draw.word()}..${draw.word()}`,
      `${draw.word()}/../${draw.word()}`,
      `${draw.word()}.lock`,
      `${draw.word()}@{${draw.whole(0, 9)}}`,
      `${draw.word()}~${draw.whole(1, 9)}`,
      `${draw.word()}^{commit}`,
      `${draw.word()}:refs/heads/main`,
      `+${draw.word()}:main`,
      `${draw.word()} ${draw.word()}`,
      `${draw.word()}\n${draw.word()}`,
      `${draw.word()}?*[`,
      `/${draw.word()}`,
      `${draw.word()}//${draw.word()}`,
      `${draw.word()}.`,
      `.${draw.word()}`,
      "@",
      "",
    ]),
  async attack(name, guarded) {
    const { root, remote, workspaces, access, base, data } = await gitBench();
    const mark = join(root, "mark-branch");
    const branch = name.replaceAll("MARK", mark);
    const before = sh(remote, ["for-each-ref", "--format=%(refname) %(objectname)"], { GIT_DIR: remote });
    if (guarded) {
      await workspaces.fetch(access, branch).catch(() => {});
      await workspaces.push(access, { branch, sha: base, expectedSha: null }).catch(() => {});
    } else {
      tryGit(data, ["fetch", "-q", remote, branch], { GIT_DIR: join(data, "trusted", "7.git") });
      tryGit(data, ["push", "-q", remote, branch.startsWith("-") ? branch : `${base}:${branch}`], {
        GIT_DIR: join(data, "trusted", "7.git"),
      });
      tryGit(data, ["ls-remote", branch, remote], { GIT_DIR: join(data, "trusted", "7.git") });
    }
    const after = sh(remote, ["for-each-ref", "--format=%(refname) %(objectname)"], { GIT_DIR: remote });
    const mine = after.split("\n").filter((line) => !before.includes(line));
    const touched = tryExists(mark);
    rmSync(mark, { force: true });
    for (const line of mine) tryGit(remote, ["update-ref", "-d", line.split(" ")[0] ?? ""], { GIT_DIR: remote });
    if (touched) return "a program ran";
    const odd = mine.filter((line) => line !== `refs/heads/${branch} ${base}`);
    return odd.length === 0 ? null : `the remote has ${odd.join(", ")}`;
  },
  slow: true,
});

function tryExists(path: string): boolean {
  try {
    truncateSync(path);
    return true;
  } catch {
    return false;
  }
}

const gitlinks = defineCause<{ folder: string; url: string; committed: boolean }>({
  name: "submodules and gitlinks",
  surface: "agent",
  guard: "src/adapters/workspace/check-commits.ts IM3: a repository within the repository is refused by name",
  fixed: [{ folder: "lib", url: "ext::sh -c touch% MARK", committed: true }],
  draw: (draw) => ({
    folder: draw.one([draw.word(), `src/${draw.word()}`, `${draw.word()}/${draw.word()}`]),
    url: draw.one([
      "ext::sh -c touch% MARK",
      "file:///etc",
      "-u./evil",
      "git://evil.example/x",
      "ssh://-oProxyCommand=touch% MARK/x",
      "../../..",
      `https://${draw.word()}.example/x`,
    ]),
    committed: draw.flip(),
  }),
  async attack({ folder, url, committed }, guarded) {
    let hidden = false;
    const outcome = await attempt(
      ({ work, mark, base }) => {
        write(work, ".gitmodules", `[submodule "x"]\n\tpath = ${folder}\n\turl = ${url.replaceAll("MARK", mark)}\n`);
        write(join(work, folder), "f.txt");
        if (committed) {
          sh(work, ["add", ".gitmodules"]);
          sh(work, ["update-index", "--add", "--cacheinfo", `160000,${base},${folder}`]);
          sh(work, ["commit", "-qm", "module"]);
        } else {
          sh(join(work, folder), ["init", "-q"]);
          sh(join(work, folder), ["add", "-A"]);
          sh(join(work, folder), ["commit", "-qm", "inner"]);
        }
      },
      guarded
        ? null
        : ({ work }) => {
            porcelain({ work } as AgentPlace);
            hidden = tryGit(work, ["ls-tree", "-r", "HEAD"]).includes("160000");
          },
    );
    if (outcome.ran) return "a program ran";
    if (!guarded) return hidden ? "a gitlink was committed" : null;
    if (outcome.result?.headSha == null) return null;
    return (await inTrusted(["ls-tree", "-r", outcome.result.headSha])).includes("160000 ")
      ? "a gitlink was imported"
      : null;
  },
  atOnce: 3,
  slow: true,
});

const heads = defineCause<{ head: string }>({
  name: "HEAD that leads elsewhere",
  surface: "agent",
  guard: "src/adapters/workspace/attempt-repository.ts: HEAD is read as text, within the attempt's own refs",
  fixed: [
    { head: "ref: refs/heads/orphan" },
    { head: "TAG" },
    { head: "ref: refs/heads/../../../../config" },
    { head: `${"0".repeat(40)}` },
  ],
  draw: (draw) => ({
    head: draw.one([
      "ref: refs/heads/orphan",
      `ref: ../${draw.word()}`,
      `ref: refs/heads/${draw.word()}/../orphan`,
      "TREE",
      "BLOB",
      "TAG",
      `${draw.whole(1, 9)}`.repeat(40),
      `ref: /etc/${draw.word()}`,
      `-${draw.word()}`,
      `--all ${draw.word()}`,
      `ref: refs/heads/orphan\nref: refs/heads/main ${draw.word()}`,
    ]),
  }),
  async attack({ head }, guarded) {
    let believed = "";
    const outcome = await attempt(
      ({ work, gitDir }) => {
        const env = { GIT_DIR: gitDir };
        const blob = sh(work, ["hash-object", "-w", "--stdin"], env, "orphan\n");
        const tree = sh(work, ["mktree"], env, `100644 blob ${blob}\torphan.txt\n`);
        const orphan = sh(work, ["commit-tree", tree, "-m", "orphan"], env);
        sh(work, ["update-ref", "refs/heads/orphan", orphan], env);
        const tag = sh(work, ["mktag"], env, `object ${orphan}\ntype commit\ntag t\ntagger a <a@b> 1 +0000\n\nx\n`);
        const text = head.replace("TREE", tree).replace("BLOB", blob).replace("TAG", tag);
        writeFileSync(join(gitDir, "HEAD"), `${text}\n`);
        write(work, "src/b.js", "new\n");
      },
      guarded
        ? null
        : ({ work, gitDir }) => {
            believed = tryGit(work, ["rev-parse", "--verify", "-q", "HEAD^{commit}"], { GIT_DIR: gitDir });
          },
    );
    const { base } = outcome.place;
    if (!guarded) {
      // The history of HEAD contains nothing of the base.
      return believed !== "" && believed !== base ? `HEAD is believed: ${believed}` : null;
    }
    const sha = outcome.result?.headSha ?? null;
    if (sha === null) return null;
    const roots = await inTrusted(["rev-list", "--max-parents=0", sha]);
    const parent = await inTrusted(["merge-base", base, sha]);
    return roots.split("\n").length === 1 && parent === base ? null : "the result does not come from the base";
  },
  atOnce: 3,
  slow: true,
});

const forged = defineCause<{ how: "replace" | "graft" | "shallow" | "assume" | "skip" | "exclude"; path: string }>({
  name: "git told to see less than there is",
  surface: "agent",
  guard: "src/adapters/workspace/git-command.ts, leftover-tree.ts: no replacements, grafts or index of an agent",
  fixed: [
    { how: "replace", path: "src/a.js" },
    { how: "assume", path: "src/a.js" },
    { how: "exclude", path: "hidden.js" },
  ],
  draw: (draw) => {
    const how = draw.one(["replace", "graft", "shallow", "assume", "skip", "exclude"] as const);
    return { how, path: how === "exclude" ? `${draw.word()}.js` : "src/a.js" };
  },
  async attack({ how, path }, guarded) {
    let shown = true;
    const changed = `changed-${how}\n`;
    const outcome = await attempt(
      ({ work, gitDir, base }) => {
        write(work, path, changed);
        if (how === "replace" || how === "graft" || how === "shallow") {
          sh(work, ["add", "-A"]);
          sh(work, ["commit", "-qm", "work"]);
          const head = sh(work, ["rev-parse", "HEAD"]);
          if (how === "replace") sh(work, ["update-ref", `refs/replace/${base}`, head]);
          if (how === "graft") write(gitDir, "info/grafts", `${head}\n`);
          if (how === "shallow") write(gitDir, "shallow", `${head}\n`);
        } else if (how === "assume") sh(work, ["update-index", "--assume-unchanged", path]);
        else if (how === "skip") sh(work, ["update-index", "--skip-worktree", path]);
        else write(gitDir, "info/exclude", `${path}\n`);
      },
      guarded
        ? null
        : ({ work, base }) => {
            tryGit(work, ["add", "-A"]);
            shown = tryGit(work, ["diff", "--cached", "--name-only", base]).split("\n").includes(path);
          },
    );
    if (!guarded) return shown ? null : `${path} is not shown`;
    if (outcome.refused !== null) return null;
    const listed = outcome.result?.files.map((file) => file.path) ?? [];
    return listed.includes(path) ? null : `${path} is not among what changed: ${JSON.stringify(listed)}`;
  },
  atOnce: 3,
  slow: true,
});

const between = defineCause<{ path: string; how: "removed" | "reverted" | "merged" }>({
  name: "protected file in a commit between",
  surface: "agent",
  guard: "src/adapters/workspace/check-commits.ts CC1: every commit between base and head counts",
  fixed: [{ path: ".github/workflows/x.yml", how: "removed" }],
  draw: (draw) => ({
    path: draw.one([
      `.github/workflows/${draw.word()}.yml`,
      "CODEOWNERS",
      "baton.yaml",
      `.github/${draw.word()}`,
      `${draw.word()}/AGENTS.md`,
    ]),
    how: draw.one(["removed", "reverted", "merged"]),
  }),
  async attack({ path, how }, guarded) {
    let seen = true;
    const outcome = await attempt(
      ({ work }) => {
        const commit = (message: string): void => {
          sh(work, ["add", "-A", "-f"]);
          sh(work, ["commit", "-qm", message]);
        };
        write(work, path, "evil\n");
        commit("one");
        if (how === "reverted") sh(work, ["revert", "--no-edit", "HEAD"]);
        else {
          rmSync(join(work, path));
          commit("two");
        }
        if (how === "merged") {
          sh(work, ["checkout", "-q", "-b", "side", "HEAD~2"]);
          write(work, "side.txt");
          commit("side");
          tryGit(work, ["merge", "-q", "--no-edit", "HEAD@{2}"]);
        }
        write(work, "src/b.js", "new\n");
        commit("three");
      },
      guarded
        ? null
        : ({ work, base }) => {
            seen = tryGit(work, ["diff", "--name-only", base, "HEAD"]).includes(path);
          },
    );
    if (!guarded) return seen ? null : `${path} is not seen`;
    const { result } = outcome;
    if (result?.headSha == null) return null;
    const pushed = await inTrusted(["log", "-m", "--format=", "--name-only", result.headSha, `^${outcome.place.base}`]);
    if (!pushed.includes(path)) return null;
    return result.files.some((file) => file.path === path) ? null : `${path} is pushed and not told`;
  },
  atOnce: 3,
  slow: true,
});

interface Redirect {
  file: "config" | "hook" | "alternates" | "commondir" | "HEAD" | "worktree";
  key: string;
}
const redirect = defineCause<Redirect>({
  name: "Baton's own repository changed by an agent",
  surface: "agent",
  guard: "src/adapters/workspace/own-repository.ts OR1: put right before each use",
  fixed: [
    { file: "config", key: "url.EVIL.insteadOf" },
    { file: "config", key: "url.EVIL.pushInsteadOf" },
    { file: "hook", key: "pre-push" },
    { file: "config", key: "include.path" },
  ],
  draw: (draw) =>
    draw.one<Redirect>([
      {
        file: "config",
        key: draw.one([
          "url.EVIL.insteadOf",
          "url.EVIL.pushInsteadOf",
          "include.path",
          "core.hooksPath",
          "core.sshCommand",
          "core.fsmonitor",
          `includeIf.gitdir:/.path`,
        ]),
      },
      { file: "hook", key: draw.one(["pre-push", "reference-transaction", "post-update", "pre-auto-gc", "update"]) },
      { file: "config", key: `url.EVIL${draw.whole(1, 99)}.insteadOf` },
      { file: "config", key: `url.EVIL${draw.whole(1, 99)}.pushInsteadOf` },
    ]),
  async attack({ file, key }, guarded) {
    const { root, remote, workspaces, access, base, data } = await gitBench();
    const trusted = join(data, "trusted", "7.git");
    const mark = join(root, "mark-redirect");
    const program = join(root, "program-redirect");
    writeFileSync(program, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const evil = join(root, `evil-${key.replaceAll(/\W/g, "")}.git`);
    tryGit(root, ["init", "-q", "--bare", evil]);
    if (file === "hook") {
      mkdirSync(join(trusted, "hooks"), { recursive: true });
      writeFileSync(join(trusted, "hooks", key), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    } else {
      const config = join(trusted, "config");
      const included = join(root, "included");
      writeFileSync(included, `[url "${evil}"]\n\tinsteadOf = ${remote}\n`);
      const isUrl = key.startsWith("url.");
      const hooksAt = join(root, "hooks-redirect");
      mkdirSync(hooksAt, { recursive: true });
      for (const hook of ["pre-push", "reference-transaction"])
        writeFileSync(join(hooksAt, hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
      const value = isUrl ? remote : key.includes("include") ? included : key === "core.hooksPath" ? hooksAt : program;
      sh(root, ["config", "-f", config, "--add", isUrl ? `url.${evil}.${key.split(".").at(-1)}` : key, value]);
    }
    const branch = `baton/redirect-${++redirects}`;
    try {
      if (guarded) await workspaces.push(access, { branch, sha: base, expectedSha: null });
      else tryGit(trusted, ["push", "-q", remote, `${base}:refs/heads/${branch}`], { GIT_DIR: trusted });
      if (tryExists(mark)) return "a planted program ran";
      if (tryGit(evil, ["rev-parse", "--verify", "-q", `refs/heads/${branch}`], { GIT_DIR: evil }) !== "")
        return "the push went to another server";
      return sh(remote, ["for-each-ref", `refs/heads/${branch}`], { GIT_DIR: remote }) === ""
        ? "the push did not arrive"
        : null;
    } finally {
      rmSync(mark, { force: true });
      rmSync(evil, { recursive: true, force: true });
      // Planted files must not reach the next input.
      rmSync(join(trusted, "hooks"), { recursive: true, force: true });
      writeFileSync(
        join(trusted, "config"),
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
      );
    }
  },
});
let redirects = 0;

export const treeCauses: readonly Cause[] = [
  configured,
  hooks,
  nested,
  pointer,
  folder,
  links,
  sizes,
  gitNames,
  fileNames,
  branchNames,
  gitlinks,
  heads,
  forged,
  between,
  redirect,
];
