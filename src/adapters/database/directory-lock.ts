/**
 * An exclusive lock on a data directory. PGlite does not lock its own, and two processes on one lose acknowledged rows.
 *
 * K1 The kernel holds the lock on a file, as SQLite's exclusive transaction. Node has no file locks of its own. The
 *     lock ends with the process, however the process ends. No stale file can lock anybody out. The lock also works
 *     between containers that share a volume.
 * K2 `holder.json` only shows people the holder. Baton decides nothing by it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { BatonError } from "../../core/errors.ts";

/** SQLite's result code for a lock that another process holds. Extended codes keep it in their lowest byte. */
const sqliteBusy = 5;

export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const holder = join(directory, "holder.json");
  let lock: DatabaseSync | null = null;
  // Node prints a warning when this module loads. Programs that only import the library do not see it.
  const sqlite = await import("node:sqlite");
  try {
    mkdirSync(directory, { recursive: true });
    lock = new sqlite.DatabaseSync(join(directory, "lock"), { timeout: 0 });
    lock.exec("begin exclusive");
    writeFileSync(holder, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() }));
  } catch (thrown) {
    lock?.close();
    if (isBusy(thrown)) {
      const message = `The data directory ${directory} is in use by ${describeHolder(holder)}.`;
      throw new BatonError("BATON_DATABASE_LOCKED", message, { cause: thrown });
    }
    const message = `The data directory ${directory} cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new BatonError("BATON_DATABASE_UNAVAILABLE", message, { cause: thrown });
  }
  const held = lock;
  return {
    async [Symbol.asyncDispose]() {
      if (!held.isOpen) return;
      rmSync(holder, { force: true });
      held.close();
    },
  };
}

function isBusy(thrown: unknown): boolean {
  const { errcode } = (thrown ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" && (errcode & 0xff) === sqliteBusy;
}

function describeHolder(path: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(path, "utf8")) as { pid: number; host: string; since: string };
    return `the process ${pid} on ${host} (since ${since})`;
  } catch {
    return "another process";
  }
}
