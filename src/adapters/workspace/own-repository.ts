/**
 * Baton's own bare repositories. Baton repairs them before each use, because an agent without a sandbox runs as the
 * same user.
 *
 * OR1 At the start of each use, git's configuration, HEAD and alternates are Baton's text, byte for byte.
 * OR2 Links and files that Baton did not make are removed, never followed: hooks, `info`, `commondir`,
 *     `config.worktree`, `shallow`.
 * OR3 Baton makes a repository again if it is a link or not a directory. Otherwise objects and refs are kept.
 */
import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { KeyedMutex } from "./keyed-mutex.ts";

export interface OwnRepository {
  gitDir: string;
  /** Object directories that it borrows. */
  alternates?: readonly string[];
  /** Its history may be cut off. Set only for the scratch repository of the state refs. */
  shallow?: boolean;
  log?: Log;
}

const head = "ref: refs/heads/main\n";
const config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
/** Files of a git process that is working in it. */
const inUse = /\.lock$|^(?:tmp_|FETCH_HEAD$|packed-refs\.new$)/;

const mutex = new KeyedMutex();

/** The repository, ready for one call of git. */
export function ownRepository(repository: OwnRepository): Promise<string> {
  return mutex.run(repository.gitDir, () => ready(repository));
}

async function ready(repository: OwnRepository): Promise<string> {
  const { gitDir } = repository;
  if (!(await isDirectory(dirname(gitDir)))) await mkdir(dirname(gitDir), { recursive: true, mode: 0o700 });
  if (!(await isDirectory(dirname(gitDir))))
    throw new BatonError(
      "BATON_INTERNAL",
      `${dirname(gitDir)} is a link. Baton uses only directories of its own there.`,
    );
  const isThere = (await isDirectory(gitDir)) && (await isFile(join(gitDir, "ready")));
  if (!isThere || !(await putRight(repository))) await make(repository);
  return gitDir;
}

/** Writes a bare repository without starting a process. */
export async function writeBareRepository(gitDir: string, alternates: readonly string[] = []): Promise<void> {
  for (const directory of ["objects/info", "objects/pack", "refs/heads", "info"])
    await mkdir(join(gitDir, directory), { recursive: true });
  await Promise.all([
    writeFile(join(gitDir, "config"), config),
    writeFile(join(gitDir, "HEAD"), head),
    ...(alternates.length === 0
      ? []
      : [writeFile(join(gitDir, "objects", "info", "alternates"), alternatesText(alternates))]),
  ]);
}

async function make({ gitDir, alternates = [] }: OwnRepository): Promise<void> {
  await rm(gitDir, { recursive: true, force: true });
  const making = `${gitDir}.${randomUUID()}`;
  await writeBareRepository(making, alternates);
  await rm(join(making, "info"), { recursive: true });
  await writeFile(join(making, "ready"), "");
  try {
    await rename(making, gitDir);
  } catch (thrown) {
    await rm(making, { recursive: true, force: true });
    // Another caller was faster.
    if (!(await isFile(join(gitDir, "ready")))) throw thrown;
  }
}

/** False: it cannot be repaired, and Baton has to make it again. */
async function putRight(repository: OwnRepository): Promise<boolean> {
  const { gitDir, alternates = [], log } = repository;
  const wrong: string[] = [];
  for (const entry of await readdir(gitDir, { withFileTypes: true })) {
    if (isExpected(repository, entry) || inUse.test(entry.name)) continue;
    if (entry.name === "objects") return false;
    wrong.push(entry.name);
    await rm(join(gitDir, entry.name), { recursive: true, force: true });
  }
  if (!(await isDirectory(join(gitDir, "objects")))) return false;
  for (const directory of ["objects/info", "objects/pack", "refs/heads"])
    await mkdir(join(gitDir, directory), { recursive: true });
  wrong.push(...(await removeStrange(gitDir)));
  if (await rewrite(join(gitDir, "HEAD"), head)) wrong.push("HEAD");
  const found = await readFile(join(gitDir, "config"), "utf8").catch(() => "");
  if ((await rewrite(join(gitDir, "config"), config)) && !isOfFilter(found)) wrong.push("config");
  const borrowed = join(gitDir, "objects", "info", "alternates");
  if (alternates.length === 0) await rm(borrowed, { recursive: true, force: true });
  else if (await rewrite(borrowed, alternatesText(alternates))) wrong.push("objects/info/alternates");
  if (wrong.length > 0)
    log?.warn("Somebody changed a repository of Baton's own. Baton put it right", { gitDir, wrong });
  return true;
}

/** The setting that git itself adds when it fetches without blobs. A call that needs it sets it again. */
function isOfFilter(text: string): boolean {
  return text === `${config}[remote "origin"]\n\tpartialclonefilter = blob:none\n`;
}

function isExpected({ shallow = false }: OwnRepository, entry: Dirent): boolean {
  if (entry.name === "objects" || entry.name === "refs") return entry.isDirectory();
  if (!entry.isFile()) return false;
  return ["HEAD", "config", "packed-refs", "ready"].includes(entry.name) || (shallow && entry.name === "shallow");
}

/** Removes links among objects and refs, and the files in `objects/info` that git reads, except the alternates. */
async function removeStrange(gitDir: string): Promise<string[]> {
  const wrong: string[] = [];
  const remove = async (path: string): Promise<void> => {
    wrong.push(path);
    await rm(join(gitDir, path), { recursive: true, force: true });
  };
  for (const entry of await readdir(join(gitDir, "objects", "info"), { withFileTypes: true }))
    if (!inUse.test(entry.name) && (entry.name !== "alternates" || !entry.isFile()))
      await remove(join("objects", "info", entry.name));
  for (const directory of ["objects", "objects/pack", "refs", "refs/heads", "refs/remotes", "refs/baton"])
    for (const entry of await readdir(join(gitDir, directory), { withFileTypes: true }).catch(() => [] as Dirent[]))
      if (!entry.isDirectory() && !entry.isFile()) await remove(join(directory, entry.name));
  return wrong;
}

/** True: the text was different before. Never follows a link at the path, and never leaves a half-written file. */
async function rewrite(path: string, text: string): Promise<boolean> {
  if ((await isFile(path)) && (await readFile(path, "utf8")) === text) return false;
  // Git treats a file of this name as a lock, so no other call of ours removes it.
  const making = join(dirname(path), `${basename(path)}.${randomUUID()}.lock`);
  const file = await open(making, "wx", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  if (await isDirectory(path)) await rm(path, { recursive: true });
  await rename(making, path).catch(async (thrown: unknown) => {
    await unlink(making).catch(() => {});
    throw thrown;
  });
  return true;
}

function alternatesText(alternates: readonly string[]): string {
  return alternates.map((directory) => `${directory}\n`).join("");
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() ?? false;
}
