/** A program by its name: searched once, so that one which appears later in some directory of the PATH is not run. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Absolute path; null: there is none. */
export function findProgram(name: string): string | null {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (!directory.startsWith("/")) continue;
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here; the next directory.
    }
  }
  return null;
}
