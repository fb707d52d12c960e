/**
 * Files in a folder that an agent can write, read by Baton, which may see more than the agent.
 *
 * AF1 No link is followed below the folder, neither the file's own nor one of a directory above it, also while the agent runs.
 * AF2 Only a regular file with one name is read, and no more of it than the caller allows. Anything else is "not there".
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { platform } from "node:process";

const entriesMax = 10_000;
const chunkBytes = 1024 * 1024;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Whole; null: not there, not such a file, or larger than that. */
export function readAgentFile(root: string, path: string, bytesMax: number): Buffer | null {
  return withFile(root, path, (file, size) => (size > bytesMax ? null : readAt(file, 0, size)));
}

/** Its end, at most that much. */
export function readAgentFileTail(root: string, path: string, bytesMax: number): Buffer | null {
  return withFile(root, path, (file, size) => {
    const length = Math.min(size, bytesMax);
    return readAt(file, size - length, length);
  });
}

/** Null: not there, or not such a file. */
export function agentFileBytes(root: string, path: string): number | null {
  return withFile(root, path, (_, size) => size);
}

/** Into a new file of Baton's own; false, and no file, where it cannot be read or is larger than that. */
export function copyAgentFile(root: string, path: string, to: string, bytesMax: number): boolean {
  const copied = withFile(root, path, (file, size) => {
    if (size > bytesMax) return false;
    rmSync(to, { force: true });
    const target = openSync(to, "wx", 0o600);
    try {
      for (let at = 0; at < size; at += chunkBytes)
        writeSync(target, readAt(file, at, Math.min(chunkBytes, size - at)));
    } finally {
      closeSync(target);
    }
    return true;
  });
  return copied ?? false;
}

/** The first file whose name is wanted, in a directory and so many levels below. */
export function findAgentFile(
  root: string,
  directory: string,
  depth: number,
  isWanted: (name: string) => boolean,
): string | null {
  const queue = [{ path: directory, depth }];
  let seen = 0;
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
    for (const entry of list(root, one.path)) {
      seen += 1;
      if (seen > entriesMax) return null;
      const path = join(one.path, entry.name);
      if (entry.isFile() && isWanted(entry.name)) return path;
      if (entry.isDirectory() && one.depth > 0) queue.push({ path, depth: one.depth - 1 });
    }
  }
  return null;
}

/** A descriptor below `root`, by `flags`; throws where a link is in the way. Missing directories are made where `make` says so. */
export function openBelow(root: string, path: string, flags: number, make = false): number {
  const way = relative(root, path);
  const parts = way === "" ? [] : way.split(sep);
  if (isAbsolute(way) || parts.includes("..")) throw new RangeError(`${path} is not below ${root}`);
  let here = openSync(root, O_RDONLY | O_DIRECTORY);
  let place = root;
  for (const [index, part] of parts.entries()) {
    const above = here;
    // What a descriptor holds cannot be exchanged for a link; other systems check each part of the path instead.
    const next = join(platform === "linux" ? `/proc/self/fd/${above}` : place, part);
    const isLast = index === parts.length - 1;
    try {
      if (make && !isLast) makeDirectory(next);
      here = openSync(next, (isLast ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW | O_NONBLOCK, 0o666);
    } finally {
      closeSync(above);
    }
    place = join(place, part);
  }
  return here;
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch {
    // It is there; the opening tells whether it is a directory.
  }
}

function withFile<T>(root: string, path: string, use: (file: number, size: number) => T): T | null {
  let file: number;
  try {
    file = openBelow(root, path, O_RDONLY);
  } catch {
    return null;
  }
  try {
    const { size, nlink } = fstatSync(file);
    return fstatSync(file).isFile() && nlink === 1 ? use(file, size) : null;
  } finally {
    closeSync(file);
  }
}

/** Shorter where the file has shrunk meanwhile. */
function readAt(file: number, from: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const bytes = readSync(file, buffer, at, length - at, from + at);
    if (bytes === 0) break;
    at += bytes;
  }
  return buffer.subarray(0, at);
}

function list(root: string, directory: string) {
  let opened: number;
  try {
    opened = openBelow(root, directory, O_RDONLY | O_DIRECTORY);
  } catch {
    return [];
  }
  try {
    const place = platform === "linux" ? `/proc/self/fd/${opened}` : directory;
    return readdirSync(place, { withFileTypes: true });
  } finally {
    closeSync(opened);
  }
}
