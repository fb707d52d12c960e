/**
 * The tree of the agent's present files on disk. Nothing of the agent runs, and Baton reads no file before it knows the
 * size.
 *
 * LT1 A file is unchanged if its bytes are those that a checkout writes, whatever its attributes. Baton checks
 *     workspaces out with the base's attributes, like people's clones. Agents therefore see CRLF or UTF-16 where the
 *     repository says so.
 * LT2 The attributes of the tree convert a changed file, as with `git add`. No configuration that git reads defines a
 *     filter.
 * LT3 Git converts copies in a folder of Baton's own. In the agent's tree it only lists names and compares bytes. Its
 *     index has no gitlink.
 */
import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { mkdir, open, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImportOptions } from "../../ports/workspace.ts";
import { scratchFolders } from "./attempt-repository.ts";
import { type GitOptions, git } from "./git-command.ts";
import { writeBareRepository } from "./own-repository.ts";
import { bytes, directoriesOf, refused, shown, statsOf } from "./tree-walk.ts";

export interface TreeOnDisk {
  work: string;
  /** A folder of Baton's own. */
  scratch: string;
  /** Baton's own. It has or borrows all objects that `headSha` and `baseSha` need, and receives the new ones. */
  gitDir: string;
  baseSha: string;
  /** The commit that the tree on disk is compared with. */
  headSha: string;
  /** The agent's git writes CRLF into the tree. */
  crlf: boolean;
  isOwnWorktree(directory: string): Promise<boolean>;
}

type Limits = ImportOptions["limits"];

interface Entry {
  mode: string;
  sha: string;
}

/** Paths as bytes (`latin1`). */
interface Changes {
  deleted: string[];
  /** Files with other content or another type, and new files. */
  changed: Map<string, BigIntStats>;
  /** Only the executable bit differs. */
  modes: Map<string, Entry>;
  gitlinks: Map<string, Entry>;
  /** Repositories within the tree. */
  nested: string[];
}

const gitlink = "160000";
const neutral = "* !text !crlf !eol !ident !filter !working-tree-encoding\n";
const nothing = "0".repeat(40);
const namesOfAttributes = /(?:^|\/)\.gitattributes$/;

/** Throws BATON_TREE_REFUSED for a file that is too large, for too many files, and for a nested repository. */
export async function leftoverTree(tree: TreeOnDisk, limits: Limits): Promise<string> {
  const desk = await Desk.of(tree);
  const changes = await desk.changes(limits);
  const [nested] = changes.nested;
  if (nested !== undefined) throw repositoryWithin(nested);
  refuseSizes(changes, limits);
  await desk.copy(changes, limits);
  return desk.write(changes);
}

/** The paths that differ from `headSha`. Refuses nothing, and adds no objects. */
export async function changedOnDisk(tree: TreeOnDisk): Promise<string[]> {
  const { deleted, changed, modes, nested } = await (await Desk.of(tree)).changes(null);
  return [...deleted, ...changed.keys(), ...modes.keys(), ...nested].sort().map(shown);
}

function repositoryWithin(path: string): Error {
  return refused(path, "is a repository within the repository; a commit of it would hide its files.");
}

function refuseSizes({ deleted, changed }: Changes, { filesMax, blobBytesMax, importBytesMax }: Limits): void {
  const files = deleted.length + changed.size;
  const [first = ""] = changed.keys();
  if (files > filesMax) throw refused(first, `is one of ${files} changed files; at most ${filesMax} may change.`);
  let total = 0n;
  for (const [path, { size }] of changed) {
    if (size > BigInt(blobBytesMax)) throw refused(path, `has ${size} bytes; at most ${blobBytesMax} are accepted.`);
    total += size;
    if (total > BigInt(importBytesMax))
      throw refused(path, `takes the change over ${importBytesMax} bytes, the most that is accepted.`);
  }
}

/** Baton's own folders for one reading of a tree. */
class Desk {
  readonly #tree: TreeOnDisk;
  /** With attributes. */
  readonly #gitDir: string;
  /** Without attributes, to compare bytes. */
  readonly #rawGitDir: string;
  readonly #copies: string;
  readonly #index = { GIT_INDEX_FILE: "" };

  private constructor(tree: TreeOnDisk) {
    this.#tree = tree;
    this.#gitDir = tree.gitDir;
    this.#rawGitDir = join(tree.scratch, "raw.git");
    this.#copies = join(tree.scratch, "copies");
    this.#index = { GIT_INDEX_FILE: join(tree.scratch, "index") };
  }

  static async of(tree: TreeOnDisk): Promise<Desk> {
    const desk = new Desk(tree);
    await writeBareRepository(desk.#rawGitDir, [join(tree.gitDir, "objects")]);
    await mkdir(desk.#copies);
    await writeFile(join(desk.#rawGitDir, "info", "attributes"), neutral);
    await writeFile(join(desk.#rawGitDir, "info", "exclude"), scratchFolders);
    return desk;
  }

  async changes(limits: Limits | null): Promise<Changes> {
    const { work, headSha, baseSha } = this.#tree;
    const entries = await this.#read(headSha, this.#index);
    const changes: Changes = { deleted: [], changed: new Map(), modes: new Map(), gitlinks: new Map(), nested: [] };
    const directories = await directoriesOf(work);
    const stats = await statsOf(work, directories, [...entries.keys()]);
    const baseIndex = { GIT_INDEX_FILE: join(this.#tree.scratch, "base-index") };
    const base = headSha === baseSha ? entries : await this.#read(baseSha, baseIndex);
    await this.#takeLinksOut(entries, base, stats, changes);
    await this.#takeLargeOut(entries, stats, limits, changes);
    const differing = await this.#differing();
    for (const path of differing) {
      const at = stats.get(path) ?? null;
      if (at === null || at.isDirectory()) changes.deleted.push(path);
      else if (!at.isFile() && !at.isSymbolicLink()) throw refused(path, "is neither a file nor a link any more.");
      else changes.changed.set(path, at);
    }
    await this.#keepUntouched(changes, entries, this.#index, this.#tree.crlf);
    if (base !== entries) {
      const same = new Map([...entries].filter(([path, { sha }]) => base.get(path)?.sha === sha));
      await this.#keepUntouched(changes, same, baseIndex, false);
    }
    await this.#addNew(changes, directories);
    return changes;
  }

  async #read(sha: string, index: { GIT_INDEX_FILE: string }): Promise<Map<string, Entry>> {
    await git(["read-tree", sha], { gitDir: this.#gitDir, env: index });
    const { stdout } = await this.#raw(["ls-files", "-z", "--stage"], { env: index });
    return new Map(
      split(stdout).map((line) => {
        const [mode = "", sha = ""] = line.split(" ");
        return [line.slice(line.indexOf("\t") + 1), { mode, sha }];
      }),
    );
  }

  /** LT3: for a gitlink in its index, git would start another git in that folder. */
  async #takeLinksOut(
    entries: Map<string, Entry>,
    base: ReadonlyMap<string, Entry>,
    stats: ReadonlyMap<string, BigIntStats | null>,
    changes: Changes,
  ): Promise<void> {
    const gone: string[] = [];
    for (const [path, entry] of entries) {
      if (entry.mode !== gitlink) continue;
      gone.push(path);
      entries.delete(path);
      const before = base.get(path);
      const stands = stats.get(path)?.isDirectory() ?? false;
      if (before?.sha === entry.sha && before.mode === gitlink) {
        if (stands) changes.gitlinks.set(path, entry);
        else changes.deleted.push(path);
      } else if (stands && !(await this.#tree.isOwnWorktree(join(this.#tree.work, shown(path)))))
        changes.nested.push(path);
    }
    await this.#indexInfo(gone.map((path) => [path, { mode: "0", sha: nothing }]));
  }

  /** Compares a tracked file that is too large by its size, because git would read it whole. */
  async #takeLargeOut(
    entries: Map<string, Entry>,
    stats: ReadonlyMap<string, BigIntStats | null>,
    limits: Limits | null,
    changes: Changes,
  ): Promise<void> {
    const large = [...entries].flatMap(([path, { sha }]) => {
      const at = stats.get(path);
      return at?.isFile() && at.size > BigInt(limits?.blobBytesMax ?? 10_000_000) ? [{ path, sha, at }] : [];
    });
    if (large.length === 0) return;
    const { stdout } = await this.#raw(["cat-file", "--batch-check=%(objectsize)"], {
      input: `${large.map(({ sha }) => sha).join("\n")}\n`,
    });
    const sizes = stdout.split("\n");
    const other = large.filter(({ at }, index) => `${at.size}` !== sizes[index]);
    for (const { path, at } of other) {
      // A large file that a checkout converts has another size, too. Such a file counts as changed, and Baton refuses
      // it by name.
      changes.changed.set(path, at);
      entries.delete(path);
    }
    await this.#indexInfo(other.map(({ path }) => [path, { mode: "0", sha: nothing }]));
  }

  /** Paths of the index whose bytes on disk differ. */
  async #differing(): Promise<string[]> {
    const options = { gitDir: this.#rawGitDir, workTree: this.#tree.work, cwd: this.#tree.work, env: this.#index };
    await this.#raw(["update-index", "-q", "--really-refresh"], { ...options, okCodes: [1] });
    const { stdout } = await this.#raw(
      ["diff-files", "-z", "--name-only", "--no-renames", "--ignore-submodules=all"],
      options,
    );
    return split(stdout);
  }

  /** LT1 */
  async #keepUntouched(
    changes: Changes,
    entries: ReadonlyMap<string, Entry>,
    index: { GIT_INDEX_FILE: string },
    crlf: boolean,
  ): Promise<void> {
    for (const autocrlf of crlf ? ["false", "true"] : ["false"]) {
      const suspects = [...changes.changed].filter(
        ([path, at]) => at.isFile() && entries.get(path)?.mode.startsWith("100"),
      );
      if (suspects.length === 0) return;
      const expected = join(
        this.#tree.scratch,
        `expected-${changes.changed.size}-${autocrlf}-${index === this.#index}`,
      );
      await mkdir(expected);
      await this.#raw(["-c", `core.autocrlf=${autocrlf}`, "checkout-index", "-q", "-f", "-z", "--stdin"], {
        gitDir: this.#gitDir,
        workTree: expected,
        cwd: expected,
        env: index,
        input: suspects.map(([path]) => `${path}\0`).join(""),
        okCodes: [1, 128],
      });
      for (const [path, at] of suspects) {
        const was = await readBounded(expected, path, at.size);
        if (was === null || !was.equals((await readBounded(this.#tree.work, path, at.size)) ?? Buffer.from("?")))
          continue;
        changes.changed.delete(path);
        const { sha, mode } = entries.get(path) as Entry;
        if (modeOf(at) !== mode) changes.modes.set(path, { sha, mode: modeOf(at) });
      }
    }
  }

  async #addNew(changes: Changes, directories: Awaited<ReturnType<typeof directoriesOf>>): Promise<void> {
    const { work, isOwnWorktree } = this.#tree;
    const { stdout } = await this.#raw(["ls-files", "-z", "--others", "--exclude-standard"], {
      gitDir: this.#rawGitDir,
      workTree: work,
      cwd: work,
      env: this.#index,
    });
    const files: string[] = [];
    for (const path of split(stdout)) {
      const inLink = [...changes.gitlinks.keys()].some((link) => path === `${link}/` || path.startsWith(`${link}/`));
      if (inLink || changes.changed.has(path)) continue;
      if (!path.endsWith("/")) files.push(path);
      else if (!(await isOwnWorktree(join(work, shown(path)))) && !changes.nested.includes(path.slice(0, -1)))
        changes.nested.push(path.slice(0, -1));
    }
    for (const [path, at] of await statsOf(work, directories, files))
      if (at?.isFile() || at?.isSymbolicLink()) changes.changed.set(path, at);
  }

  /**
   * Copies the changed files into a folder of Baton's own. Nothing grows, shrinks or becomes a link while git reads it.
   */
  async copy({ changed }: Changes, { blobBytesMax }: Limits): Promise<void> {
    const { work } = this.#tree;
    for (const [path, at] of changed) {
      const to = bytes(this.#copies, path);
      const directory = path.includes("/") ? bytes(this.#copies, path.slice(0, path.lastIndexOf("/"))) : null;
      if (directory !== null) await mkdir(directory, { recursive: true });
      if (at.isSymbolicLink()) {
        await symlink(await readlink(bytes(work, path), "buffer"), to);
        continue;
      }
      const content = await readBounded(work, path, BigInt(blobBytesMax));
      if (content === null) throw refused(path, "cannot be read, or grew while Baton read it.");
      await writeFile(to, content, { mode: modeOf(at) === "100755" ? 0o755 : 0o644 });
    }
  }

  /** The tree of the head with the changes. */
  async write({ deleted, changed, modes, gitlinks }: Changes): Promise<string> {
    const attributes = [...changed.keys()].filter((path) => namesOfAttributes.test(path));
    await this.#add([...deleted, ...attributes]);
    await this.#add([...changed.keys()].filter((path) => !namesOfAttributes.test(path)));
    await this.#indexInfo([...modes, ...gitlinks]);
    return (await git(["write-tree"], { gitDir: this.#gitDir, env: this.#index })).stdout.trim();
  }

  async #add(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const add = ["-c", `core.autocrlf=${this.#tree.crlf ? "input" : "false"}`, "update-index", "--add", "--remove"];
    const options = { gitDir: this.#gitDir, workTree: this.#copies, cwd: this.#copies, env: this.#index };
    const input = (some: readonly string[]): string => some.map((path) => `${path}\0`).join("");
    const all = await this.#raw([...add, "--replace", "-z", "--stdin"], {
      ...options,
      input: input(paths),
      okCodes: [128],
    });
    if (all.exitCode === 0) return;
    // A file whose encoding contradicts its attributes stops git. Baton stores such a file unconverted.
    for (const path of paths) {
      const one = await this.#raw([...add, "--replace", "-z", "--stdin"], {
        ...options,
        input: input([path]),
        okCodes: [128],
      });
      if (one.exitCode === 0) continue;
      await this.#raw([...add, "--replace", "-z", "--stdin"], {
        ...options,
        gitDir: this.#rawGitDir,
        env: { ...this.#index, GIT_OBJECT_DIRECTORY: join(this.#gitDir, "objects") },
        input: input([path]),
      });
    }
  }

  async #indexInfo(entries: readonly [string, Entry][]): Promise<void> {
    if (entries.length === 0) return;
    const input = entries.map(([path, { mode, sha }]) => `${mode} ${sha}\t${path}\0`).join("");
    await this.#raw(["update-index", "-z", "--index-info"], { env: this.#index, input });
  }

  #raw(args: string[], options: GitOptions): ReturnType<typeof git> {
    return git(args, { gitDir: this.#gitDir, encoding: "latin1", ...options });
  }
}

function modeOf(at: BigIntStats): string {
  return (at.mode & 0o100n) === 0n ? "100644" : "100755";
}

function split(stdout: string): string[] {
  return stdout.split("\0").filter((part) => part !== "");
}

/** Null: not a plain file, or more than `bytesMax`. */
async function readBounded(directory: string, path: string, bytesMax: bigint): Promise<Buffer | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(bytes(directory, path), flags).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile() || stats.size > bytesMax) return null;
    const content = Buffer.alloc(Number(stats.size));
    let filled = 0;
    while (filled < content.length) {
      const { bytesRead } = await file.read(content, filled, content.length - filled, filled);
      if (bytesRead === 0) return null;
      filled += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}
