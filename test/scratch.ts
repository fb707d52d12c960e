/** A directory of this run of the tests: what is made once for all files is there. Set up by `vitest.config.ts`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const scratchVariable = "BATON_TEST_SCRATCH_DIRECTORY";

export default function prepare(): (() => void) | undefined {
  // Another project's files share it.
  if (process.env[scratchVariable] !== undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "baton-tests-"));
  process.env[scratchVariable] = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}
