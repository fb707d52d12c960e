/**
 * The disk space that the agent's directories use.
 *
 * DU1 An entry counts its size or its blocks, whichever is more, and at least one block. Sparse and tiny files count,
 *     too.
 * DU2 Counting ends as soon as the limit is exceeded. Links are counted, not followed.
 */
import { lstat, opendir, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface DiskUse {
  bytes: number;
  /** A directory was unreadable, so `bytes` may be too low. */
  partial: boolean;
}

const blockBytes = 4096;

export async function measureDirectories(paths: readonly string[], enoughBytes: number): Promise<DiskUse> {
  const use: DiskUse = { bytes: 0, partial: false };
  const seen = new Set<string>();
  const open = [...paths];
  for (let path = open.pop(); path !== undefined && use.bytes <= enoughBytes; path = open.pop()) {
    const directory = await opendir(path, { bufferSize: 256 }).catch(() => null);
    if (directory === null) {
      use.partial = true;
      continue;
    }
    try {
      for await (const entry of directory) {
        const child = join(path, entry.name);
        const facts = await lstat(child).catch(() => null);
        if (facts === null) continue;
        if (facts.isDirectory()) open.push(child);
        if (facts.nlink > 1 && !facts.isDirectory()) {
          const identity = `${facts.dev}:${facts.ino}`;
          if (seen.has(identity)) continue;
          seen.add(identity);
        }
        use.bytes += Math.max(facts.size, facts.blocks * 512, blockBytes);
        if (use.bytes > enoughBytes) break;
      }
    } catch {
      use.partial = true;
    }
  }
  return use;
}

export interface FileSystemUse {
  usedBytes: number;
  usedFiles: number;
}

/** Total of the file systems that hold the directories. It is cheap to read, and shared with the rest of the machine. */
export async function fileSystemUse(paths: readonly string[]): Promise<FileSystemUse> {
  const seen = new Set<number>();
  const sum: FileSystemUse = { usedBytes: 0, usedFiles: 0 };
  for (const path of paths) {
    const facts = await lstat(path).catch(() => null);
    if (facts === null || seen.has(facts.dev)) continue;
    seen.add(facts.dev);
    const use = await statfs(path).catch(() => null);
    if (use === null) continue;
    sum.usedBytes += (use.blocks - use.bfree) * use.bsize;
    sum.usedFiles += use.files - use.ffree;
  }
  return sum;
}
