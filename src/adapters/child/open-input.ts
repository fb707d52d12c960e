/** A child's input as an open file: written before the start, so the child reads it even while Baton's event loop is blocked. */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OpenInput {
  descriptor: number;
  close(): void;
}

/** Read-only, at offset 0, and without a name. The caller closes it once the child has its own copy. */
export function openInput(data: string | Uint8Array): OpenInput {
  const path = join(tmpdir(), `baton-input-${randomUUID()}`);
  try {
    writeFileSync(path, data, { flag: "wx", mode: 0o600 });
    const descriptor = openSync(path, "r");
    return { descriptor, close: () => closeSync(descriptor) };
  } finally {
    unlinkSync(path);
  }
}
