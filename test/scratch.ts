/** A directory of this test run, for things that are made once for all files. `vitest.config.ts` sets it up. */
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
