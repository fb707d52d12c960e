/**
 * An exclusive lock on a data directory. PGlite does not lock its own, and two processes on one lose acknowledged rows.
 *
 * K1 The kernel holds the lock through a listening socket in the abstract namespace (Linux) or a named one elsewhere,
 *    so it ends with the process, however that ends: no stale file can lock anybody out.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatonError } from "../../core/errors.ts";

export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  mkdirSync(directory, { recursive: true });
  const real = realpathSync(directory);
  const holder = join(real, "holder.json");
  const server = createServer((socket) => socket.destroy());
  server.unref();
  const name = createHash("sha256").update(real).digest("hex").slice(0, 32);
  const address = process.platform === "linux" ? `\0baton-${name}` : process.platform === "win32" ? `\\\\.\\pipe\\baton-${name}` : join(tmpdir(), `baton-${name}.sock`);
  await listen(server, address).catch((thrown: unknown) => {
    throw new BatonError("BATON_DATABASE_LOCKED", `The data directory ${directory} is in use by ${describeHolder(holder)}.`, { cause: thrown });
  });
  writeFileSync(holder, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }));
  return {
    async [Symbol.asyncDispose]() {
      rmSync(holder, { force: true });
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(server: Server, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => resolve());
  });
}

function describeHolder(path: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(path, "utf8")) as { pid: number; since: string };
    return `the process ${pid} (since ${since})`;
  } catch {
    return "another process";
  }
}
