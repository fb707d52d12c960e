/**
 * The place of one attempt on disk: `runs/<run>/attempts/<name>/{work,repo.git,home,layers}`. Also checks that the
 * place is still the one that Baton made.
 *
 * Baton's own notes are next to `attempts`: `made/<name>.json`, `partial/<name>`, `scratch/<name>`. A sandbox binds
 * `work`, `repo.git` and `home` of one attempt.
 * AP1 Baton notes device, inode and type of each directory when it makes the directory. It compares them before it
 *     reads or deletes anything inside.
 * AP2 Baton imports and removes attempts that an older Baton made (`work/<name>`, `repo.git`).
 */
import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import { type RunId, runIdSchema } from "../../core/vocabulary.ts";
import { mountsBelow, unmountBelow } from "./mounts.ts";

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;

export interface AttemptPlace {
  run: string;
  /** Holds `work`, `repo` and `home`. */
  directory: string;
  /** The tree. */
  work: string;
  /** The attempt's own git directory. */
  repo: string;
  /** The directory of `repo` that has HEAD and index. */
  head: string;
  home: string;
  /** Holds the layers of a mounted tree. */
  layers: string;
  /** Exists while Baton makes or removes the tree. The agent did not delete parts that are missing then. */
  partial: string;
  made: string;
  scratch: string;
  /** An older Baton made it. */
  isOld: boolean;
}

interface Identity {
  type: "missing" | "link" | "directory" | "file" | "special";
  dev: string;
  ino: string;
}
const parts = ["run", "directory", "work", "repo", "home"] as const;
type Part = (typeof parts)[number];
/** The content of `made/<name>.json`. `mounted` is the tree, if an overlay is mounted over `work`. */
type Made = Record<Part, Identity> & { mounted: Identity | null };

export function attemptPlace(root: string, runId: RunId, name: string): AttemptPlace {
  if (!namePattern.test(name)) throw new BatonError("BATON_INTERNAL", `"${name}" cannot name a workspace.`);
  const run = join(root, "runs", runIdSchema.parse(runId));
  const notes = { run, partial: join(run, "partial", name), scratch: join(run, "scratch", name) };
  const made = join(run, "made", `${name}.json`);
  const directory = join(run, "attempts", name);
  const old = join(run, "work", name);
  if (existsSync(old) && !existsSync(directory)) {
    const repo = join(run, "repo.git");
    const head = join(repo, "worktrees", name);
    const layers = join(run, "overlay", name);
    return {
      ...notes,
      made,
      directory: head,
      work: old,
      repo,
      head,
      home: join(run, "home", name),
      layers,
      isOld: true,
    };
  }
  const repo = join(directory, "repo.git");
  const [work, home, layers] = ["work", "home", "layers"].map((part) => join(directory, part)) as [
    string,
    string,
    string,
  ];
  return { ...notes, made, directory, work, repo, head: repo, home, layers, isOld: false };
}

/** AP1, first half. Called when the directories are made, and again after each mount of the tree. */
export async function noteMade(place: AttemptPlace, mounted: boolean): Promise<void> {
  const earlier = await readMade(place);
  const found = await Promise.all(parts.map(async (part) => [part, await identity(place[part])] as const));
  const now = Object.fromEntries(found) as Record<Part, Identity>;
  const made: Made = { ...now, mounted: null };
  if (mounted && earlier !== null) Object.assign(made, { work: earlier.work, mounted: now.work });
  await mkdir(dirname(place.made), { recursive: true });
  await writeFile(`${place.made}.new`, JSON.stringify(made));
  await rename(`${place.made}.new`, place.made);
}

/** AP1, second half. BATON_TREE_REFUSED names the path that was replaced. */
export async function checkMade(place: AttemptPlace): Promise<void> {
  const made = await readMade(place);
  if (made === null && !place.isOld) throw replaced(place.directory, "has no note of Baton about how it was made");
  const { dev } = await identity(dirname(place.run));
  for (const part of parts) {
    const is = await identity(place[part]);
    if (is.type !== "directory") throw replaced(place[part], is.type === "missing" ? "is gone" : `is a ${is.type}`);
    if (made === null) continue;
    const isTheMount = part === "work" && is.dev === made.mounted?.dev && is.ino === made.mounted.ino;
    // A disk may get another number when the machine restarts. Baton therefore compares its own directories with each
    // other.
    if (!isTheMount && (is.ino !== made[part].ino || is.dev !== dev))
      throw replaced(place[part], "is not the directory that Baton made");
  }
  for (const path of [place.work, place.repo]) {
    const top = await realpath(path);
    const inner = (await mountsBelow(path)).find((point) => point !== top);
    if (inner !== undefined) throw replaced(inner, "is a mount");
  }
}

/** Deletes `path` itself, and nothing that a link there leads to. Never deletes through a mount. */
export async function removeUnfollowed(path: string): Promise<void> {
  const { type } = await identity(path);
  if (type === "missing") return;
  if (type === "directory") await unmountBelow(path);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** False: an agent put a link or a file in the place of a directory. Baton must not delete anything below it then. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await identity(path)).type === "directory";
}

async function readMade({ made }: AttemptPlace): Promise<Made | null> {
  const text = await readFile(made, "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as Made);
}

async function identity(path: string): Promise<Identity> {
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  if (stats === null) return { type: "missing", dev: "", ino: "" };
  const where = { dev: `${stats.dev}`, ino: `${stats.ino}` };
  if (stats.isSymbolicLink()) return { type: "link", ...where };
  return { type: stats.isDirectory() ? "directory" : stats.isFile() ? "file" : "special", ...where };
}

function replaced(path: string, why: string): BatonError {
  return new BatonError("BATON_TREE_REFUSED", `${path} ${why}. Baton read nothing in it.`);
}
