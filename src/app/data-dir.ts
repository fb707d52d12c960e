/** Makes the folder that `BATON_DATA` names, or says why it cannot hold Baton's data. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { BatonError } from "../core/errors.ts";

export function makeDataDir(path: string): void {
  try {
    // Its files belong to Baton alone.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatonError("BATON_SETTINGS_INVALID", `BATON_DATA is "${path}", which cannot be used: ${why}`, { cause });
  }
}
