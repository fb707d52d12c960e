/**
 * Runs the store contract over the state in git, with both ways of keeping it.
 * No case of the suite is left out. `git-state-writers.test.ts` covers cases that need several processes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { git } from "../../src/adapters/workspace/git-command.ts";
import { storeContract } from "./store.ts";

for (const durability of ["write", "barrier"] as const) {
  let directory = "";
  storeContract({
    name: `git refs (kept at each ${durability})`,
    async open() {
      directory = await mkdtemp(join(tmpdir(), "baton-state-"));
      const origin = join(directory, "origin.git");
      await git(["init", "--quiet", "--bare", origin]);
      return openGitDatabase({
        url: `file://${origin}`,
        token: async () => null,
        scratchDir: join(directory, "scratch.git"),
        home: "thread/7",
        durability,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
      });
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  });
}
