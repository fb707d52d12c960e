/**
 * Drives one thread within this job. It acquires the thread, or leaves it to its present driver. It handles all work,
 * and ends when only people, CI or time can continue.
 *
 * AD1 An event is in the inbox before anything else happens. The driver finds it there, at the latest when it leaves.
 * AD2 The thread is freed only when its inbox is empty. The same push would show an event that arrived meanwhile.
 * AD3 Other jobs can see a run's watches before the last check of the facts. A change after that check finds the run.
 * AD4 A job without an agent handles only the deliveries that it was started for. Other work stays for a successor.
 */
import type { Snapshot } from "../adapters/git-state/files.ts";
import type { GitDatabase } from "../adapters/git-state/open.ts";
import type { RefUpdate } from "../adapters/git-state/remote.ts";
import type { Tables } from "../adapters/memory/tables.ts";
import { hasCode } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { isActiveStatus } from "../core/vocabulary.ts";
import type { Engine } from "../engine.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { NewDelivery } from "../ports/store.ts";
import { keepsJob, nextDueAt } from "./next-due.ts";

export interface Driving {
  database: GitDatabase;
  owner: string;
  workflowRunId: string;
  clock: Clock;
  log: Log;
  /** Whether the workflow run of another driver is over. null: unknown. */
  isOver(workflowRunId: string): Promise<boolean | null>;
  /** Aborted when the job must hand over: its time is up, or the platform stops it. */
  stop: AbortSignal;
  /** AD4: ids of the queue's jobs that this job may take. null: all. */
  only: ReadonlySet<string> | null;
  /** This job has the thread now. */
  begun(): Promise<void>;
  startEngine(): Promise<Engine>;
  /** Commands in the thread whose own jobs never ran. */
  missed(): Promise<NewDelivery[]>;
  /** Refs outside the state that nobody needs any more when the thread is left in its present state. */
  leftovers(): Promise<RefUpdate[]>;
}

/**
 * `driven`: nothing is left to do here now. `elsewhere`: another job has the thread. `handed-over`: a successor must
 * continue.
 */
export type DriveEnd = "driven" | "elsewhere" | "handed-over";

/**
 * After this time the next event takes over a silent driver. If the driver's workflow run is over, it does so at once.
 */
const driverMs = limits.driverLeaseMs;
const renewMs = 3 * 60_000;
/**
 * Each renewal is a push. If GitHub reports whether the driver's workflow run is over, a long step needs one an hour.
 */
const knownDriverMs = 70 * 60_000;
const knownRenewMs = 60 * 60_000;
const lookMs = 10_000;
/** The job waits for work that is due sooner: a new job would take as long. */
const patienceMs = 60_000;
const pollMs = 50;

export async function drive(driving: Driving, deliveries: readonly NewDelivery[]): Promise<DriveEnd> {
  const { database, owner, workflowRunId } = driving;
  const { state } = database;
  const claim = { owner, job: workflowRunId, ttlMs: driverMs };
  // AD1: all in one push.
  const inserts = deliveries.map((delivery) => insert(driving, delivery));
  const [taken] = await Promise.all([state.takeDriver(claim), ...inserts]);
  if (taken === null && !(await takeFromTheDead(driving, claim))) return "elsewhere";
  await driving.begun();
  // Before anything is driven: another job may have left a run here since this one was planned.
  if (hasOthersWork(driving, state.snapshot)) {
    await state.releaseDriver(() => false);
    return "handed-over";
  }
  const tending = new AbortController();
  const lost = new AbortController();
  const tended = tend(driving, tending.signal, lost);
  const stop = AbortSignal.any([driving.stop, lost.signal]);
  const engine = await driving.startEngine();
  try {
    await takeMissed(driving);
    while (!stop.aborted) {
      await quiet(driving, engine, stop);
      if (stop.aborted) break;
      if (driving.only === null) await lookOnceMore(driving, engine, stop);
      if (stop.aborted) break;
      if (isQuiet(driving, engine) && (await leave(driving, engine)))
        return hasOthersWork(driving, state.snapshot) ? "handed-over" : "driven";
    }
    await endEngine(driving, engine);
    if (lost.signal.aborted) return "elsewhere";
    await state.releaseDriver(() => false);
    return "handed-over";
  } catch (thrown) {
    await endEngine(driving, engine);
    if (hasCode(thrown, "BATON_LEASE_LOST")) return "elsewhere";
    // Nobody has to wait for the lease of a job that gave up.
    await state.releaseDriver(() => false).catch(() => {});
    throw thrown;
  } finally {
    tending.abort();
    await tended;
  }
}

/** The result does not say whether the event existed: its own job may bring it in first. */
async function insert({ database }: Driving, delivery: NewDelivery, when: "now" | "soon" = "now"): Promise<void> {
  await database.state.change(
    ({ tables }) => {
      tables.insertDelivery(delivery, {
        id: jobOf(delivery),
        queue: "delivery",
        data: { hook: delivery.hook, guid: delivery.guid },
        tries: 1,
        key: null,
        startAt: delivery.receivedAt,
        state: "waiting",
      });
    },
    { when, jobs: [jobOf(delivery)], isCause: true },
  );
}

/** The id of the queue's job for a delivery. */
export function jobOf({ guid }: Pick<NewDelivery, "guid">): string {
  return `delivery:${guid}`;
}

/** Stored with the next push that outside work needs. If they are lost, Baton finds them again. */
async function takeMissed(driving: Driving): Promise<void> {
  const { missed, log } = driving;
  try {
    for (const delivery of await missed()) {
      log.info("A command whose job never ran", { name: delivery.guid });
      await insert(driving, delivery, "soon");
    }
  } catch (thrown) {
    if (hasCode(thrown, "BATON_LEASE_LOST")) throw thrown;
    log.warn("The thread could not be read again; the next job tries it", { error: thrown });
  }
}

async function takeFromTheDead(
  { database: { state }, isOver, log }: Driving,
  claim: Parameters<GitDatabase["state"]["takeDriver"]>[0],
): Promise<boolean> {
  const holder = state.snapshot.driver;
  if (holder?.job == null) return false;
  const isDead = holder.job === claim.job ? isEarlierAttempt(holder.owner, claim.owner) : await isOver(holder.job);
  if (isDead !== true) return false;
  log.info("The job that drove this thread is over: taking over", { job: holder.job });
  return (await state.takeDriver({ ...claim, deadOwner: holder.owner })) !== null;
}

/** `job <workflow run>/<attempt>/…`. GitHub reruns a workflow run only after all of its jobs have ended. */
function isEarlierAttempt(holder: string, ours: string): boolean {
  const attempt = (owner: string): number => Number(/^job \d+\/(\d+)\//.exec(owner)?.[1] ?? Number.NaN);
  return attempt(holder) < attempt(ours);
}

/** Renews our lease and reads other jobs' events. */
async function tend(driving: Driving, signal: AbortSignal, lost: AbortController): Promise<void> {
  const { clock, database, log } = driving;
  let isKnown: boolean | null = null;
  for (let renewAt = clock.now() + renewMs; !signal.aborted; ) {
    await clock.sleepUntil(clock.now() + lookMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await database.state.refresh();
      if (clock.now() < renewAt) continue;
      isKnown ??= (await driving.isOver(driving.workflowRunId).catch(() => null)) !== null;
      await database.state.renewDriver(isKnown ? knownDriverMs : driverMs);
      renewAt = clock.now() + (isKnown ? knownRenewMs : renewMs);
    } catch (thrown) {
      if (hasCode(thrown, "BATON_LEASE_LOST")) return lost.abort(thrown);
      log.warn("The state could not be read; the next round tries again", { error: thrown });
    }
  }
}

/** Resolves when only people, CI or time can continue. */
async function quiet(driving: Driving, engine: Engine, stop: AbortSignal): Promise<void> {
  const { clock } = driving;
  while (!stop.aborted && !isQuiet(driving, engine)) {
    await hasten(driving, engine);
    await clock.sleepUntil(clock.now() + pollMs, stop).catch(() => {});
  }
}

function isQuiet({ database, clock, only }: Driving, { runner, outbox }: Engine): boolean {
  if (database.state.lost !== null) return true;
  const soon = clock.now() + patienceMs;
  const nextAt = nextDueAt(database.state.snapshot.tables, (id) => only?.has(id) !== false);
  if (database.queue.running > 0 || runner.driving > 0 || outbox.sending > 0) return false;
  if (nextAt !== null && nextAt <= soon) return false;
  return ![...database.state.snapshot.tables.outbox.values()].some((row) => keepsJob(row, soon));
}

/** When nothing moves any more, this sends the writes that only waited to reduce edits. */
async function hasten({ database, clock }: Driving, { runner, outbox }: Engine): Promise<void> {
  if (database.queue.running > 0 || runner.driving > 0 || outbox.sending > 0) return;
  const now = clock.now();
  for (const row of database.state.snapshot.tables.outbox.values())
    if (row.state === "pending" && row.error === null && row.notBefore > now)
      await database.store.outboxDelay(row.operationKey, now);
  outbox.poke();
}

/** AD3. If a run moves after this check, the job continues to drive it. */
async function lookOnceMore(driving: Driving, engine: Engine, stop: AbortSignal): Promise<void> {
  const { database } = driving;
  // Most checks do not change the watches that other jobs search: then this needs no extra push.
  if (!database.state.showsWatches) await database.state.flush();
  for (const { runId } of await database.store.runs({ active: true })) await engine.runner.wake(runId, true);
  await quiet(driving, engine, stop);
}

async function leave(driving: Driving, engine: Engine): Promise<boolean> {
  const { database, clock } = driving;
  // Part of the push that frees the thread: git's past then contains old events and answers.
  const before = clock.now() - limits.deliveryRetentionMs;
  await database.store.prune({ deliveriesBefore: before, outboxBefore: before });
  const leftovers = await driving.leftovers();
  const released = await database.state.releaseDriver((snapshot) => hasNews(driving, snapshot), leftovers);
  if (released) await endEngine(driving, engine);
  return released;
}

function hasNews({ only, clock }: Pick<Driving, "only" | "clock">, { tables }: Snapshot): boolean {
  const nextAt = nextDueAt(tables, (id) => only?.has(id) !== false);
  return nextAt !== null && nextAt <= clock.now() + patienceMs;
}

/** AD4: a run, or something due that is not this job's. */
function hasOthersWork(
  { only, clock }: Pick<Driving, "only" | "clock">,
  { tables }: { tables: Pick<Tables, "jobs" | "runRows"> },
): boolean {
  if (only === null) return false;
  if ([...tables.runRows.values()].some(({ status }) => isActiveStatus(status))) return true;
  const nextAt = nextDueAt(tables, (id) => !only.has(id));
  return nextAt !== null && nextAt <= clock.now() + patienceMs;
}

async function endEngine({ database }: Driving, { runner, outbox }: Engine): Promise<void> {
  await database.queue.stop(0);
  await runner.stop();
  await outbox.stop();
}
