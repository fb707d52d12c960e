/** A directory of this test run, for things that are made once for all files. `vitest.config.ts` sets it up. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const scratchVariable = "BATON_TEST_SCRATCH_DIRECTORY";

export default function prepare(): (() => void) | undefined {
  // Another project's files share it.
  if (process.env[scratchVariable] !== undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "baton-tests-"));
  process.env[scratchVariable] = directory;
  forgetCompiled();
  return () => rmSync(directory, { recursive: true, force: true });
}

const dayMs = 24 * 60 * 60_000;
const isRecent = (path: string): boolean =>
  Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < dayMs;

/**
 * Once a day. Vitest gives each test file another address in each run, so nobody reads again what Node kept of the last
 * run.
 */
function forgetCompiled(): void {
  const cache = process.env["NODE_COMPILE_CACHE"];
  if (cache === undefined) return;
  const done = join(cache, "forgotten");
  if (isRecent(done)) return;
  mkdirSync(cache, { recursive: true });
  for (const entry of readdirSync(cache, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !isRecent(path)) rmSync(path, { force: true });
  }
  writeFileSync(done, "");
}
