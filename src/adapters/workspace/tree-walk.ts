/**
 * The agent's tree by `lstat` alone, before any git reads it. Finds the real directories, and entries that would stop
 * or mislead git.
 *
 * TW1 Nothing is opened. The walk never follows a link and never enters a nested `.git`.
 * TW2 Names are bytes, one character each (`latin1`), because file names need not be UTF-8.
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { BatonError } from "../../core/errors.ts";

/** Files that git itself reads while it searches a tree. */
const readByGit = new Set([".gitignore", ".gitattributes", ".gitmodules"]);
const readByGitBytesMax = 1024 * 1024;
const depthMax = 500;
const atOnce = 64;

/** Directories of a tree. */
export interface Directories {
  /** The real directories, `""` for the tree itself. */
  real: Set<string>;
  /** The directories that Baton may not read. */
  closed: Set<string>;
}

export async function directoriesOf(work: string): Promise<Directories> {
  const found: Directories = { real: new Set([""]), closed: new Set() };
  for (let level = [""], depth = 0; level.length > 0; depth += 1) {
    const next: string[] = [];
    if (depth > depthMax) throw refused(level[0] ?? "", `is more than ${depthMax} folders deep.`);
    for (let from = 0; from < level.length; from += atOnce)
      for (const inner of await Promise.all(level.slice(from, from + atOnce).map((one) => entriesOf(work, one, found))))
        next.push(...inner);
    for (const directory of next) found.real.add(directory);
    level = next;
  }
  return found;
}

/** The directories within one directory. Refuses entries for which git would wait or read without end. */
async function entriesOf(work: string, directory: string, { closed }: Directories): Promise<string[]> {
  const inner: string[] = [];
  const at = bytes(work, directory);
  const entries = await readdir(at, { withFileTypes: true, encoding: "buffer" }).catch((thrown: { code?: string }) => {
    if (thrown.code === "ENAMETOOLONG") throw refused(directory, "has a path that is too long for this system.");
    if (thrown.code !== "ENOENT" && thrown.code !== "ENOTDIR") closed.add(directory);
    return [];
  });
  for (const entry of entries) {
    const name = entry.name.toString("latin1");
    if (name === ".git") continue;
    const path = directory === "" ? name : `${directory}/${name}`;
    if (entry.isDirectory()) inner.push(path);
    else if (readByGit.has(name)) {
      const stats = await lstat(bytes(work, path));
      if (stats.isSymbolicLink()) continue;
      if (!stats.isFile()) throw refused(path, "is not a file.");
      if (stats.size > readByGitBytesMax)
        throw refused(path, `has ${stats.size} bytes; git reads at most ${readByGitBytesMax} of such a file.`);
    }
  }
  return inner;
}

/** `lstat` of paths in the tree. Null for a missing path, or where a parent directory is a link. */
export async function statsOf(
  work: string,
  { real, closed }: Directories,
  paths: readonly string[],
): Promise<Map<string, BigIntStats | null>> {
  const found = new Map<string, BigIntStats | null>();
  for (const path of closed.size === 0 ? [] : paths)
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1))
      if (closed.has(path.slice(0, end))) throw refused(path.slice(0, end), "is a folder that Baton may not read.");
  for (let from = 0; from < paths.length; from += atOnce) {
    const some = paths.slice(from, from + atOnce);
    const stats = await Promise.all(
      some.map((path) =>
        real.has(path.slice(0, Math.max(0, path.lastIndexOf("/"))))
          ? lstat(bytes(work, path), { bigint: true }).catch(() => null)
          : Promise.resolve(null),
      ),
    );
    for (const [index, path] of some.entries()) found.set(path, stats[index] ?? null);
  }
  return found;
}

/** A path in the tree as bytes, for the file system. */
export function bytes(work: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(path === "" ? work : `${work}/`), Buffer.from(path, "latin1")]);
}

/** The path in a form that people read. */
export function shown(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

export function refused(path: string, why: string): BatonError {
  return new BatonError("BATON_TREE_REFUSED", `"${shown(path)}" ${why}`);
}
