/**
 * Properties of the state in git that need several processes: several writers on one thread, take-over, lost answers, death.
 * Also hosts without such refs. Each runs over `file:` and over git's own HTTP server.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LocalGithub, startLocalGithub } from "../../packages/local-github/src/local-github.ts";
import type { Snapshot } from "../../src/adapters/git-state/files.ts";
import { type GitDatabase, openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { git } from "../../src/adapters/workspace/git-command.ts";
import { defaultSettings } from "../../src/config/schema.ts";
import { noTokens } from "../../src/core/vocabulary.ts";
import type { LedgerRow } from "../../src/ports/store.ts";
import { withDay } from "../../src/runner/day-budget.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { startWorkerProcess } from "../fakes/worker-process.ts";
import { newRun, paused, resumed } from "./store.ts";

// Hundreds of git processes, which take long on a busy machine.

let directory = "";
let scratches = 0;
const opened: GitDatabase[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "baton-writers-"));
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close().catch(() => {});
  await rm(directory, { recursive: true, force: true });
});

interface Origin {
  url: string;
  token: string | null;
}

async function open(origin: Origin, more: Partial<Parameters<typeof openGitDatabase>[0]> = {}): Promise<GitDatabase> {
  scratches += 1;
  const database = await openGitDatabase({
    url: origin.url,
    token: async () => origin.token,
    scratchDir: join(directory, `scratch-${scratches}.git`),
    home: "thread/7",
    durability: "write",
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...more,
  });
  opened.push(database);
  return database;
}

const inserted = (database: GitDatabase, guid: string) =>
  database.store.insertDelivery(
    {
      hook: "actions",
      guid,
      event: "issue_comment",
      action: "created",
      installationId: 0,
      payload: "{}",
      receivedAt: 1,
    },
    { queue: "delivery", data: { hook: "actions", guid } },
  );

const waiting = ({ tables }: Snapshot) =>
  [...tables.deliveries.values()].some(({ state: handled }) => handled === "received");

async function fileOrigin(): Promise<Origin & { path: string }> {
  const path = join(directory, "origin.git");
  await git(["init", "--quiet", "--bare", path]);
  return { url: `file://${path}`, token: null, path };
}

let github: LocalGithub;
let token = "";
let repositories = 0;
beforeAll(async () => {
  github = await startLocalGithub();
  token = github.createUser({ login: "alice" }).token;
});
afterAll(() => github.close());

async function httpOrigin(): Promise<Origin> {
  repositories += 1;
  const name = `state-${repositories}`;
  await github.createRepository({ owner: "alice", name, private: false, files: { "a.txt": "a" }, ci: null });
  return { url: `${github.url}/alice/${name}.git`, token };
}

describe.each([
  ["file", fileOrigin],
  ["http", httpOrigin],
] as const)("several writers over %s", (_, originOf) => {
  it.each([2, 8])("%i writers on one thread lose nothing", async (writers) => {
    const origin = await originOf();
    const databases = await Promise.all(Array.from({ length: writers }, () => open(origin)));
    const guids = await Promise.all(
      databases.flatMap((database) =>
        Array.from({ length: 4 }, async () => {
          const guid = randomUUID();
          expect(await inserted(database, guid)).toBe(true);
          return guid;
        }),
      ),
    );
    const reader = await open(origin);
    expect(await reader.store.knownGuids(guids)).toEqual(new Set(guids));
    expect([...reader.state.snapshot.tables.jobs.values()]).toHaveLength(guids.length);
  });

  it.each(["write", "barrier"] as const)(
    "DB2: of three threads that set the day's money aside at once one gets it (%s)",
    async (durability) => {
      const origin = await originOf();
      const budget = { ...defaultSettings.budget, dayUsd: 5, timeZone: "UTC" };
      const threads = await Promise.all(
        [7, 8, 9].map((number) => open(origin, { home: `thread/${number}`, durability })),
      );
      const given = await Promise.all(
        threads.map(({ store }, index) =>
          withDay({ store, clock: systemClock, owner: `job-${index}` }, 7, budget, async ({ leftUsd }, also) => {
            if (leftUsd < 3) return false;
            const runId = newRun();
            const row: LedgerRow = {
              runId,
              key: "implement",
              attempt: 1,
              kind: "reserve",
              repositoryId: 7,
              threadKey: `7#${index}`,
              harness: "",
              model: "",
              ...noTokens,
              usd: 3,
              at: systemClock.now(),
            };
            await store.append({
              runId,
              expectedPosition: 0,
              events: [paused],
              now: 1,
              also: { ...also, ledger: [row] },
            });
            return true;
          }),
        ),
      );
      expect(given.filter(Boolean)).toHaveLength(1);
      await Promise.all(threads.map(({ state }) => state.barrier()));
      const rows = await (await open(origin)).store.ledger({ repositoryId: 7 });
      expect(rows.map(({ usd }) => usd)).toEqual([3]);
    },
  );

  it("of eight jobs exactly one drives; the next epoch is another's after it ran out", async () => {
    const origin = await originOf();
    const clock = new ManualClock();
    // Their pauses after a conflict are real. The test controls the leases' time.
    const time = { now: () => clock.now(), sleepUntil: async () => {} };
    const databases = await Promise.all(Array.from({ length: 8 }, () => open(origin, { clock: time })));
    const ttlMs = 1_000;
    const taken = await Promise.all(
      databases.map(({ state }, index) => state.takeDriver({ owner: `job-${index}`, job: null, ttlMs })),
    );
    expect(taken.filter((driver) => driver !== null)).toHaveLength(1);
    const first = databases[taken.findIndex((driver) => driver !== null)] as GitDatabase;
    const runId = newRun();
    await first.store.append({ runId, expectedPosition: 0, events: [paused], now: 1 });
    clock.advance(ttlMs);
    const heir = await open(origin, { clock: time });
    expect(await heir.state.takeDriver({ owner: "heir", job: null, ttlMs })).toMatchObject({ epoch: 2 });
    await heir.store.append({ runId, expectedPosition: 1, events: [resumed], now: 2 });
    // The former driver wakes up. None of its writes exists, and it gets an error.
    await expect(first.state.barrier()).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
    await expect(first.store.append({ runId, expectedPosition: 1, events: [paused], now: 3 })).rejects.toMatchObject({
      code: "BATON_LEASE_LOST",
    });
    const reader = await open(origin);
    expect((await reader.store.read(runId)).map(({ event }) => event.type)).toEqual(["run.paused", "run.resumed"]);
  });

  it.each([1e15, Date.UTC(2026, 0, 1) + 24 * 3_600_000, Number.MAX_SAFE_INTEGER])(
    "engine-ends-and-answers: a lease that ends at %d, later than any that is given, holds nothing",
    async (expiresAt) => {
      const origin = await originOf();
      const clock = new ManualClock();
      const time = { now: () => clock.now(), sleepUntil: async () => {} };
      const forger = await open(origin, { clock: time });
      const ttlMs = expiresAt - clock.now();
      await forger.state.takeDriver({ owner: "forger", job: null, ttlMs });
      await forger.store.acquireLease("run:x", "forger", clock.now(), ttlMs);
      const next = await open(origin, { clock: time });
      expect(await next.state.takeDriver({ owner: "next", job: null, ttlMs: 600_000 })).toMatchObject({ epoch: 2 });
      expect(await next.store.acquireLease("run:x", "next", clock.now(), 30_000)).toMatchObject({ owner: "next" });
    },
  );

  it("one of whom it is known that it is gone is replaced before its lease ends, and only that one", async () => {
    const origin = await originOf();
    const [dead, heir, late] = await Promise.all([open(origin), open(origin), open(origin)]);
    const ttlMs = 600_000;
    await dead.state.takeDriver({ owner: "dead", job: "1", ttlMs });
    await Promise.all([heir.state.refresh(), late.state.refresh()]);
    expect(heir.state.snapshot.driver).toMatchObject({ owner: "dead", job: "1" });
    expect(await heir.state.takeDriver({ owner: "heir", job: "2", ttlMs, deadOwner: "dead" })).toMatchObject({
      epoch: 2,
    });
    // Another process that saw the same dead driver comes too late.
    expect(await late.state.takeDriver({ owner: "late", job: "3", ttlMs, deadOwner: "dead" })).toBeNull();
  });

  it("a driver that keeps at barriers loses nothing of its own nor of the inbox", async () => {
    const origin = await originOf();
    const driver = await open(origin, { durability: "barrier" });
    await driver.state.takeDriver({ owner: "driver", job: null, ttlMs: 60_000 });
    const others = await Promise.all([open(origin), open(origin)]);
    const runId = newRun();
    const guids: string[] = [];
    const added = others.map(async (other) => {
      for (let count = 0; count < 5; count += 1) {
        const guid = randomUUID();
        guids.push(guid);
        await inserted(other, guid);
      }
    });
    const before = driver.pushes();
    for (let position = 0; position < 30; position += 3) {
      for (let step = 0; step < 3; step += 1)
        await driver.store.append({ runId, expectedPosition: position + step, events: [paused], now: position });
      await driver.state.barrier();
    }
    await Promise.all(added);
    await driver.state.flush();
    expect(driver.pushes()).toBeGreaterThan(before);
    const reader = await open(origin);
    expect(await reader.store.read(runId)).toHaveLength(30);
    expect(await reader.store.knownGuids(guids)).toEqual(new Set(guids));
  });

  it("an event that comes in because a push of the driver lost the race is handed out, too", async () => {
    const origin = await originOf();
    const driver = await open(origin, { durability: "barrier" });
    await driver.state.takeDriver({ owner: "driver", job: null, ttlMs: 60_000 });
    const handled = Promise.withResolvers<unknown>();
    await driver.queue.work("delivery", 1, async ({ data }) => handled.resolve(data));
    await inserted(await open(origin), "from elsewhere");
    // The driver has not looked since, so its push is refused and it reads the current state.
    await driver.store.append({ runId: newRun(), expectedPosition: 0, events: [paused], now: 1 });
    await driver.state.barrier();
    expect(await handled.promise).toMatchObject({ guid: "from elsewhere" });
  });

  it("no event falls between a driver that leaves and a job that comes", async () => {
    const origin = await originOf();
    for (let round = 0; round < 4; round += 1) {
      const driver = await open(origin, { durability: "barrier" });
      expect(await driver.state.takeDriver({ owner: `driver-${round}`, job: null, ttlMs: 60_000 })).not.toBeNull();
      const other = await open(origin);
      const guid = randomUUID();
      const [left, driven] = await Promise.all([
        driver.state.releaseDriver(waiting),
        // Both in one push, as a job does it.
        Promise.all([
          other.state.takeDriver({ owner: `other-${round}`, job: null, ttlMs: 60_000 }),
          inserted(other, guid),
        ]).then(([taken]) => taken),
      ]);
      // The current holder of the thread sees the event.
      const owner = driven === null ? driver : other;
      if (driven === null) {
        if (left) throw new Error("Nobody has the thread, and the event waits.");
        await owner.state.refresh();
      }
      expect((await owner.store.delivery("actions", guid))?.state).toBe("received");
      await owner.store.finishDelivery("actions", guid, "handled", "ok");
      expect(await owner.state.releaseDriver(waiting)).toBe(true);
    }
  });
});

describe("what the remote does", () => {
  it("a push whose answer is lost is not applied twice", async () => {
    const origin = await httpOrigin();
    const database = await open(origin);
    const runId = newRun();
    await database.store.append({ runId, expectedPosition: 0, events: [paused], now: 1 });
    github.faults.add({ kind: "commit-then-drop", match: { method: "POST", path: /git-receive-pack/ } });
    await database.store.append({ runId, expectedPosition: 1, events: [resumed], now: 2 });
    expect(github.faults.left).toBe(0);
    const reader = await open(origin);
    expect(await reader.store.read(runId)).toHaveLength(2);
  });

  it("a remote that fails for a while is asked again; one that stays away is an error, and the write is not given up", async () => {
    const origin = await httpOrigin();
    const database = await open(origin);
    const runId = newRun();
    const push = { method: "POST", path: /git-receive-pack/ };
    github.faults.add({ kind: "status", match: push, times: 2 });
    await database.store.append({ runId, expectedPosition: 0, events: [paused], now: 1 });
    github.faults.add({ kind: "status", match: push, times: 5 });
    await expect(
      database.store.append({ runId, expectedPosition: 1, events: [resumed], now: 2 }),
    ).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
    expect(github.faults.left).toBe(0);
    await database.state.flush();
    expect(await (await open(origin)).store.position(runId)).toBe(2);
  });

  it("a host that takes no refs below refs/baton gets branches below baton-state, and later jobs find them", async () => {
    const origin = await fileOrigin();
    await git(["config", "--file", join(origin.path, "config"), "receive.hideRefs", "refs/baton"]);
    const database = await open(origin);
    expect(database.namespace).toBe("refs/heads/baton-state/");
    await database.store.setValue("cursor", 1);
    const later = await open(origin);
    expect(await later.store.value("cursor")).toBe(1);
    expect(later.namespace).toBe("refs/heads/baton-state/");
  });

  it("so does one whose hook refuses them, and it is said", async () => {
    const origin = await fileOrigin();
    const hook = join(origin.path, "hooks", "pre-receive");
    await writeFile(hook, "#!/bin/sh\nif grep -q ' refs/baton/'; then echo 'no such refs here'; exit 1; fi\n", {
      mode: 0o755,
    });
    const said: unknown[] = [];
    const log = { ...silentLog, warn: (...given: unknown[]) => void said.push(given) };
    const database = await open(origin, { log });
    expect(database.namespace).toBe("refs/heads/baton-state/");
    expect(JSON.stringify(said)).toMatch(/takes no refs below refs\/baton/);
    await inserted(database, "guid");
    const { stdout } = await git(["for-each-ref", "--format=%(refname)"], { gitDir: origin.path });
    expect(stdout.trim().split("\n")).toEqual(["refs/heads/baton-state/shared", "refs/heads/baton-state/thread/7"]);
  });

  it("branches, tags and refspecs of the repository stay as they are", async () => {
    const origin = await fileOrigin();
    const work = join(directory, "clone");
    await git(["clone", "--quiet", origin.path, work]);
    const gitDir = join(work, ".git");
    await git(["fast-import", "--quiet"], {
      gitDir,
      input: "commit refs/heads/main\ncommitter M <m@m> 1 +0000\ndata 1\nx\ndone\n",
    });
    await git(["push", "--quiet", "origin", "main", "main:refs/heads/baton/shared", "main:refs/tags/v1"], { gitDir });
    const look = async () => [
      (await git(["for-each-ref", "refs/heads", "refs/tags"], { gitDir: origin.path })).stdout,
      await readFile(join(origin.path, "config"), "utf8"),
      await readFile(join(gitDir, "config"), "utf8"),
      (await git(["fetch", "origin"], { gitDir })).stdout,
      (await git(["for-each-ref"], { gitDir })).stdout,
    ];
    await look();
    const before = await look();
    const database = await open(origin);
    await inserted(database, "guid");
    await database.store.setValue("cursor", 1);
    expect(database.namespace).toBe("refs/baton/");
    // An ordinary fetch loads nothing of Baton.
    expect(await look()).toEqual(before);
  });

  it("touches no ref but its own, and leaves no probe behind", async () => {
    const origin = await fileOrigin();
    const database = await open(origin);
    await inserted(database, "guid");
    await database.store.setValue("cursor", 1);
    const { stdout } = await git(["for-each-ref", "--format=%(refname)"], { gitDir: origin.path });
    expect(stdout.trim().split("\n")).toEqual(["refs/baton/shared", "refs/baton/thread/7"]);
  });

  it("people read it with plain git: one line a row, one commit a push", async () => {
    const origin = await fileOrigin();
    const database = await open(origin);
    const runId = newRun();
    await database.store.append({ runId, expectedPosition: 0, events: [paused], now: 1 });
    await database.store.append({ runId, expectedPosition: 1, events: [resumed], now: 2 });
    const { stdout } = await git(["show", `refs/baton/thread/7:journal/${runId}.jsonl`], { gitDir: origin.path });
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).event.type),
    ).toEqual(["run.paused", "run.resumed"]);
    const { stdout: log } = await git(["log", "--format=%s", "refs/baton/thread/7"], { gitDir: origin.path });
    expect(log.trim().split("\n")).toEqual(Array(2).fill(`thread/7: journal/${runId}`));
  });

  it("an event that somebody changes in the repository is found by its hash", async () => {
    const origin = await fileOrigin();
    const database = await open(origin);
    const runId = newRun();
    await database.store.append({ runId, expectedPosition: 0, events: [paused, resumed], now: 1 });
    await database.close();
    const path = `journal/${runId}.jsonl`;
    const { stdout } = await git(["show", `refs/baton/thread/7:${path}`], { gitDir: origin.path });
    const changed = stdout.replace('"reason":"test"', '"reason":"another"');
    await git(["fast-import", "--quiet"], {
      gitDir: origin.path,
      input: `commit refs/baton/thread/7\ncommitter M <m@m> 1 +0000\ndata 1\nx\nfrom refs/baton/thread/7^0\nM 100644 inline ${path}\ndata ${Buffer.byteLength(changed)}\n${changed}\ndone\n`,
    });
    await expect((await open(origin)).store.read(runId)).rejects.toMatchObject({ code: "BATON_JOURNAL_BROKEN" });
  });

  it.each([
    ["refs/baton/thread/7", "inbox.jsonl", "{{{", "line 1"],
    ["refs/baton/thread/7", "driver.json", "7", "line 1"],
    ["refs/baton/thread/7", "journal/run_1.jsonl", '{"position":1}\n<<<<<<< HEAD', "line 2"],
    ["refs/baton/shared", "index.jsonl", "nonsense", "line 1"],
  ])("what somebody wrote into %s:%s is named, and nothing is written over it", async (ref, path, content, line) => {
    const origin = await fileOrigin();
    const database = await open(origin);
    await inserted(database, "guid");
    await database.close();
    await git(["fast-import", "--quiet"], {
      gitDir: origin.path,
      input: `commit ${ref}\ncommitter M <m@m> 1 +0000\ndata 1\nx\nfrom ${ref}^0\nM 100644 inline ${path}\ndata ${content.length}\n${content}\ndone\n`,
    });
    const heads = async () => (await git(["for-each-ref"], { gitDir: origin.path })).stdout;
    const before = await heads();
    await expect(open(origin)).rejects.toMatchObject({
      code: "BATON_STATE_BROKEN",
      message: `${ref}:${path}, ${line} cannot be read.`,
    });
    expect(await heads()).toBe(before);
  });
});

describe("after a kill", () => {
  it.each([1, 4, 9])("S6: everything acknowledged before the %i. acknowledgement's kill is there", async (count) => {
    const origin = await fileOrigin();
    const runId = newRun();
    process.env["BATON_TEST_SCRATCH"] = directory;
    const worker = startWorkerProcess("write", origin.url, runId);
    await worker.line(`acknowledged ${count}`);
    await worker.kill();
    const acknowledged = worker.lines.filter((line) => line.startsWith("acknowledged")).length;
    const { store, state } = await open(origin);
    const events = await store.read(runId);
    expect(events.length).toBeGreaterThanOrEqual(acknowledged);
    expect(events.length).toBeLessThanOrEqual(acknowledged + 1);
    // A transaction is there completely or not at all: an event, its write and its job.
    expect(state.snapshot.tables.outbox.size).toBe(events.length);
    expect(state.snapshot.tables.jobs.size).toBe(events.length);
    await store.append({ runId, expectedPosition: events.length, events: [paused], now: 1 });
  });
});
