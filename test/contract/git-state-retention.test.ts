/** The state in git long after its runs ended: how small it gets, and that no writer loses by it. */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tidy } from "../../src/action/retention.ts";
import { type GitDatabase, openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { git } from "../../src/adapters/workspace/git-command.ts";
import { defaultSettings } from "../../src/config/schema.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { newRun, paused, resumed } from "./store.ts";

// Hundreds of git processes, which take long on a busy machine.

const dayMs = 24 * 3_600_000;
const began = 1_700_000_000_000;

let directory = "";
let origin = "";
let scratches = 0;
const opened: GitDatabase[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "baton-retention-"));
  origin = join(directory, "origin.git");
  await git(["init", "--quiet", "--bare", origin]);
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close().catch(() => {});
  await rm(directory, { recursive: true, force: true });
});

async function open(home: string, more: Partial<Parameters<typeof openGitDatabase>[0]> = {}): Promise<GitDatabase> {
  scratches += 1;
  const database = await openGitDatabase({
    url: `file://${origin}`,
    token: async () => null,
    scratchDir: join(directory, `scratch-${scratches}.git`),
    home,
    durability: "barrier",
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...more,
  });
  opened.push(database);
  return database;
}

const tidied = async (now: number) =>
  tidy({
    shared: await open("none", { readOnly: true }),
    open: (home) => open(home),
    settings: async () => defaultSettings,
    now,
    log: silentLog,
    stop: new AbortController().signal,
  });

/** A run as a job leaves it: journal, prompt, transcript, sent messages, ledger, and its first event. */
async function ranIn(database: GitDatabase, at: number, status: "completed" | "waiting" = "completed"): Promise<RunId> {
  const { store } = database;
  const runId = newRun();
  const threadKey = `1#${database.state.snapshot.tables.runRows.size}`;
  const blobs = await Promise.all([1, 2].map(() => store.putBlob(noise(20_000))));
  const run = {
    runId,
    threadKey,
    process: "p",
    status,
    position: 0,
    createdAt: at,
    updatedAt: at,
    wakeAt: null,
    watches: [],
  };
  const row = { runId, key: "k", attempt: 1, repositoryId: 1, threadKey, harness: "h", model: "m", at };
  const tokens = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
  const guid = randomUUID();
  await store.insertDelivery(
    {
      hook: "actions",
      guid,
      event: "issue_comment",
      action: "created",
      installationId: 0,
      payload: noise(3_000),
      receivedAt: at,
    },
    { queue: "delivery", data: {} },
  );
  await store.finishDelivery("actions", guid, "handled", "did run");
  database.state.snapshot.tables.jobs.clear();
  await store.append({
    runId,
    expectedPosition: 0,
    events: [{ ...paused, reason: `${blobs.join(" ")} ${noise(8_000)}` } as typeof paused, resumed],
    now: at,
    also: {
      run,
      ledger: [
        { ...row, ...tokens, kind: "reserve", usd: 2 },
        { ...row, ...tokens, kind: "settle", usd: 0.25 },
        { ...row, ...tokens, kind: "settle", usd: 0.5 },
      ],
    },
  });
  await store.acquireLease(`run:${runId}`, "a", at, 1);
  await database.state.flush();
  return runId;
}

/** Text that does not compress. */
function noise(length: number): string {
  return Array.from({ length: Math.ceil(length / 36) }, () => randomUUID())
    .join("")
    .slice(0, length);
}

/** The objects that a new job must fetch: the tips, packed. */
async function freshFetchBytes(...refs: string[]): Promise<number> {
  scratches += 1;
  const gitDir = join(directory, `fresh-${scratches}.git`);
  await git(["init", "--quiet", "--bare", gitDir]);
  await git(["fetch", "--quiet", "--depth=1", `file://${origin}`, ...refs.map((ref) => `+${ref}:${ref}`)], { gitDir });
  await git(["repack", "-adq"], { gitDir });
  const { stdout } = await git(["count-objects", "-v"], { gitDir });
  return Number(/size-pack: (\d+)/.exec(stdout)?.[1]) * 1_024;
}

const refsNow = async (): Promise<string[]> =>
  (await git(["for-each-ref", "--format=%(refname)"], { gitDir: origin })).stdout.trim().split("\n").toSorted();

it("after N runs a fresh job fetches what the runs within the retention need, whatever came before", async () => {
  const home = "thread/7";
  const runs = 24;
  const sizes: number[] = [];
  for (let index = 0; index < runs; index += 1) {
    const at = began + index * 4 * dayMs;
    await ranIn(await open(home), at);
    await tidied(at + dayMs);
    sizes.push(await freshFetchBytes("refs/baton/thread/7", "refs/baton/shared"));
  }
  // 14 days whole (four runs) and 90 days compacted (19 runs). After that, the size stays constant.
  const [early = 0, late = 0] = [sizes[3], sizes.at(-1)];
  expect(late).toBeLessThan(early * 1.6);
  expect(Math.max(...sizes)).toBeLessThan(260_000);
  if (process.env["BATON_TEST_SHOW"] !== undefined) process.stdout.write(`${sizes.join(" ")}\n`);
  // The host can delete the removed objects, because nothing refers to them.
  const { stdout } = await git(["rev-list", "--count", "refs/baton/thread/7"], { gitDir: origin });
  expect(Number(stdout)).toBeLessThan(6);
  await git(["reflog", "expire", "--all", "--expire=now"], { gitDir: origin });
  await git(["gc", "--quiet", "--prune=now"], { gitDir: origin });
  const after = await git(["count-objects", "-v"], { gitDir: origin });
  expect(Number(/size-pack: (\d+)/.exec(after.stdout)?.[1])).toBeLessThan(400);
});

it("a compacted run answers as before: its journal's chain, its row, its money; prompts and inbox texts are gone", async () => {
  const runId = await ranIn(await open("thread/7"), began);
  const before = await (await open("thread/7")).store.read(runId);
  expect(await tidied(began + 10 * dayMs)).toMatchObject({ compacted: 0, forgotten: 0, statePushes: 0 });
  expect(await tidied(began + 15 * dayMs)).toMatchObject({ compacted: 1, forgotten: 0, statePushes: 1 });
  const { store, state } = await open("thread/7");
  const after = await store.read(runId);
  expect(after.map(({ position, hash, at }) => [position, hash, at])).toEqual(
    before.map(({ position, hash, at }) => [position, hash, at]),
  );
  expect(await store.position(runId)).toBe(2);
  expect(await store.run(runId)).toMatchObject({ status: "completed", position: 2 });
  expect(await store.ledger({ runId })).toEqual([expect.objectContaining({ kind: "settle", usd: 0.75, output: 4 })]);
  expect(state.snapshot.blobs.size).toBe(0);
  expect(state.snapshot.tables.leases.size).toBe(0);
  expect([...state.snapshot.tables.deliveries.values()].map(({ payload }) => payload)).toEqual([""]);
  await expect(store.append({ runId, expectedPosition: 2, events: [paused], now: 1 })).rejects.toMatchObject({
    code: "BATON_JOURNAL_CONFLICT",
  });
  expect(await tidied(began + 16 * dayMs)).toMatchObject({ compacted: 0, statePushes: 0 });
  expect(await tidied(began + 91 * dayMs)).toMatchObject({ forgotten: 1, statePushes: 1 });
  expect(await refsNow()).toEqual(["refs/baton/shared"]);
  expect((await open("thread/7")).state.snapshot.ended.size).toBe(0);
});

it("a thread with an active run keeps that run whole", async () => {
  const database = await open("thread/7");
  const [old, active] = [await ranIn(database, began), await ranIn(database, began, "waiting")];
  expect(await tidied(began + 200 * dayMs)).toMatchObject({ compacted: 0, forgotten: 1 });
  const { store, state } = await open("thread/7");
  expect(await store.run(old)).toBeNull();
  expect(await store.read(active)).toHaveLength(2);
  expect(state.snapshot.blobs.size).toBe(2);
  for (const id of state.snapshot.blobs.keys()) expect(await store.blob(id)).toHaveLength(20_000);
});

it("a thread that somebody drives, or in whose inbox an event waits, is left alone", async () => {
  const database = await open("thread/7");
  await ranIn(database, began);
  const now = began + 100 * dayMs;
  const clock = { now: () => now, sleepUntil: async () => {} };
  const driver = await open("thread/7", { clock });
  await driver.state.takeDriver({ owner: "job", job: null, ttlMs: 60_000 });
  expect(await tidied(now)).toMatchObject({ compacted: 0, forgotten: 0 });
  await driver.state.releaseDriver(() => false);
  await (await open("thread/7", { durability: "write" })).store.insertDelivery(
    { hook: "actions", guid: "g", event: "x", action: null, installationId: 0, payload: "{}", receivedAt: now },
    { queue: "delivery", data: {} },
  );
  expect(await tidied(now)).toMatchObject({ compacted: 0, forgotten: 0 });
  expect(await refsNow()).toContain("refs/baton/thread/7");
});

it("an event that comes in while its thread is compacted or removed is not lost", async () => {
  for (const days of [20, 100]) {
    const home = `thread/${days}`;
    await ranIn(await open(home), began);
    const other = await open(home, { durability: "write" });
    const event = { hook: "actions", guid: `${days}`, event: "x", action: null, installationId: 0, payload: "{}" };
    await Promise.all([
      tidied(began + days * dayMs),
      other.store.insertDelivery({ ...event, receivedAt: began }, { queue: "delivery", data: {} }),
    ]);
    expect((await (await open(home)).store.delivery("actions", `${days}`))?.state).toBe("received");
  }
});

it("two schedules at once end as one", async () => {
  const runId = await ranIn(await open("thread/7"), began);
  // Both may have pushed the very same commit. Then both did it.
  const done = await Promise.all([tidied(began + 20 * dayMs), tidied(began + 20 * dayMs)]);
  expect(Math.max(...done.map(({ compacted }) => compacted))).toBe(1);
  expect(await (await open("thread/7")).store.read(runId)).toHaveLength(2);
  expect(await tidied(began + 20 * dayMs)).toMatchObject({ compacted: 0, statePushes: 0 });
});

it.each([20, 100])(
  "a push that fails at the host after %i days changes nothing, and the next schedule does it",
  async (days) => {
    const runId = await ranIn(await open("thread/7"), began);
    const hook = join(origin, "hooks", "pre-receive");
    await writeFile(hook, "#!/bin/sh\nexit 1\n");
    await chmod(hook, 0o755);
    expect(await tidied(began + days * dayMs)).toMatchObject({ compacted: 0, forgotten: 0 });
    expect(await (await open("thread/7")).store.read(runId)).toHaveLength(2);
    await rm(hook);
    const done = await tidied(began + days * dayMs);
    expect(done.compacted + done.forgotten).toBe(1);
  },
);

/** As a rule against force and deletion protects branches. Git has such a rule only for branches, so a hook covers all refs. */
async function protect(): Promise<void> {
  const hook = join(origin, "hooks", "update");
  await writeFile(
    hook,
    `#!/bin/sh
case "$3" in *[!0]*) ;; *) echo "deletion prohibited" >&2; exit 1;; esac
case "$2" in *[!0]*) git merge-base --is-ancestor "$2" "$3" || { echo "force pushes are not allowed" >&2; exit 1; };; esac
`,
  );
  await chmod(hook, 0o755);
}

it("a host that lets nothing be taken away from a ref: the files get as small, the past stays, and it is tried once", async () => {
  const runId = await ranIn(await open("thread/7"), began);
  await protect();
  const whole = await freshFetchBytes("refs/baton/thread/7");
  expect(await tidied(began + 20 * dayMs)).toMatchObject({ compacted: 1, forgotten: 0, statePushes: 2 });
  expect(await (await open("thread/7")).store.read(runId)).toHaveLength(2);
  expect(await freshFetchBytes("refs/baton/thread/7")).toBeLessThan(whole / 2);
  expect(await tidied(began + 20 * dayMs)).toMatchObject({ compacted: 0, statePushes: 0 });
  expect(await tidied(began + 100 * dayMs)).toMatchObject({ forgotten: 1, statePushes: 2 });
  expect((await open("thread/7")).state.snapshot.tables.runRows.size).toBe(0);
  expect(await tidied(began + 300 * dayMs)).toMatchObject({ compacted: 0, forgotten: 0, statePushes: 0 });
  expect(await refsNow()).toEqual(["refs/baton/shared", "refs/baton/thread/7"]);
  // The thread works as a new one does.
  await ranIn(await open("thread/7"), began + 301 * dayMs);
  expect(await tidied(began + 320 * dayMs)).toMatchObject({ compacted: 1 });
});

it("a driver leaves its thread where refs beside it may not be removed", async () => {
  const database = await open("thread/7");
  await database.state.takeDriver({ owner: "job", job: null, ttlMs: 60_000 });
  const { stdout } = await git(["rev-parse", "refs/baton/shared"], { gitDir: origin });
  const sha = stdout.trim();
  await git(["update-ref", "refs/baton/kept/run_1/a", sha], { gitDir: origin });
  await protect();
  const removals = [{ ref: "refs/baton/kept/run_1/a", expected: sha, sha: null }];
  expect(await database.state.releaseDriver(() => false, removals)).toBe(true);
  expect((await open("thread/7")).state.snapshot.driver?.owner).toBe("");
});

it("a wake-up that was due later does not keep the ref of a thread whose runs are gone", async () => {
  const database = await open("thread/7");
  const runId = await ranIn(database, began);
  await database.store.write({ jobs: [{ queue: "run", data: { runId, facts: true }, startAt: began + dayMs }] });
  await database.state.flush();
  expect(await tidied(began + 91 * dayMs)).toMatchObject({ forgotten: 1 });
  expect(await refsNow()).toEqual(["refs/baton/shared"]);
});

it("a thread of commands without a run is forgotten too, and costs no schedule anything before", async () => {
  const database = await open("thread/7");
  const event = { hook: "actions", guid: "g", event: "x", action: null, installationId: 0, payload: "{}" };
  await database.store.insertDelivery({ ...event, receivedAt: began }, { queue: "delivery", data: {} });
  await database.store.finishDelivery("actions", "g", "handled", "did help");
  database.state.snapshot.tables.jobs.clear();
  await database.state.flush();
  const shared = await open("none", { readOnly: true });
  let opened = 0;
  const looked = await tidy({
    shared,
    open: (home) => {
      opened += 1;
      return open(home);
    },
    settings: async () => defaultSettings,
    now: began + 20 * dayMs,
    log: silentLog,
    stop: new AbortController().signal,
  });
  expect({ ...looked, opened }).toEqual({ compacted: 0, forgotten: 0, statePushes: 0, opened: 0 });
  await tidied(began + 91 * dayMs);
  expect(await refsNow()).toEqual(["refs/baton/shared"]);
  expect((await open("thread/7")).state.snapshot.ended.size).toBe(0);
});

it("a thread whose ref somebody removed is waited for by nobody any more", async () => {
  await ranIn(await open("thread/7"), began, "waiting");
  expect((await open("thread/7")).state.snapshot.index.size).toBe(1);
  await git(["update-ref", "-d", "refs/baton/thread/7"], { gitDir: origin });
  await git(["update-ref", "refs/baton/accepted/thread/7", "refs/baton/shared"], { gitDir: origin });
  const { state } = await open("thread/7");
  await state.takeDriver({ owner: "job", job: null, ttlMs: 60_000 });
  await state.releaseDriver(() => false);
  expect((await open("none", { readOnly: true })).state.snapshot.index.size).toBe(0);
  await tidied(began + dayMs);
  expect(await refsNow()).toEqual(["refs/baton/shared"]);
});
