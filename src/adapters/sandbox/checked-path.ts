/**
 * Paths that were checked part by part without following a link.
 *
 * An agent could plant a link where Baton later binds a directory. A path with a link in it is refused, not resolved.
 */
import { lstat, realpath } from "node:fs/promises";
import { BatonError } from "../../core/errors.ts";

/** `file`, `directory`, or null where nothing is. A link anywhere in the path is an error. */
export async function checkedKind(path: string): Promise<"file" | "directory" | null> {
  const parts = path.split("/").filter((part) => part !== "");
  let at = "";
  let kind: "file" | "directory" | null = "directory";
  for (const [index, part] of parts.entries()) {
    at = `${at}/${part}`;
    const entry = await lstat(at).catch(() => null);
    if (entry === null) return null;
    if (entry.isSymbolicLink()) throw refused(path, `"${at}" is a link`);
    if (index < parts.length - 1 && !entry.isDirectory()) return null;
    kind = entry.isDirectory() ? "directory" : "file";
  }
  return kind;
}

/** The directories of a policy: each has to be there. */
export async function requireDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    if ((await checkedKind(path)) !== "directory") throw refused(path, "there is no such directory");
}

/** Where a path of the operator leads once its links are resolved; null where it leads nowhere. */
export async function resolved(path: string): Promise<string | null> {
  return await realpath(path).catch(() => null);
}

export function refused(path: string, why: string): BatonError {
  return new BatonError("BATON_SANDBOX_REFUSED", `The sandbox cannot use "${path}": ${why}.`);
}
