/**
 * Workspaces by git worktrees of one quarantine repository a run. Contract W1–W6 in `ports/workspace.ts`.
 *
 * Layout below the root: `trusted/<repository id>.git` (ours: fetched from and pushed to the remote; agents never see it) and
 * `runs/<run>/repo.git` (the agents' own object store: no remote, no credential), `runs/<run>/work/<name>`, `runs/<run>/home/<name>`.
 * The tree in `work/<name>` is checked out or, where the host can, an overlay mount (`overlay-trees.ts`): by all that can be seen
 * from it the same.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { FileChange } from "../../core/effect.ts";
import { BatonError, hasCode } from "../../core/errors.ts";
import { type RunId, runIdSchema } from "../../core/vocabulary.ts";
import type { Log } from "../../ports/log.ts";
import type {
  CommitIdentity,
  ImportOptions,
  ImportResult,
  JoinResult,
  RepositoryAccess,
  Workspace,
  Workspaces,
} from "../../ports/workspace.ts";
import { Slots } from "../system/slots.ts";
import { git } from "./git-command.ts";
import { importCommits, refuseBadTree, strayChanges } from "./import-commits.ts";
import { joinCommits } from "./join-commits.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { unmountBelow } from "./mounts.ts";
import { numstat } from "./numstat.ts";
import { OverlayTrees, type TreePlace } from "./overlay-trees.ts";
import type { WorkspaceWay } from "./probe-overlay.ts";

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;
const keptPattern = /^refs\/(?:baton|heads\/baton-state)\/kept\/[A-Za-z0-9_]+\/[A-Za-z0-9][A-Za-z0-9._-]*$/;
const branchPattern = /^(?!.*(?:\.\.|@\{|\/\/|\.lock(?:\/|$)))[A-Za-z0-9][A-Za-z0-9._/-]{0,200}(?<![./])$/;

export interface WorkspacesOptions {
  rootDir: string;
  log: Log;
  /** As `chooseWay` found it; else they are checked out. What stands of the other way is imported and removed all the same. */
  way?: WorkspaceWay;
}

/** Workspaces of this machine. */
export interface HostWorkspaces extends Workspaces {
  /** Gives the mounts back that nobody works in, before Baton ends. A workspace is mounted again when it is imported. */
  release(): Promise<void>;
}

export function createWorkspaces({ rootDir, log, way = "checkout" }: WorkspacesOptions): HostWorkspaces {
  return new GitWorkspaces(resolve(rootDir), log, way);
}

interface WorkspacePaths extends TreePlace {
  run: string;
  repo: string;
  home: string;
  /** Stands while the tree is being made or removed: what is not there then was not deleted by an agent. */
  partial: string;
}

class GitWorkspaces implements HostWorkspaces {
  readonly #root: string;
  readonly #log: Log;
  readonly #way: WorkspaceWay;
  readonly #overlay: OverlayTrees;
  readonly #mutex = new KeyedMutex();
  /** Writing out files is work for a core; more at once only stand in each other's way in the file system. */
  readonly #checkouts = new Slots(availableParallelism());

  constructor(root: string, log: Log, way: WorkspaceWay) {
    this.#root = root;
    this.#log = log;
    this.#way = way;
    this.#overlay = new OverlayTrees(root, log);
  }

  async fetch(access: RepositoryAccess, ref: string): Promise<string> {
    const gitDir = await this.#trusted(access);
    if (/^[0-9a-f]{40,64}$/.test(ref)) {
      if (await hasCommit(gitDir, ref)) return ref;
      await this.#fetchRef(access, gitDir, ref);
      return ref;
    }
    await this.#fetchRef(access, gitDir, `+refs/heads/${branchName(ref)}:refs/remotes/origin/${branchName(ref)}`);
    return (await git(["rev-parse", "--verify", `refs/remotes/origin/${ref}^{commit}`], { gitDir })).stdout.trim();
  }

  async create(
    access: RepositoryAccess,
    { runId, name, baseSha }: { runId: RunId; name: string; baseSha: string },
  ): Promise<Workspace> {
    const paths = this.#paths(runId, name);
    const trusted = await this.#trusted(access);
    await this.#mutex.run(paths.repo, async () => {
      if (!existsSync(join(paths.repo, "ready"))) {
        // Half-made by a crash: nothing of an agent can be in it yet.
        await rm(paths.repo, { recursive: true, force: true });
        await git(["init", "--quiet", "--bare", "--template=", paths.repo]);
        // Objects of the trusted repository are read, never written: what the agent adds stays in its own store.
        await mkdir(join(paths.repo, "objects", "info"), { recursive: true });
        await writeFile(join(paths.repo, "objects", "info", "alternates"), `${join(trusted, "objects")}\n`);
        await writeFile(join(paths.repo, "ready"), "");
      }
    });
    const mounted = this.#way === "overlay" && (await this.#mountTree(paths, access, { trusted, baseSha }));
    if (!mounted) await this.#checkOut(paths, baseSha);
    await rm(paths.partial);
    return {
      path: paths.work,
      homePath: paths.home,
      baseSha,
      writable: [paths.work, paths.repo, paths.home],
      readable: [join(trusted, "objects")],
    };
  }

  async #mountTree(
    paths: WorkspacePaths,
    { repository }: RepositoryAccess,
    { trusted, baseSha }: { trusted: string; baseSha: string },
  ): Promise<boolean> {
    await this.#begin(paths, baseSha);
    try {
      await this.#overlay.make(paths, { repositoryId: repository.id, gitDir: trusted, sha: baseSha });
      return true;
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_MOUNT_FAILED")) throw thrown;
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      this.#log.warn("A workspace could not be mounted and is checked out", { path: paths.work, error });
      return false;
    }
  }

  async #checkOut(paths: WorkspacePaths, baseSha: string): Promise<void> {
    await this.#begin(paths, baseSha);
    await this.#checkouts.use(() =>
      git(["read-tree", "-u", "--reset", baseSha], {
        gitDir: paths.worktreeGitDir,
        workTree: paths.work,
        cwd: paths.work,
      }),
    );
  }

  /** The worktree's own files in the quarantine repository, and an empty tree. */
  async #begin(paths: WorkspacePaths, baseSha: string): Promise<void> {
    // Left over from an attempt that died: its commits were imported or are still in the run's object store.
    if (existsSync(paths.work) || existsSync(paths.layers)) await this.#removeTree(paths);
    await Promise.all([mkdir(paths.home, { recursive: true }), mkdir(dirname(paths.partial), { recursive: true })]);
    await writeFile(paths.partial, "");
    await this.#mutex.run(paths.repo, () =>
      git(["worktree", "add", "--quiet", "--detach", "--no-checkout", paths.work, baseSha], { gitDir: paths.repo }),
    );
  }

  async import(
    access: RepositoryAccess,
    { runId, name, baseSha }: { runId: RunId; name: string; baseSha: string },
    options: ImportOptions,
  ): Promise<ImportResult> {
    const paths = this.#paths(runId, name);
    const trusted = await this.#trusted(access);
    const ref = `refs/baton/runs/${runId}/${name}`;
    if (existsSync(paths.partial) || !existsSync(paths.work)) {
      // Cut off while it was made, which no agent saw, or while it was removed, before which it was imported.
      const { stdout } = await git(["for-each-ref", "--format=%(objectname)", ref], { gitDir: trusted });
      const headSha = stdout.trim() === "" ? null : stdout.trim();
      if (headSha === null) return { headSha, commits: 0, files: [], rescued: false };
      const count = await git(["rev-list", "--count", `${baseSha}..${headSha}`], { gitDir: trusted });
      const files = await numstat(trusted, baseSha, headSha);
      return { headSha, commits: Number(count.stdout), files, rescued: false };
    }
    await this.#overlay.stand(paths, trusted);
    return importCommits({
      repo: paths.repo,
      work: paths.work,
      worktreeGitDir: paths.worktreeGitDir,
      scratch: join(paths.run, "scratch", name),
      trusted,
      ref,
      baseSha,
      options,
    });
  }

  async strayChanges(
    access: RepositoryAccess,
    { runId, name, baseSha }: { runId: RunId; name: string; baseSha: string },
  ): Promise<string[]> {
    const paths = this.#paths(runId, name);
    if (existsSync(paths.partial) || !existsSync(paths.work)) return [];
    const trusted = await this.#trusted(access);
    await this.#overlay.stand(paths, trusted);
    return strayChanges({
      repo: paths.repo,
      work: paths.work,
      scratch: join(paths.run, "scratch", name),
      trusted,
      baseSha,
    });
  }

  async bundle(access: RepositoryAccess, sha: string): Promise<Uint8Array | null> {
    const gitDir = await this.#trusted(access);
    const file = join(this.#root, "bundles", `${randomUUID()}.bundle`);
    const name = `refs/baton/bundles/${sha}`;
    await mkdir(dirname(file), { recursive: true });
    try {
      const { stdout } = await git(["rev-list", "--max-count=1", sha, "--not", "--remotes=origin"], { gitDir });
      if (stdout.trim() === "") return null;
      // A bundle names what it brings, so the commit gets a name for as long as it is written.
      await git(["update-ref", name, sha], { gitDir });
      await git(["bundle", "create", "--quiet", file, name, "--not", "--remotes=origin"], { gitDir });
      return await readFile(file);
    } finally {
      await git(["update-ref", "-d", name], { gitDir }).catch(() => {});
      await rm(file, { force: true });
    }
  }

  async adoptBundle(
    access: RepositoryAccess,
    { headSha, bytes }: { headSha: string; bytes: Uint8Array },
  ): Promise<void> {
    const gitDir = await this.#trusted(access);
    await this.fetch(access, access.repository.defaultBranch);
    const ref = `refs/baton/bundles/${headSha}`;
    await this.#fetchBundle(gitDir, bytes, `+${ref}:refs/baton/begin/${headSha}`);
  }

  async #fetchBundle(gitDir: string, bytes: Uint8Array, refspec: string): Promise<void> {
    const file = join(this.#root, "bundles", `${randomUUID()}.bundle`);
    await mkdir(dirname(file), { recursive: true });
    try {
      await writeFile(file, bytes);
      await git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", file, refspec], { gitDir });
    } finally {
      await rm(file, { force: true });
    }
  }

  async importBundle(
    access: RepositoryAccess,
    given: { runId: RunId; name: string; baseSha: string; headSha: string; bytes: Uint8Array },
    limits: ImportOptions["limits"],
  ): Promise<FileChange[]> {
    const { runId, name, baseSha, headSha, bytes } = given;
    if (bytes.byteLength > limits.importBytesMax)
      throw new BatonError(
        "BATON_TREE_REFUSED",
        `The bundle has ${bytes.byteLength} bytes; at most ${limits.importBytesMax} are taken.`,
      );
    const gitDir = await this.#trusted(access);
    this.#paths(runId, name);
    const ref = `refs/baton/runs/${runId}/${name}`;
    try {
      await this.#fetchBundle(gitDir, bytes, `+refs/baton/bundles/${headSha}:${ref}`);
      const { exitCode } = await git(["merge-base", "--is-ancestor", baseSha, headSha], { gitDir, okCodes: [1, 128] });
      const { stdout } = await git(["rev-parse", "--verify", ref], { gitDir });
      if (exitCode !== 0 || stdout.trim() !== headSha)
        throw new BatonError("BATON_TREE_REFUSED", `The bundle does not lead from ${baseSha} to ${headSha}.`);
      await refuseBadTree(gitDir, baseSha, headSha, { limits });
      return await numstat(gitDir, baseSha, headSha);
    } catch (thrown) {
      await git(["update-ref", "-d", ref], { gitDir }).catch(() => {});
      if (!hasCode(thrown, "BATON_GIT_FAILED")) throw thrown;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new BatonError("BATON_TREE_REFUSED", `git refuses the worker's bundle: ${why}`, { cause: thrown });
    }
  }

  async join(
    access: RepositoryAccess,
    { runId, name, baseSha, shas, message }: Parameters<Workspaces["join"]>[1],
    identity: CommitIdentity,
  ): Promise<JoinResult> {
    const gitDir = await this.#trusted(access);
    this.#paths(runId, name);
    for (const sha of [baseSha, ...shas]) await this.fetch(access, sha);
    const result = await joinCommits(gitDir, { baseSha, shas, message, identity });
    await git(["update-ref", `refs/baton/runs/${runId}/${name}`, result.headSha], { gitDir });
    return result;
  }

  async remove(_access: RepositoryAccess, { runId, name }: { runId: RunId; name: string }): Promise<void> {
    await this.#removeTree(this.#paths(runId, name));
  }

  async push(
    access: RepositoryAccess,
    { branch, sha, expectedSha }: { branch: string; sha: string; expectedSha: string | null },
  ): Promise<void> {
    const gitDir = await this.#trusted(access);
    const ref = `refs/heads/${branchName(branch)}`;
    const moved = async (): Promise<BatonError | null> => {
      const head = await this.remoteHead(access, branch);
      if (head === sha) return null;
      return new BatonError(
        "BATON_BRANCH_MOVED",
        `${branch} is at ${head ?? "nothing"}, not at ${expectedSha ?? "nothing"} as Baton knew it; ${sha} was not pushed.`,
      );
    };
    try {
      await git(["push", "--quiet", `--force-with-lease=${ref}:${expectedSha ?? ""}`, access.url, `${sha}:${ref}`], {
        gitDir,
        token: await access.token(),
      });
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_GIT_FAILED")) throw thrown;
      // A lost answer, or somebody was faster: the remote says which.
      const message = thrown instanceof Error ? thrown.message : "";
      const conflict = await moved();
      if (conflict === null) return;
      throw /stale info|cannot lock ref|rejected|already exists/.test(message) ? conflict : thrown;
    }
  }

  async pushKept(access: RepositoryAccess, { ref, sha }: { ref: string; sha: string }): Promise<void> {
    if (!keptPattern.test(ref)) throw new BatonError("BATON_INTERNAL", `"${ref}" is not a ref of Baton's own.`);
    // Named by run and attempt, so nobody else writes it: who comes again has the newer work of the same attempt.
    await git(["push", "--quiet", "--force", access.url, `${sha}:${ref}`], {
      gitDir: await this.#trusted(access),
      token: await access.token(),
    });
  }

  async remoteHead(access: RepositoryAccess, branch: string): Promise<string | null> {
    const ref = `refs/heads/${branchName(branch)}`;
    const { stdout } = await git(["ls-remote", access.url, ref], { token: await access.token() });
    const line = stdout.split("\n").find((candidate) => candidate.endsWith(`\t${ref}`));
    return line?.split("\t")[0] ?? null;
  }

  async deleteRemoteBranch(
    access: RepositoryAccess,
    { branch, expectedSha }: { branch: string; expectedSha: string },
  ): Promise<void> {
    const ref = `refs/heads/${branchName(branch)}`;
    const gitDir = await this.#trusted(access);
    if ((await this.remoteHead(access, branch)) === null) return;
    await git(["push", "--quiet", `--force-with-lease=${ref}:${expectedSha}`, access.url, `:${ref}`], {
      gitDir,
      token: await access.token(),
    });
  }

  async readFile(access: RepositoryAccess, sha: string, path: string): Promise<string | null> {
    const gitDir = await this.#trusted(access);
    const { stdout, exitCode } = await git(["cat-file", "blob", `${sha}:${path}`], { gitDir, okCodes: [128] });
    return exitCode === 0 ? stdout : null;
  }

  async listFiles(access: RepositoryAccess, sha: string): Promise<string[]> {
    const gitDir = await this.#trusted(access);
    const { stdout } = await git(["ls-tree", "-r", "-z", "--name-only", sha], { gitDir });
    return stdout.split("\0").filter((path) => path !== "");
  }

  async diffStat(access: RepositoryAccess, fromSha: string, toSha: string): Promise<FileChange[]> {
    return numstat(await this.#trusted(access), fromSha, toSha);
  }

  async changes(access: RepositoryAccess, baseSha: string, sha: string): Promise<FileChange[]> {
    const gitDir = await this.#trusted(access);
    return numstat(gitDir, await this.#leftAt(access, gitDir, baseSha, sha), sha);
  }

  /** Where `sha` left the history of `baseSha`; without a common history everything that differs is a change. */
  async #leftAt(access: RepositoryAccess, gitDir: string, baseSha: string, sha: string): Promise<string> {
    for (const commit of [baseSha, sha]) {
      const { exitCode } = await git(["cat-file", "-e", `${commit}^{commit}`], { gitDir, okCodes: [1, 128] });
      if (exitCode !== 0) await this.fetch(access, commit);
    }
    const { stdout, exitCode } = await git(["merge-base", baseSha, sha], { gitDir, okCodes: [1] });
    return exitCode === 0 ? stdout.trim() : baseSha;
  }

  async diff(
    access: RepositoryAccess,
    baseSha: string,
    sha: string,
    charactersMax: number,
  ): Promise<{ text: string; truncated: boolean }> {
    const gitDir = await this.#trusted(access);
    const from = await this.#leftAt(access, gitDir, baseSha, sha);
    const { stdout } = await git(["diff", "--no-ext-diff", "--no-textconv", "--no-color", from, sha], { gitDir });
    if (stdout.length <= charactersMax) return { text: stdout, truncated: false };
    return { text: stdout.slice(0, stdout.lastIndexOf("\n", charactersMax) + 1), truncated: true };
  }

  async isAncestor(access: RepositoryAccess, ancestorSha: string, sha: string): Promise<boolean> {
    const gitDir = await this.#trusted(access);
    return (await git(["merge-base", "--is-ancestor", ancestorSha, sha], { gitDir, okCodes: [1] })).exitCode === 0;
  }

  async collectGarbage(isActive: (runId: RunId) => Promise<boolean>): Promise<{ removed: string[]; kept: string[] }> {
    const removed: string[] = [];
    const kept: string[] = [];
    for (const entry of await readdir(join(this.#root, "runs")).catch(() => [] as string[])) {
      const runId = runIdSchema.safeParse(entry);
      const directory = join(this.#root, "runs", entry);
      if (!runId.success) {
        kept.push(`${entry}: not a run of Baton`);
      } else if (await isActive(runId.data)) {
        kept.push(`${entry}: the run goes on`);
      } else if ((await readdir(join(directory, "work")).catch(() => [])).length > 0) {
        // W6: a workspace that still stands was never imported or removed; a person may want what is in it.
        kept.push(`${entry}: holds a workspace that was not imported`);
      } else {
        await unmountBelow(directory);
        await rm(directory, { recursive: true, force: true });
        removed.push(entry);
      }
    }
    const lowers = await this.#overlay.collectGarbage();
    this.#log.info("Workspaces were collected", { removed: removed.length, kept: kept.length, lowers });
    return { removed, kept };
  }

  release(): Promise<void> {
    return this.#overlay.release();
  }

  async #fetchRef(access: RepositoryAccess, gitDir: string, refspec: string): Promise<void> {
    // One fetch a repository at a time: they would fight for the same ref locks.
    await this.#mutex.run(gitDir, async () =>
      git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", access.url, refspec], {
        gitDir,
        token: await access.token(),
      }),
    );
  }

  async #trusted(access: RepositoryAccess): Promise<string> {
    const gitDir = join(this.#root, "trusted", `${access.repository.id}.git`);
    if (existsSync(join(gitDir, "ready"))) return gitDir;
    await this.#mutex.run(gitDir, async () => {
      if (existsSync(join(gitDir, "ready"))) return;
      await rm(gitDir, { recursive: true, force: true });
      await git(["init", "--quiet", "--bare", "--template=", gitDir]);
      await writeFile(join(gitDir, "ready"), "");
    });
    return gitDir;
  }

  async #removeTree(paths: WorkspacePaths): Promise<void> {
    // Whatever is mounted there, by whom ever: a deletion would go through it (MO2).
    await unmountBelow(paths.work);
    await unmountBelow(paths.home);
    if (existsSync(paths.run)) {
      await mkdir(dirname(paths.partial), { recursive: true });
      await writeFile(paths.partial, "");
    }
    for (const path of [paths.work, paths.layers, paths.home])
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    if (existsSync(paths.repo))
      await this.#mutex.run(paths.repo, () => git(["worktree", "prune", "--expire=now"], { gitDir: paths.repo }));
    await rm(paths.partial, { force: true });
  }

  #paths(runId: RunId, name: string): WorkspacePaths {
    if (!namePattern.test(name)) throw new BatonError("BATON_INTERNAL", `"${name}" cannot name a workspace.`);
    const run = join(this.#root, "runs", runIdSchema.parse(runId));
    const repo = join(run, "repo.git");
    return {
      run,
      repo,
      work: join(run, "work", name),
      home: join(run, "home", name),
      layers: join(run, "overlay", name),
      partial: join(run, "partial", name),
      worktreeGitDir: join(repo, "worktrees", name),
    };
  }
}

function branchName(branch: string): string {
  if (!branchPattern.test(branch))
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `"${branch}" is not a branch name that Baton uses: letters, digits, dots, dashes, underscores and slashes.`,
    );
  return branch;
}

async function hasCommit(gitDir: string, sha: string): Promise<boolean> {
  return (await git(["cat-file", "-e", `${sha}^{commit}`], { gitDir, okCodes: [1, 128] })).exitCode === 0;
}
