/** Commits, trees and differences, read from git and still without GitHub's addresses. */
import { git, tryGit } from "./git.ts";

export interface CommitFacts {
  sha: string;
  tree: string;
  parents: string[];
  author: { name: string; email: string; date: string };
  committer: { name: string; email: string; date: string };
  message: string;
}

const format = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x00");

function parseCommit(text: string): CommitFacts {
  const [sha = "", tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...message] =
    text.split("\0");
  return {
    sha: sha.trim(),
    tree,
    parents: parents === "" ? [] : parents.split(" "),
    author: { name: an, email: ae, date: utc(ad) },
    committer: { name: cn, email: ce, date: utc(cd) },
    message: message.join("\0").replace(/\n+$/, ""),
  };
}

function utc(date: string): string {
  return `${new Date(date).toISOString().slice(0, 19)}Z`;
}

/** Newest first, at most 250 as in GitHub's lists. */
export async function readCommits(directory: string, range: string[], max = 250): Promise<CommitFacts[]> {
  const args = ["log", `--max-count=${max}`, `--format=${format}%x01`, ...range, "--"];
  const text = await git(directory, args);
  return text
    .split("\x01")
    .filter((part) => part.trim() !== "")
    .map(parseCommit);
}

export async function readCommit(directory: string, sha: string): Promise<CommitFacts> {
  const [commit] = await readCommits(directory, [sha], 1);
  if (commit === undefined) throw new Error(`No commit ${sha} in ${directory}.`);
  return commit;
}

export interface FileDifference {
  path: string;
  previousPath: string | null;
  status: "added" | "removed" | "modified" | "renamed" | "copied" | "changed";
  sha: string;
  additions: number;
  deletions: number;
  /** Absent for binary files and very large ones, as on GitHub. */
  patch: string | null;
}

const statusByLetter: Record<string, FileDifference["status"]> = {
  A: "added",
  D: "removed",
  M: "modified",
  R: "renamed",
  C: "copied",
  T: "changed",
};

export async function readDifference(directory: string, from: string, to: string): Promise<FileDifference[]> {
  const raw = (await git(directory, ["diff", "--raw", "--no-abbrev", "-z", "-M", from, to])).split("\0");
  const files: FileDifference[] = [];
  for (let at = 0; at < raw.length; at += 1) {
    const head = raw[at];
    if (head === undefined || !head.startsWith(":")) continue;
    const [, , before = "", after = "", letter = "M"] = head.split(" ");
    const status = statusByLetter[letter[0] ?? "M"] ?? "modified";
    const twoPaths = status === "renamed" || status === "copied";
    const first = raw[(at += 1)] ?? "";
    const path = twoPaths ? (raw[(at += 1)] ?? "") : first;
    const sha = status === "removed" ? before : after;
    files.push({ path, previousPath: twoPaths ? first : null, status, sha, additions: 0, deletions: 0, patch: null });
  }
  await addCounts(directory, { from, to, files });
  await addPatches(directory, { from, to, files });
  return files;
}

async function addCounts(directory: string, given: { from: string; to: string; files: FileDifference[] }) {
  const parts = (await git(directory, ["diff", "--numstat", "-z", "-M", given.from, given.to])).split("\0");
  let index = 0;
  for (let at = 0; at < parts.length && index < given.files.length; at += 1) {
    const [added = "", removed = "", path = ""] = (parts[at] ?? "").split("\t");
    const file = given.files[index];
    if (file === undefined || added === "") continue;
    file.additions = Number(added) || 0;
    file.deletions = Number(removed) || 0;
    // Git writes a rename as an empty path followed by two paths.
    if (path === "") at += 2;
    index += 1;
  }
}

async function addPatches(directory: string, given: { from: string; to: string; files: FileDifference[] }) {
  const text = await git(directory, ["diff", "-M", "--no-color", "--no-ext-diff", given.from, given.to]);
  const patches = text.split(/^diff --git /m).slice(1);
  for (const [index, patch] of patches.entries()) {
    const file = given.files[index];
    const hunks = patch.indexOf("\n@@ ");
    if (file !== undefined && hunks >= 0 && patch.length < 300_000) {
      file.patch = patch.slice(hunks + 1).replace(/\n$/, "");
    }
  }
}

export interface TreeEntry {
  mode: string;
  type: "blob" | "tree" | "commit";
  sha: string;
  size: number | null;
  path: string;
}

export async function readTree(directory: string, tree: string, recursive = false): Promise<TreeEntry[] | null> {
  const out = await tryGit(directory, ["ls-tree", "-z", "-l", ...(recursive ? ["-r", "-t"] : []), tree]);
  if (out === null) return null;
  return out
    .toString()
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [facts = "", path = ""] = line.split("\t");
      const [mode = "", type = "", sha = "", size = ""] = facts.split(/ +/);
      return { mode, type: type as TreeEntry["type"], sha, size: size === "-" ? null : Number(size), path };
    });
}

export async function readBlob(directory: string, sha: string): Promise<Buffer | null> {
  return tryGit(directory, ["cat-file", "blob", sha]);
}

/** The entry at `path` of a commit, or null. An empty path is the root tree. */
export async function readEntry(directory: string, sha: string, path: string): Promise<TreeEntry | null> {
  if (path === "") return { mode: "040000", type: "tree", sha: `${sha}^{tree}`, size: null, path: "" };
  const out = await tryGit(directory, ["ls-tree", "-z", "-l", sha, "--", path]);
  const line = out?.toString().split("\0")[0] ?? "";
  if (line === "") return null;
  const [facts = "", found = ""] = line.split("\t");
  const [mode = "", type = "", entrySha = "", size = ""] = facts.split(/ +/);
  if (found !== path) return null;
  return {
    mode,
    type: type as TreeEntry["type"],
    sha: entrySha,
    size: size === "-" ? null : Number(size),
    path: found,
  };
}
