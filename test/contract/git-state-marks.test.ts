/**
 * A person with push access sets a thread's ref back or removes it. The thread stops until somebody restores the ref or
 * confirms the change.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitDatabase, openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { git } from "../../src/adapters/workspace/git-command.ts";
import { newRun, paused, resumed } from "./store.ts";

const ref = "refs/baton/thread/7";
let directory = "";
let origin = "";
let scratches = 0;
const opened: GitDatabase[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "baton-marks-"));
  origin = join(directory, "origin.git");
  await git(["init", "--quiet", "--bare", origin]);
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close().catch(() => {});
  await rm(directory, { recursive: true, force: true });
});

async function open(more: Partial<Parameters<typeof openGitDatabase>[0]> = {}): Promise<GitDatabase> {
  scratches += 1;
  const database = await openGitDatabase({
    url: `file://${origin}`,
    token: async () => null,
    scratchDir: join(directory, `scratch-${scratches}.git`),
    home: "thread/7",
    durability: "write",
    // Looks again without a pause.
    clock: { now: () => 1_000, sleepUntil: async () => {} },
    random: systemRandom,
    log: silentLog,
    ...more,
  });
  opened.push(database);
  return database;
}

const inOrigin = async (...args: string[]): Promise<string> => (await git(args, { gitDir: origin })).stdout.trim();
const heads = async (): Promise<string[]> => (await inOrigin("for-each-ref", "--format=%(refname)")).split("\n");
const rolledBack = { code: "BATON_STATE_ROLLED_BACK" };

/** A job that took the thread, wrote three events, and freed it. */
async function aJob(): Promise<{ runId: ReturnType<typeof newRun>; pushes: number }> {
  const database = await open();
  const runId = newRun();
  const before = database.pushes();
  await database.state.takeDriver({ owner: "job", job: null, ttlMs: 60_000 });
  for (const [expectedPosition, event] of [paused, resumed, paused].entries())
    await database.store.append({ runId, expectedPosition, events: [event], now: 1 });
  await database.state.releaseDriver(() => false);
  return { runId, pushes: database.pushes() - before };
}

describe("a thread's ref that somebody set back", () => {
  it.each([1, 2, 4])(
    "by %i commits stops the thread, writes nothing over it, and goes on when it is put back",
    async (commits) => {
      const { runId } = await aJob();
      const head = await inOrigin("rev-parse", ref);
      const older = await inOrigin("rev-parse", `${ref}~${commits}`);
      await inOrigin("update-ref", ref, older);
      await expect(open()).rejects.toMatchObject({
        ...rolledBack,
        message: expect.stringContaining(head),
        details: { ref, seen: head },
      });
      expect(await inOrigin("rev-parse", ref)).toBe(older);
      await inOrigin("update-ref", ref, head);
      expect(await (await open()).store.position(runId)).toBe(3);
    },
  );

  it("to another history that counts as far stops it too; a commit on top of the mark does not", async () => {
    await aJob();
    const head = await inOrigin("rev-parse", ref);
    const tree = await inOrigin("rev-parse", `${ref}^{tree}`);
    const person = {
      GIT_AUTHOR_NAME: "M",
      GIT_AUTHOR_EMAIL: "m@m",
      GIT_COMMITTER_NAME: "M",
      GIT_COMMITTER_EMAIL: "m@m",
    };
    const made = async (...parents: string[]): Promise<string> =>
      (await git(["commit-tree", tree, ...parents, "-m", "x"], { gitDir: origin, env: person })).stdout.trim();
    await inOrigin("update-ref", ref, await made());
    await expect(open()).rejects.toMatchObject(rolledBack);
    // As an older Baton without counts writes.
    await inOrigin("update-ref", ref, await made("-p", head));
    await open();
  });

  it("that is gone stops it; other threads go on, and who only looks may", async () => {
    await aJob();
    const head = await inOrigin("rev-parse", ref);
    await inOrigin("update-ref", "-d", ref);
    await expect(open()).rejects.toMatchObject({ ...rolledBack, message: expect.stringContaining("is gone") });
    await (await open({ home: "thread/8" })).store.setValue("x", 1);
    await open({ readOnly: true });
    await inOrigin("update-ref", ref, head);
    await open();
  });

  it("while a job drives it: the job writes nothing more", async () => {
    const database = await open();
    const runId = newRun();
    await database.state.takeDriver({ owner: "job", job: null, ttlMs: 60_000 });
    await database.store.append({ runId, expectedPosition: 0, events: [paused], now: 1 });
    const older = await inOrigin("rev-parse", ref);
    await database.store.append({ runId, expectedPosition: 1, events: [resumed], now: 1 });
    await inOrigin("update-ref", ref, older);
    const write = database.store.append({ runId, expectedPosition: 2, events: [paused], now: 1 });
    await expect(write).rejects.toMatchObject(rolledBack);
    await expect(database.state.barrier()).rejects.toMatchObject(rolledBack);
    expect(await inOrigin("rev-parse", ref)).toBe(older);
  });
});

describe("a person who means it", () => {
  it.each(["set back", "removed"])(
    "says so in a ref of its own: what was %s is where the thread goes on, once",
    async (what) => {
      await aJob();
      const older = await inOrigin("rev-parse", ref);
      await aJob();
      if (what === "removed") await inOrigin("update-ref", "-d", ref);
      else await inOrigin("update-ref", ref, older);
      await inOrigin("update-ref", "refs/baton/accepted/thread/7", older);
      const next = await aJob();
      expect(await (await open()).store.position(next.runId)).toBe(3);
      expect(await heads()).toEqual(["refs/baton/shared", ref]);
      const now = await inOrigin("rev-parse", ref);
      await inOrigin("update-ref", ref, `${ref}~1`);
      await expect(open()).rejects.toMatchObject(rolledBack);
      await inOrigin("update-ref", ref, now);
    },
  );

  it("accepts one commit, not any other", async () => {
    await aJob();
    await inOrigin("update-ref", "refs/baton/accepted/thread/7", `${ref}~1`);
    await inOrigin("update-ref", ref, `${ref}~2`);
    await expect(open()).rejects.toMatchObject(rolledBack);
  });
});

it("marks cost no push: one for each write, one to take the thread, one to free it", async () => {
  expect((await aJob()).pushes).toBe(5);
  expect((await aJob()).pushes).toBe(5);
});

it("a ref that is seen late by one server of the host is looked at again", async () => {
  await aJob();
  const head = await inOrigin("rev-parse", ref);
  await inOrigin("update-ref", ref, `${ref}~1`);
  const clock = { now: () => 1_000, sleepUntil: async () => void (await inOrigin("update-ref", ref, head)) };
  expect((await open({ clock })).state.snapshot.driver?.owner).toBe("");
});
