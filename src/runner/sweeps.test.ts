/** The command line's requests for sweeps, and the App's handling of them. */
import { expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { systemRandom } from "../adapters/system/random.ts";
import { startAskedSweep } from "../begin/asked-sweep.ts";
import type { Dependencies } from "./dependencies.ts";
import { rememberRepositories } from "./schedule-book.ts";
import { changeSweepBook, readSweepBook } from "./sweep-book.ts";
import { Sweeps } from "./sweeps.ts";

const by = { id: 0, login: "ops (command line)", kind: "user", permission: "admin" } as const;

async function scene(
  config = "harness: { default: command }\nsweep: { detectors: [{ use: sarif, command: lint }] }\n",
) {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
  const dependencies = {
    store,
    clock,
    log: silentLog,
    owner: "test",
    random: systemRandom,
    redact: (one: string) => one,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    github: github.app(),
    repositoryCommands: true,
    publicUrl: null,
  } as unknown as Dependencies;
  const names = ["shop", "lib-a", "lib-b"];
  const repositories = names.map((name, at) => ({ ...repository, id: repository.id + at, name }));
  const known = [...repositories, { ...repository, id: 99, owner: "other" }];
  await rememberRepositories({ store, clock }, { readAt: 0, repositories: known });
  return { clock, store, github, dependencies, sweeps: new Sweeps({ store, clock }) };
}

it("one budget for all that fit, in equal shares; what waits to be begun is not asked again", async () => {
  const { sweeps, store } = await scene();
  const run = (globs: string[], budgetUsd = 1) => sweeps.run({ owner: "ACME", repositories: globs, budgetUsd, by });
  expect(await run(["lib-*"])).toEqual([
    { repository: "acme/lib-a", budgetUsd: 0.5 },
    { repository: "acme/lib-b", budgetUsd: 0.5 },
  ]);
  expect(await run(["*"])).toEqual([
    { repository: "acme/shop", budgetUsd: 0.33 },
    { repository: "acme/lib-a", budgetUsd: null },
    { repository: "acme/lib-b", budgetUsd: null },
  ]);
  expect((await readSweepBook(store, 99)).asked).toBeNull();
  await expect(run(["none-*"])).rejects.toThrow("No repository of ACME fits none-*. This App knows 4.");
  await expect(run(["*"], 0.02)).rejects.toThrow("Give more, or name fewer.");
});

it("the App begins it once, with its share, in the dashboard issue", async () => {
  const { sweeps, store, dependencies } = await scene();
  await sweeps.run({ owner: "acme", repositories: ["shop"], budgetUsd: 0.75, by });
  expect(await startAskedSweep(dependencies, repository)).toMatch(/^started run_/);
  expect(await startAskedSweep(dependencies, repository)).toBeNull();
  const runs = await store.runs({});
  expect(runs).toHaveLength(1);
  const created = runs[0] === undefined ? undefined : (await store.read(runs[0].runId))[0]?.event;
  expect(created).toMatchObject({
    budgetUsd: 0.75,
    startedBy: { kind: "schedule", name: "asked" },
    priority: "low",
    process: { name: "sweep" },
  });
});

it("a sweep whose branch is taken proposes on a branch of its run, without looking through fifty names", async () => {
  const { sweeps, store, github, dependencies } = await scene();
  github.branches.set("baton/schedule-asked", "a".repeat(40));
  await sweeps.run({ owner: "acme", repositories: ["shop"], budgetUsd: 1, by });
  await startAskedSweep(dependencies, repository);
  const [row] = await store.runs({});
  const created = row === undefined ? undefined : (await store.read(row.runId))[0]?.event;
  const branch = `baton/schedule-asked-${row?.runId.slice(4, 14)}`;
  expect(created).toMatchObject({ input: { branch, branchSha: null } });
});

it("while the earlier run is active nothing is asked, and no budget is reported; afterwards it is asked again", async () => {
  const { sweeps, store, dependencies, clock } = await scene();
  const ask = async () => (await sweeps.run({ owner: "acme", repositories: ["shop"], budgetUsd: 1, by }))[0]?.budgetUsd;
  expect(await ask()).toBe(1);
  await startAskedSweep(dependencies, repository);
  const [row] = await store.runs({});
  if (row === undefined) throw new Error("no run");
  for (const status of ["running", "waiting", "paused"] as const) {
    await store.write({ run: { ...row, status } });
    expect(await ask()).toBeNull();
  }
  expect(await startAskedSweep(dependencies, repository)).toBeNull();
  await store.write({ run: { ...row, status: "completed" } });
  clock.advance(1);
  expect(await ask()).toBe(1);
});

it.each([
  ["no detector", "harness: { default: command }\n", /`sweep.detectors` in `baton.yaml` is empty/],
  ["a broken file", "sweep: [\n", /the configuration has errors/],
  ["no dashboard", "dashboard: false\nsweep: { detectors: [{ use: stale }] }\n", /leaves it no thread/],
])("%s refuses it, and it is not asked again", async (_, config, why) => {
  const { sweeps, dependencies, store } = await scene(config);
  await sweeps.run({ owner: "acme", repositories: ["shop"], budgetUsd: 1, by });
  expect(await startAskedSweep(dependencies, repository)).toMatch(why);
  expect(await startAskedSweep(dependencies, repository)).toBeNull();
  expect(await store.runs({})).toEqual([]);
});

it("statistics are by repository and detector", async () => {
  const { sweeps, store, clock } = await scene();
  const proposal = { runId: "run_1", pullRequest: 4, fingerprints: [], at: 1, endedAt: 61_001, costUsd: 0.2 };
  await changeSweepBook({ store, clock }, repository.id, (book) => ({
    ...book,
    proposals: [{ ...proposal, detector: "stale", end: "merged" }],
  }));
  expect(await sweeps.stats("acme/shop")).toMatchObject([
    { repository: "acme/shop", detector: "stale", merged: 1, decisionMs: 61_000, costPerMergedUsd: 0.2 },
  ]);
  expect(await sweeps.stats("acme/lib-a")).toEqual([]);
});
