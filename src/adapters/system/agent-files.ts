/**
 * Files in a folder that an agent can write. Baton reads them, and Baton may see more than the agent.
 *
 * AF1 Below the folder Baton follows no link, neither the file's own nor a parent directory's. That also holds while
 *     the agent runs.
 * AF2 Baton reads only a regular file with one name, and only as much of it as the caller allows. Anything else is "not
 *     there".
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

/** The whole file. Null: missing, not such a file, or larger than the limit. */
export function readAgentFile(root: string, path: string, bytesMax: number): Buffer | null {
  return withFile(root, path, (file, size) => (size > bytesMax ? null : readAt(file, 0, size)));
}

/** The end of the file, up to the limit. */
export function readAgentFileTail(root: string, path: string, bytesMax: number): Buffer | null {
  return withFile(root, path, (file, size) => {
    const length = Math.min(size, bytesMax);
    return readAt(file, size - length, length);
  });
}

/** Null: missing, or not such a file. */
export function agentFileBytes(root: string, path: string): number | null {
  return withFile(root, path, (_, size) => size);
}

/** Copies into a new file of Baton's own. False, and no file, where the source is unreadable or too large. */
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

/** The first file with a wanted name, in a directory and at most `levels` below it. */
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

/**
 * Opens a descriptor below `root` with `flags`. Throws where a link is in the way. Creates missing directories if
 * `make` is set.
 */
export function openBelow(root: string, path: string, flags: number, make = false): number {
  const way = relative(root, path);
  const parts = way === "" ? [] : way.split(sep);
  if (isAbsolute(way) || parts.includes("..")) throw new RangeError(`${path} is not below ${root}`);
  let here = openSync(root, O_RDONLY | O_DIRECTORY);
  let place = root;
  for (const [index, part] of parts.entries()) {
    const above = here;
    // An open descriptor cannot be replaced by a link. Other systems check each part of the path instead.
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
    // It exists. Opening it shows whether it is a directory.
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
