/**
 * Looks for secrets in every commit that a push would bring to the remote, before anything is sent.
 *
 * SC1 Each commit counts by itself. A value that a later commit removes is public all the same.
 * SC2 The scan reads only additions: new names, and lines that no file of its parent's change held. Fixtures of the
 *     base stay.
 * SC3 Binary files, link targets, `.gitmodules`, messages and people are text like any other. Git's plumbing reads
 *     them.
 * SC4 The error names files and commits, redacted, and never a value.
 */
import { randomUUID } from "node:crypto";
import { BatonError } from "../../core/errors.ts";
import { matchesAny } from "../../policy/paths.ts";
import type { SecretHit, SecretScan } from "../../ports/secret-scan.ts";
import { git } from "./git-command.ts";

export interface Outgoing {
  sha: string;
  /** Commits that the remote has, including their ancestors. */
  knownShas: readonly string[];
  /** Globs of files that may contain strings that look like tokens. */
  allow: readonly string[];
}

interface Piece {
  /** For people. */
  where: string;
  path: string | null;
  text: string;
}

const keyBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const namedMax = 5;
const batchCharactersMax = 1_000_000;
const batchBytesMax = 16 * 1024 * 1024;

export async function refuseSecrets(gitDir: string, scan: SecretScan, outgoing: Outgoing): Promise<void> {
  const found = new Set<string>();
  for (const sha of await outgoingCommits(gitDir, outgoing)) {
    const pieces = [...(await aboutCommit(gitDir, sha)), ...(await addedBy(gitDir, sha))];
    for (const batch of batches(pieces)) {
      for (const { where, kind } of await search(scan, batch, outgoing.allow)) found.add(`${where}: ${kind}`);
    }
  }
  if (found.size === 0) return;
  const named = [...found].slice(0, namedMax).join("; ");
  const more = found.size > namedMax ? `; and ${found.size - namedMax} more` : "";
  throw new BatonError(
    "BATON_SECRET_FOUND",
    `Baton did not push ${outgoing.sha.slice(0, 7)}. It holds secrets: ${named}${more}.`,
  );
}

/** The commits that the remote does not have, oldest first. */
export async function outgoingCommits(
  gitDir: string,
  { sha, knownShas }: Pick<Outgoing, "sha" | "knownShas">,
): Promise<string[]> {
  const present = await knownHere(gitDir, knownShas);
  const { stdout } = await git(["rev-list", "--reverse", sha, "--not", "--remotes=origin", ...present], { gitDir });
  return stdout.split("\n").filter((line) => line !== "");
}

/** The commits of the list that exist here. Git refuses a range with an unknown commit. */
export async function knownHere(gitDir: string, shas: readonly string[]): Promise<string[]> {
  if (shas.length === 0) return [];
  const { stdout } = await git(["cat-file", "--batch-check=%(objectname) %(objecttype)"], {
    gitDir,
    input: shas.map((sha) => `${sha}^{commit}\n`).join(""),
  });
  return stdout.split("\n").flatMap((line) => /^([0-9a-f]+) commit$/.exec(line)?.[1] ?? []);
}

async function aboutCommit(gitDir: string, sha: string): Promise<Piece[]> {
  const { stdout } = await git(["cat-file", "commit", sha], { gitDir });
  return [
    {
      where: `the message or author of commit ${sha.slice(0, 7)}`,
      path: null,
      text: stdout.replace(/^(?:tree|parent) [0-9a-f]+$/gm, ""),
    },
  ];
}

interface Change {
  path: string;
  newSha: string | null;
  oldSha: string | null;
}

/** The commit's own change. Works for a first commit. A merge counts against each parent. */
async function changesOf(gitDir: string, sha: string): Promise<Change[]> {
  const { stdout } = await git(
    ["diff-tree", "-r", "-m", "--root", "--no-commit-id", "-z", "--raw", "--no-renames", "--no-abbrev", sha],
    { gitDir },
  );
  const fields = stdout.split("\0").filter((field) => field !== "");
  const changes: Change[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode = "", newMode = "", oldSha = "", newSha = ""] = (fields[index] ?? "").slice(1).split(" ");
    const blob = (mode: string, id: string): string | null => (/^1[02]/.test(mode) ? id : null);
    changes.push({ path: fields[index + 1] ?? "", newSha: blob(newMode, newSha), oldSha: blob(oldMode, oldSha) });
  }
  return changes;
}

async function addedBy(gitDir: string, sha: string): Promise<Piece[]> {
  const changes = await changesOf(gitDir, sha);
  const before = new Set<string>();
  const oldShas = new Set(changes.flatMap(({ oldSha }) => (oldSha === null ? [] : [oldSha])));
  for await (const { text } of blobs(gitDir, [...oldShas])) for (const line of text.split("\n")) before.add(line);
  // A file that was only moved or copied within the change brings nothing new.
  const added = changes.filter(({ newSha }) => newSha !== null && !oldShas.has(newSha));
  const pathsOf = Map.groupBy(added, ({ newSha }) => newSha as string);
  const commit = sha.slice(0, 7);
  const pieces: Piece[] = changes
    .filter(({ oldSha, newSha }) => oldSha === null && newSha !== null)
    .map(({ path }) => ({ where: `a file name in commit ${commit}`, path: null, text: path }));
  for await (const { sha: blob, text } of blobs(gitDir, [...pathsOf.keys()])) {
    // The first line of every key is the same. An old first line does not make the letters below it old.
    const lines = text.split("\n").filter((line) => !before.has(line) || keyBegin.test(line));
    for (const { path } of pathsOf.get(blob) ?? [])
      pieces.push({ where: `${JSON.stringify(path)} in commit ${commit}`, path, text: lines.join("\n") });
  }
  return pieces;
}

/** Reads many files per call. No file can know the mark between them. */
async function* blobs(gitDir: string, shas: readonly string[]): AsyncGenerator<{ sha: string; text: string }> {
  if (shas.length === 0) return;
  const sizes = await git(["cat-file", "--batch-check=%(objectname) %(objectsize)"], {
    gitDir,
    input: `${shas.join("\n")}\n`,
  });
  let batch: string[] = [];
  let bytes = 0;
  const groups: string[][] = [];
  for (const line of sizes.stdout.trim().split("\n")) {
    const [sha = "", size = "0"] = line.split(" ");
    if (bytes + Number(size) > batchBytesMax && batch.length > 0) {
      groups.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(sha);
    bytes += Number(size);
  }
  groups.push(batch);
  const mark = `blob-${randomUUID()}`;
  for (const group of groups) {
    const { stdout } = await git(["cat-file", `--batch=${mark} %(objectname)`], {
      gitDir,
      input: `${group.join("\n")}\n`,
    });
    for (const part of stdout.split(`${mark} `).slice(1)) {
      const end = part.indexOf("\n");
      yield { sha: part.slice(0, end), text: part.slice(end + 1) };
    }
  }
}

function* batches(pieces: readonly Piece[]): Generator<Piece[]> {
  let batch: Piece[] = [];
  let characters = 0;
  for (const piece of pieces) {
    if (characters + piece.text.length > batchCharactersMax && batch.length > 0) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    batch.push(piece);
    characters += piece.text.length;
  }
  if (batch.length > 0) yield batch;
}

/**
 * The text between pieces is a sentence, because the scan ignores mere separators. Values on both sides must not join.
 */
const between = "\n\nBATON PIECE ENDS HERE\n\n";

async function search(
  scan: SecretScan,
  pieces: readonly Piece[],
  allow: readonly string[],
): Promise<{ where: string; kind: string }[]> {
  const starts: number[] = [];
  let text = "";
  for (const piece of pieces) {
    starts.push(text.length);
    text += piece.text + between;
  }
  const found: { where: string; kind: string }[] = [];
  for (const hit of await scan.find(text)) {
    const piece = pieces[starts.findLastIndex((start) => start <= hit.start)];
    if (piece === undefined || isAllowed(hit, piece, allow)) continue;
    found.push({ where: await redactedName(scan, piece.where), kind: hit.kind });
  }
  return found;
}

function isAllowed({ own }: SecretHit, { path }: Piece, allow: readonly string[]): boolean {
  return !own && path !== null && matchesAny(path, allow);
}

/** SC4: the file's name may itself contain the value. */
async function redactedName(scan: SecretScan, where: string): Promise<string> {
  return (await scan.find(where)).length === 0 ? where : "a file whose name holds one too";
}
