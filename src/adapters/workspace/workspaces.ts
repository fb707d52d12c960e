/**
 * Workspaces of this machine: one repository and one tree for each attempt. The contract W1–W6 is in `ports/workspace.ts`.
 *
 * Layout below the root: `fetched` and `trusted` (Baton's: `repositories.ts`), `runs/<run>/attempts/<name>` (the
 * agent's: `attempt-place.ts`), `lowers` (`lowers.ts`). The tree is checked out or, where the host can, an overlay
 * mount (`overlay-trees.ts`). Agents see no difference.
 */
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { FileChange } from "../../core/effect.ts";
import { hasCode } from "../../core/errors.ts";
import type { PathState } from "../../core/shown-change.ts";
import { type RunId, runIdSchema } from "../../core/vocabulary.ts";
import type { Log } from "../../ports/log.ts";
import type { SecretScan } from "../../ports/secret-scan.ts";
import type {
  BundleImport,
  CommitFacts,
  ImportOptions,
  ImportResult,
  JoinResult,
  RepositoryAccess,
  Workspace,
  Workspaces,
} from "../../ports/workspace.ts";
import { Slots } from "../system/slots.ts";
import {
  type AttemptPlace,
  attemptPlace,
  checkMade,
  isDirectory,
  noteMade,
  removeUnfollowed,
} from "./attempt-place.ts";
import { borrowThrough, makeAttemptRepository } from "./attempt-repository.ts";
import { Bundles } from "./bundles.ts";
import { checkCommits } from "./check-commits.ts";
import { git } from "./git-command.ts";
import { importCommits, strayChanges } from "./import-commits.ts";
import { joinCommits } from "./join-commits.ts";
import { listCommits } from "./list-commits.ts";
import { numstat } from "./numstat.ts";
import { ObjectDoor } from "./object-door.ts";
import { OverlayTrees } from "./overlay-trees.ts";
import type { WorkspaceWay } from "./probe-overlay.ts";
import { branchName, RemoteBranches } from "./remote-branches.ts";
import { Repositories } from "./repositories.ts";
import { knownHere } from "./scan-commits.ts";

/** Below the limits of a command line. */
const pathsAtOnceMax = 200;

export interface WorkspacesOptions {
  rootDir: string;
  log: Log;
  /**
   * The result of `chooseWay`. Absent: checkouts. Existing workspaces of the other way are still imported and removed.
   */
  way?: WorkspaceWay;
  /** Absent: nothing is scanned before a push. For tests of other parts. */
  secrets?: SecretScan;
  /** For one push or one read of a remote. For a fetch, the longest time without progress. */
  transferTimeoutMs?: number;
  /** Baton fetches a repository with more objects without file contents. These come on demand. */
  wholeObjectsMax?: number;
}

const transferTimeoutMsDefault = 300_000;
/** About 1 GB, which takes minutes on a typical connection. */
const wholeObjectsMaxDefault = 400_000;

/** Workspaces of this machine. */
export interface HostWorkspaces extends Workspaces {
  /** Removes the mounts in which nobody works, before Baton ends. An import mounts its workspace again. */
  release(): Promise<void>;
}

export function createWorkspaces(options: WorkspacesOptions): HostWorkspaces {
  return new GitWorkspaces({ ...options, rootDir: resolve(options.rootDir) });
}

interface Attempt {
  runId: RunId;
  name: string;
}

class GitWorkspaces implements HostWorkspaces {
  readonly #root: string;
  readonly #log: Log;
  readonly #way: WorkspaceWay;
  readonly #overlay: OverlayTrees;
  readonly #repositories: Repositories;
  readonly #branches: RemoteBranches;
  readonly #bundles: Bundles;
  readonly #door: ObjectDoor;
  /** Writing files occupies a core. More checkouts at once would only block each other in the file system. */
  readonly #checkouts = new Slots(availableParallelism());

  constructor({ rootDir, log, way = "checkout", secrets, transferTimeoutMs, wholeObjectsMax }: WorkspacesOptions) {
    const timeoutMs = transferTimeoutMs ?? transferTimeoutMsDefault;
    this.#root = rootDir;
    this.#log = log;
    this.#way = way;
    this.#overlay = new OverlayTrees(rootDir, log);
    this.#repositories = new Repositories({
      root: rootDir,
      log,
      bounds: { silenceMs: timeoutMs, objectsMax: wholeObjectsMax ?? wholeObjectsMaxDefault },
    });
    this.#door = new ObjectDoor(log);
    this.#branches = new RemoteBranches({ repositories: this.#repositories, secrets: secrets ?? null, timeoutMs });
    this.#bundles = new Bundles(this.#repositories);
  }

  async fetch(access: RepositoryAccess, ref: string): Promise<string> {
    if (!/^[0-9a-f]{40,64}$/.test(ref)) return this.#repositories.fetchBranch(access, branchName(ref));
    if (!(await hasCommit(await this.#trusted(access), ref))) await this.#repositories.fetchCommit(access, ref);
    return ref;
  }

  async create(
    access: RepositoryAccess,
    { runId, name, baseSha, reads = [] }: Attempt & { baseSha: string; reads?: readonly string[] },
  ): Promise<Workspace> {
    const lent = this.#repositories.lent(access);
    await this.#repositories.completeTrees(access, [baseSha, ...reads]);
    let door: { url: string; port: number } | null = null;
    const begin = async (): Promise<AttemptPlace> => {
      const place = await this.#begin(runId, name, lent, baseSha);
      if (await this.#repositories.isPartial(access)) {
        door = await this.#door.open(`${runId}/${name}`, this.#repositories.lender(access));
        await borrowThrough(place, door);
      }
      await this.#repositories.lend(access, [baseSha, ...reads], join(place.repo, "objects"));
      return place;
    };
    let place = await begin();
    if (this.#way === "overlay" && !(await this.#mountTree(place, access, baseSha))) place = await begin();
    else if (this.#way === "overlay") {
      await rm(place.partial);
      return workspaceOf(place, lent, baseSha, door);
    }
    await this.#checkouts.use(() =>
      git(["read-tree", "-u", "--reset", baseSha], { gitDir: place.repo, workTree: place.work, cwd: place.work }),
    );
    await rm(place.partial);
    return workspaceOf(place, lent, baseSha, door);
  }

  async #mountTree(place: AttemptPlace, access: RepositoryAccess, baseSha: string): Promise<boolean> {
    try {
      const gitDir = await this.#trusted(access);
      await this.#overlay.make(place, { repositoryId: access.repository.id, gitDir, sha: baseSha });
      return true;
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_MOUNT_FAILED")) throw thrown;
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      this.#log.warn("A workspace could not be mounted and is checked out", { path: place.work, error });
      return false;
    }
  }

  /** Makes the attempt's folders, its repository, and an empty tree. */
  async #begin(runId: RunId, name: string, lent: string, baseSha: string): Promise<AttemptPlace> {
    // Left by an attempt that died. Baton has imported its commits, or nobody can.
    await this.#remove(runId, name);
    const place = attemptPlace(this.#root, runId, name);
    await mkdir(dirname(place.partial), { recursive: true });
    await writeFile(place.partial, "");
    for (const directory of [place.work, place.repo, place.home]) await mkdir(directory, { recursive: true });
    await makeAttemptRepository(place, lent, baseSha);
    await noteMade(place, false);
    return place;
  }

  async import(
    access: RepositoryAccess,
    { runId, name, baseSha }: Attempt & { baseSha: string },
    options: ImportOptions,
  ): Promise<ImportResult> {
    const place = attemptPlace(this.#root, runId, name);
    const trusted = await this.#trusted(access);
    const lent = this.#repositories.lent(access);
    const ref = `refs/baton/runs/${runId}/${name}`;
    if (existsSync(place.partial) || !(await isThere(place))) {
      // Interrupted during its creation, before any agent saw it, or during its removal, after Baton imported it.
      const { stdout } = await git(["for-each-ref", "--format=%(objectname)", ref], { gitDir: trusted });
      const headSha = stdout.trim() === "" ? null : stdout.trim();
      if (headSha === null) return { headSha, commits: 0, files: [], rescued: false };
      const count = await git(["rev-list", "--count", `${baseSha}..${headSha}`], { gitDir: trusted });
      const files = await checkCommits({ gitDir: trusted, baseSha, headSha }, options.limits, dirname(lent));
      return { headSha, commits: Number(count.stdout), files, rescued: false };
    }
    await this.#stand(place, trusted);
    const asidePrefix = `refs/baton/aside/${runId}/${name}/`;
    return importCommits({ place, trusted, lent, ref, asidePrefix, baseSha, options });
  }

  async strayChanges(
    access: RepositoryAccess,
    { runId, name, baseSha }: Attempt & { baseSha: string },
  ): Promise<string[]> {
    const place = attemptPlace(this.#root, runId, name);
    if (existsSync(place.partial) || !(await isThere(place))) return [];
    const trusted = await this.#trusted(access);
    await this.#stand(place, trusted);
    return strayChanges({ place, trusted, lent: this.#repositories.lent(access), baseSha });
  }

  /** Checks that Baton's directories are still there, and mounts the tree at its place. */
  async #stand(place: AttemptPlace, trusted: string): Promise<void> {
    await checkMade(place);
    if ((await this.#overlay.stand(place, trusted)) && !place.isOld) await noteMade(place, true);
  }

  bundle(access: RepositoryAccess, sha: string): Promise<Uint8Array | null> {
    return this.#bundles.of(access, sha);
  }

  async adoptBundle(
    access: RepositoryAccess,
    { headSha, bytes }: { headSha: string; bytes: Uint8Array },
  ): Promise<void> {
    await this.fetch(access, access.repository.defaultBranch);
    await this.#bundles.adopt(access, headSha, bytes);
  }

  async importBundle(
    access: RepositoryAccess,
    given: Attempt & { baseSha: string; headSha: string; bytes: Uint8Array },
    options: ImportOptions,
  ): Promise<BundleImport> {
    const { runId, name } = given;
    attemptPlace(this.#root, runId, name);
    await this.#repositories.completeTrees(access, [given.baseSha]);
    return this.#bundles.import(access, { ...given, ref: `refs/baton/runs/${runId}/${name}` }, options);
  }

  async join(
    access: RepositoryAccess,
    { runId, name, baseSha, shas, message }: Parameters<Workspaces["join"]>[1],
    options: Pick<ImportOptions, "identity" | "trailers">,
  ): Promise<JoinResult> {
    const gitDir = await this.#trusted(access);
    attemptPlace(this.#root, runId, name);
    for (const sha of [baseSha, ...shas]) await this.fetch(access, sha);
    if (await this.#repositories.isPartial(access))
      for (const sha of shas) await this.#completeChange(access, gitDir, baseSha, sha, true);
    const result = await joinCommits(gitDir, { baseSha, shas, message, options });
    await git(["update-ref", `refs/baton/runs/${runId}/${name}`, result.headSha], { gitDir });
    return result;
  }

  async remove(_access: RepositoryAccess, { runId, name }: Attempt): Promise<void> {
    await this.#remove(runId, name);
  }

  push(access: RepositoryAccess, options: Parameters<Workspaces["push"]>[1]): Promise<void> {
    return this.#branches.push(access, options);
  }

  scan(access: RepositoryAccess, { sha, ...options }: Parameters<Workspaces["scan"]>[1]): Promise<void> {
    return this.#branches.scan(access, sha, options);
  }

  pushKept(access: RepositoryAccess, options: Parameters<Workspaces["pushKept"]>[1]): Promise<void> {
    return this.#branches.pushKept(access, options);
  }

  dropKept(access: RepositoryAccess, options: Parameters<Workspaces["dropKept"]>[1]): Promise<void> {
    return this.#branches.dropKept(access, options);
  }

  async commits(
    access: RepositoryAccess,
    sha: string,
    which: Parameters<Workspaces["commits"]>[2],
  ): Promise<CommitFacts[]> {
    return listCommits(await this.#trusted(access), sha, which);
  }

  remoteHead(access: RepositoryAccess, branch: string): Promise<string | null> {
    return this.#branches.head(access, branch);
  }

  deleteRemoteBranch(access: RepositoryAccess, options: { branch: string; expectedSha: string }): Promise<void> {
    return this.#branches.delete(access, options);
  }

  async readFile(access: RepositoryAccess, sha: string, path: string): Promise<string | null> {
    const gitDir = await this.#trusted(access);
    if (await this.#repositories.isPartial(access)) {
      const at = await git(["rev-parse", "--verify", "--quiet", `${sha}:${path}`], { gitDir, okCodes: [1, 128] });
      if (at.exitCode === 0) await this.#repositories.lender(access).bring([at.stdout.trim()]);
    }
    const { stdout, exitCode } = await git(["cat-file", "blob", `${sha}:${path}`], { gitDir, okCodes: [128] });
    return exitCode === 0 ? stdout : null;
  }

  async listFiles(access: RepositoryAccess, sha: string): Promise<string[]> {
    const gitDir = await this.#trusted(access);
    const { stdout } = await git(["ls-tree", "-r", "-z", "--name-only", sha], { gitDir });
    return stdout.split("\0").filter((path) => path !== "");
  }

  async diffStat(access: RepositoryAccess, fromSha: string, toSha: string): Promise<FileChange[]> {
    const gitDir = await this.#trusted(access);
    await this.#repositories.completeDifferences(access, [[fromSha, toSha]]);
    return numstat(gitDir, fromSha, toSha);
  }

  async changes(access: RepositoryAccess, baseSha: string, sha: string): Promise<FileChange[]> {
    const gitDir = await this.#trusted(access);
    return numstat(gitDir, await this.#completeChange(access, gitDir, baseSha, sha), sha);
  }

  /**
   * Makes the changes of `sha` since `baseSha` readable, and with `both` also the reverse ones. Returns the commit
   * where `sha` branched off.
   */
  async #completeChange(
    access: RepositoryAccess,
    gitDir: string,
    baseSha: string,
    sha: string,
    both = false,
  ): Promise<string> {
    const from = await this.#leftAt(access, gitDir, baseSha, sha);
    const pairs = [[from, sha] as const, ...(both ? [[from, baseSha] as const] : [])];
    await this.#repositories.completeDifferences(access, pairs);
    return from;
  }

  /** The commit where `sha` left the history of `baseSha`. Without a common history, every difference is a change. */
  async #leftAt(access: RepositoryAccess, gitDir: string, baseSha: string, sha: string): Promise<string> {
    const here = await knownHere(gitDir, [baseSha, sha]);
    for (const commit of new Set([baseSha, sha])) if (!here.includes(commit)) await this.fetch(access, commit);
    const { stdout, exitCode } = await git(["merge-base", baseSha, sha], { gitDir, okCodes: [1] });
    return exitCode === 0 ? stdout.trim() : baseSha;
  }

  async diff(
    access: RepositoryAccess,
    baseSha: string,
    sha: string,
    charactersMax: number,
    paths: readonly string[] = [],
  ): Promise<{ text: string; truncated: boolean }> {
    const gitDir = await this.#trusted(access);
    const from = await this.#completeChange(access, gitDir, baseSha, sha);
    const only = paths.length === 0 ? [] : ["--no-renames", "--", ...paths];
    const { stdout } = await git(
      ["--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv", "--no-color", from, sha, ...only],
      { gitDir },
    );
    if (stdout.length <= charactersMax) return { text: stdout, truncated: false };
    return { text: stdout.slice(0, stdout.lastIndexOf("\n", charactersMax) + 1), truncated: true };
  }

  async pathStates(access: RepositoryAccess, sha: string, paths: readonly string[]): Promise<PathState[]> {
    const gitDir = await this.#trusted(access);
    const found = new Map<string, PathState>();
    for (let from = 0; from < paths.length; from += pathsAtOnceMax) {
      const some = paths.slice(from, from + pathsAtOnceMax);
      const { stdout } = await git(["--literal-pathspecs", "ls-tree", "-z", "--full-tree", sha, "--", ...some], {
        gitDir,
      });
      for (const entry of stdout.split("\0")) {
        const [, mode, blob, path] = /^(\d{6}) \w+ ([0-9a-f]{40,64})\t([\s\S]+)$/.exec(entry) ?? [];
        if (mode !== undefined && blob !== undefined && path !== undefined) found.set(path, { path, mode, blob });
      }
    }
    return paths.map((path) => found.get(path) ?? { path, mode: null, blob: null });
  }

  async leftAt(access: RepositoryAccess, baseSha: string, sha: string): Promise<string> {
    return this.#leftAt(access, await this.#trusted(access), baseSha, sha);
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
      } else if (await hasWorkspaces(directory)) {
        // W6: a workspace that still stands was never imported or removed. A person may need its content.
        kept.push(`${entry}: holds a workspace that was not imported`);
      } else {
        await removeUnfollowed(directory);
        removed.push(entry);
      }
    }
    const lowers = await this.#overlay.collectGarbage();
    this.#log.info("Workspaces were collected", { removed: removed.length, kept: kept.length, lowers });
    return { removed, kept };
  }

  async release(): Promise<void> {
    await this.#door.end();
    await this.#overlay.release();
  }

  #trusted(access: RepositoryAccess): Promise<string> {
    return this.#repositories.trusted(access);
  }

  /** Does not delete anything that an agent linked or mounted there. */
  async #remove(runId: RunId, name: string): Promise<void> {
    this.#door.close(`${runId}/${name}`);
    const place = attemptPlace(this.#root, runId, name);
    if (!(await isDirectory(place.run))) return removeUnfollowed(place.run);
    await mkdir(dirname(place.partial), { recursive: true });
    await writeFile(place.partial, "");
    for (const path of place.isOld ? [place.work, place.layers, place.home, place.head] : [place.directory]) {
      if (await isDirectory(dirname(path))) await removeUnfollowed(path);
      else await removeUnfollowed(dirname(path));
    }
    await Promise.all([place.scratch, place.made].map((path) => removeUnfollowed(path)));
    await rm(place.partial, { force: true });
  }
}

/** Something exists there, of any type. An agent may have replaced Baton's directory. */
async function isThere(place: AttemptPlace): Promise<boolean> {
  return existsSync(place.made) || (await exists(place.work));
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

/** A workspace that stands was neither imported nor removed (W6). Older versions of Baton kept them in `work`. */
async function hasWorkspaces(run: string): Promise<boolean> {
  for (const folder of ["attempts", "work"])
    if ((await readdir(join(run, folder)).catch(() => [])).length > 0) return true;
  return false;
}

function workspaceOf(
  { work, repo, home }: AttemptPlace,
  lent: string,
  baseSha: string,
  door: { port: number } | null,
): Workspace {
  const ports = door === null ? {} : { loopbackPorts: [door.port] };
  return { path: work, homePath: home, baseSha, writable: [work, repo, home], readable: [lent], ...ports };
}

async function hasCommit(gitDir: string, sha: string): Promise<boolean> {
  return (await git(["cat-file", "-e", `${sha}^{commit}`], { gitDir, okCodes: [1, 128] })).exitCode === 0;
}
