/**
 * A child's input as an open file. It is written before the start. The child can read it while Baton's event loop is
 * blocked.
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OpenInput {
  descriptor: number;
  close(): void;
}

/** Read-only, at offset 0, and without a name. The caller closes it once the child has its own copy. */
export function openInput(data: string | Uint8Array): OpenInput {
  const { path, remove } = writeInput(data);
  try {
    const descriptor = openSync(path, "r");
    return { descriptor, close: () => closeSync(descriptor) };
  } finally {
    remove();
  }
}

/** For this user alone. The caller removes the file after opening it. */
export function writeInput(data: string | Uint8Array): { path: string; remove(): void } {
  const path = join(tmpdir(), `baton-input-${randomUUID()}`);
  const remove = (): void => rmSync(path, { force: true });
  try {
    writeFileSync(path, data, { flag: "wx", mode: 0o600 });
  } catch (error) {
    remove();
    throw error;
  }
  return { path, remove };
}
