/**
 * Checks paths part by part without following a link.
 *
 * An agent could plant a link where Baton later binds a directory. Baton refuses a path with a link, and does not
 * resolve it.
 */
import { lstat, realpath } from "node:fs/promises";
import { BatonError } from "../../core/errors.ts";

/** `file`, `directory`, or null for a missing path. A link anywhere in the path is an error. */
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

/** Each directory of a policy must exist. */
export async function requireDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    if ((await checkedKind(path)) !== "directory") throw refused(path, "there is no such directory");
}

/** The target of an operator's path once its links are resolved. Null where there is none. */
export async function resolved(path: string): Promise<string | null> {
  return await realpath(path).catch(() => null);
}

export function refused(path: string, why: string): BatonError {
  return new BatonError("BATON_SANDBOX_REFUSED", `The sandbox cannot use "${path}": ${why}.`);
}
