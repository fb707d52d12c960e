/**
 * The rules by which git accepts the name of a branch: `git check-ref-format --branch`,
 * https://git-scm.com/docs/git-check-ref-format.
 */
import { bytesOf } from "./bytes.ts";

const bytesMax = 240;

export function isBranchName(name: string): boolean {
  if (name === "" || name === "HEAD" || name.startsWith("-") || name.endsWith(".")) return false;
  if (bytesOf(name) > bytesMax) return false;
  for (const character of name) if (character <= " " || character === "\u007f") return false;
  if (/[~^:?*[\\]/.test(name) || name.includes("..") || name.includes("@{")) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** True when one branch name is a folder of the other. Git keeps only one of the two. */
export function standsInTheWay(name: string, existing: string): boolean {
  return existing !== name && (existing.startsWith(`${name}/`) || name.startsWith(`${existing}/`));
}
