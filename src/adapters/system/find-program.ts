/**
 * Finds a program by its name. The search runs once, so a program that appears later in a directory of the PATH never
 * runs.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Absolute path. Null: there is none. */
export function findProgram(name: string): string | null {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (!directory.startsWith("/")) continue;
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here. Try the next directory.
    }
  }
  return null;
}
