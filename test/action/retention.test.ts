/** `retention` of `baton.yaml` in the schedule's jobs: the remains of runs that ended long ago, and jobs that die in between. */
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { tidy } from "../../src/action/retention.ts";
import { type GitDatabase, openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { defaultSettings } from "../../src/config/schema.ts";
import { openGitRuns } from "../../src/library.ts";
import { newRun, paused, resumed } from "../contract/store.ts";
import { comments } from "../scenarios/helpers.ts";
import { deadlyGit, type Platform, startPlatform } from "./platform.ts";

// Each job is a process that starts a dozen git processes, which takes long on a busy machine.

const dayMs = 24 * 3_600_000;

let platform: Platform;
afterEach(() => platform.close());

const url = (): string => `file://${platform.github.gitDirectory(repositoryName)}`;
let scratches = 0;
function open(home: string): Promise<GitDatabase> {
  scratches += 1;
  return openGitDatabase({
    url: url(),
    token: async () => null,
    scratchDir: join(platform.directory, `look-${scratches}.git`),
    home,
    durability: "write",
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
}

/** A run that ended this many days ago. */
async function past(home: string, days: number): Promise<void> {
  const at = Date.now() - days * dayMs;
  const runId = newRun();
  const run = { runId, threadKey: "1#50", process: "p", status: "completed" as const, position: 0 };
  const { store } = await open(home);
  await store.append({
    runId,
    expectedPosition: 0,
    events: [paused, resumed],
    now: at,
    also: { run: { ...run, createdAt: at, updatedAt: at, wakeAt: null, watches: [] } },
  });
}

const config = (retention: string): string =>
  `version: 1\nharness: { default: command }\nretention: { ${retention} }\n`;

it.each([
  ["compactDays: 10", "thread/50", 5, 0, 0],
  ["compactDays: 1", "thread/50", 5, 1, 0],
  ["compactDays: 1, days: 1", "thread/50", 5, 0, 1],
] as const)(
  "`%s`: what the schedule makes of a run that was over five days ago",
  async (retention, home, days, small, gone) => {
    expect(parseConfig(config(retention)).ok).toBe(true);
    platform = await startPlatform({ config: config(retention) });
    await past(home, days);
    const job = await platform.run("schedule", platform.about());
    expect(job.errors).toBe("");
    expect(job.exitCode).toBe(0);
    const { state } = await open(home);
    expect(state.snapshot.tables.compacted.size).toBe(small);
    expect(state.snapshot.tables.runRows.size).toBe(1 - gone);
    if (small + gone > 0) expect(job.log).toContain(`The state of ${small} runs was compacted, of ${gone} removed`);
    // Finished work needs nothing more: no push, and no call for work that is not due.
    expect((await platform.run("schedule", platform.about())).summary).toContain("0 state pushes");
  },
);

it.each(["before", "after"] as const)(
  "a schedule's job that is killed %s its push leaves it whole or done, and the next one ends it",
  async (when) => {
    platform = await startPlatform({ config: config("compactDays: 1") });
    await past("thread/50", 5);
    const path = `${deadlyGit(platform.directory, 1, when)}:${process.env["PATH"]}`;
    const killed = await platform.run("schedule", platform.about(), { PATH: path });
    expect(killed.exitCode).toBe(null);
    expect((await open("thread/50")).state.snapshot.tables.compacted.size).toBe(when === "after" ? 1 : 0);
    expect(await platform.run("schedule", platform.about())).toMatchObject({ exitCode: 0, errors: "" });
    const { state, store } = await open("thread/50");
    const [row] = await store.runs({});
    expect(state.snapshot.tables.compacted.size).toBe(1);
    expect(await store.read(row?.runId as never)).toHaveLength(2);
  },
);

it("`/baton status`, `cost` and `why`, and `baton journal cat`, of a compacted run", async () => {
  platform = await startPlatform({ ci: false });
  await platform.run("issue_comment", platform.comment("/baton run"));
  await platform.run("issue_comment", platform.comment("/baton cancel"));
  const answers = async (): Promise<string[]> => {
    const before = comments(platform as never, platform.issue).length;
    for (const command of ["status", "cost", "why"])
      await platform.run("issue_comment", platform.comment(`/baton ${command}`));
    const said = comments(platform as never, platform.issue).slice(before);
    // Ages, markers and the comment that is answered differ with every answer.
    return said
      .filter(({ login }) => login === "github-actions[bot]")
      .map(({ body }) =>
        body
          .replaceAll(/<!--.*?-->|Answer to [^\n]*/gs, "")
          .replaceAll(/\d+(\.\d+)? ?(ms|s|min|minutes|seconds)/g, "_"),
      );
  };
  const before = await answers();
  const done = await tidy({
    shared: await open("none"),
    open,
    settings: async () => defaultSettings,
    now: Date.now() + 20 * dayMs,
    log: silentLog,
    stop: new AbortController().signal,
  });
  expect(done).toMatchObject({ compacted: 1, forgotten: 0 });
  expect(await answers()).toEqual(before);
  expect(before).toHaveLength(3);
  const runs = await openGitRuns({ url: url(), token: null });
  const [run] = await runs.list({});
  const events = await runs.events(run?.runId as never);
  expect(events.at(-1)?.event.type).toBe("run.cancelled");
  await runs.close();
});
