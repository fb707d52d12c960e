/** The Action's programs, built once for each test run from the current sources. `bundle.test.ts` compares the committed bundle. */
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleAction } from "../../tools/bundle-action.ts";
import { scratchVariable } from "../scratch.ts";

let built: Promise<string> | null = null;

/** The directory of `main.js` and `post.js`. */
export function builtAction(): Promise<string> {
  built ??= (async () => {
    const shared = join(process.env[scratchVariable] ?? mkdtempSync(join(tmpdir(), "baton-bundle-")), "action");
    if (existsSync(shared)) return shared;
    const own = `${shared}-${process.pid}`;
    await bundleAction(own);
    writeFileSync(join(own, "package.json"), '{"type":"module"}');
    try {
      renameSync(own, shared);
    } catch {
      // Another test file was faster.
      rmSync(own, { recursive: true, force: true });
    }
    return shared;
  })();
  return built;
}
