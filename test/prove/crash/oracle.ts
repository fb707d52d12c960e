/**
 * The promises after any number of deaths: a pure function of the contents of GitHub, store and model service.
 *
 * Lost: requested or acknowledged, but missing. Doubled: there twice. Empty lists: the proof holds.
 */
import type { StoredEvent } from "../../../src/core/event.ts";
import type { LedgerRow } from "../../../src/ports/store.ts";

export interface ThreadFacts {
  issue: number;
  /** Baton's own comments, by the operation in their marker. null: without one. */
  comments: { operation: string | null; body: string }[];
  /** Operations whose comment must exist. */
  wanted: string[];
  pulls: { number: number; isMerged: boolean; headSha: string; commits: number }[];
  mustMerge: boolean;
  /** Baton's check runs on the head of the pull request. */
  checks: { conclusion: string | null }[];
}

export interface RunFacts {
  issue: number;
  runId: string;
  /** null: the journal is unreadable, and `broken` says why. */
  events: StoredEvent[] | null;
  broken: string | null;
  /** Each event that a process called durable. */
  acknowledged: readonly { position: number; hash: string }[];
  ledger: LedgerRow[];
  /** By the fold of the journal. */
  reservedUsd: number;
  spentUsd: number;
  outcome: string | null;
  reason: string;
  /** The resulting head of the run's last agent step. */
  headSha: string | null;
}

/** A request with a complete answer from the model's service. */
export interface AnsweredRequest {
  runId: string;
  key: string;
  attempt: number;
  usd: number;
}

export interface Facts {
  threads: ThreadFacts[];
  runs: RunFacts[];
  answered: AnsweredRequest[];
  /** Outbox rows that nobody will send any more. */
  unsent: string[];
}

export interface Judgement {
  lost: string[];
  doubled: string[];
  /** Attempts with answered requests that Baton never charged: lost money. */
  uncounted: string[];
  uncountedUsd: number;
}

/** Less than a hundredth of a token's price. */
const toleranceUsd = 1e-9;

export function judge(facts: Facts): Judgement {
  const judgement: Judgement = { lost: [], doubled: [], uncounted: [], uncountedUsd: 0 };
  for (const thread of facts.threads) {
    judgeThread(thread, judgement);
    const runs = facts.runs.filter(({ issue }) => issue === thread.issue);
    if (runs.length === 0) judgement.lost.push(`#${thread.issue} has no run`);
    if (runs.length > 1) judgement.doubled.push(`#${thread.issue} has ${runs.length} runs`);
  }
  for (const run of facts.runs) {
    const pull = facts.threads.find(({ issue }) => issue === run.issue)?.pulls[0];
    judgeRun(run, judgement);
    if (pull !== undefined && run.headSha !== null && pull.headSha !== run.headSha)
      judgement.lost.push(`#${run.issue}: the agent's commit ${run.headSha} is not the head of #${pull.number}`);
    judgeMoney(run, facts.answered, judgement);
  }
  judgement.lost.push(...facts.unsent.map((operation) => `write ${operation} was never sent`));
  return judgement;
}

function judgeThread({ issue, ...thread }: ThreadFacts, { lost, doubled }: Judgement): void {
  const byOperation = Map.groupBy(thread.comments, ({ operation, body }) => operation ?? body);
  for (const [operation, list] of byOperation)
    if (list.length > 1) doubled.push(`#${issue}: ${list.length} comments of ${operation.slice(0, 60)}`);
  for (const operation of thread.wanted)
    if (!byOperation.has(operation)) lost.push(`#${issue}: no comment of ${operation}`);
  for (const kind of ["status", "final"]) {
    const count = [...byOperation.keys()].filter((operation) => operation.startsWith(`${kind}:`)).length;
    if (count === 0) lost.push(`#${issue}: no ${kind} comment`);
    if (count > 1) doubled.push(`#${issue}: ${count} ${kind} comments`);
  }
  const [pull] = thread.pulls;
  if (pull === undefined) lost.push(`#${issue}: no pull request`);
  else {
    if (thread.pulls.length > 1) doubled.push(`#${issue}: ${thread.pulls.length} pull requests`);
    if (thread.mustMerge && !pull.isMerged) lost.push(`#${issue}: #${pull.number} is not merged`);
    if (pull.commits === 0) lost.push(`#${issue}: #${pull.number} has no commit`);
    if (pull.commits > 1) doubled.push(`#${issue}: #${pull.number} has ${pull.commits} commits`);
    if (thread.checks.length > 1) doubled.push(`#${issue}: ${thread.checks.length} check runs on one head`);
    if (thread.checks[0]?.conclusion !== "success") lost.push(`#${issue}: no successful check run on the head`);
  }
}

function judgeRun({ runId, ...run }: RunFacts, { lost, doubled }: Judgement): void {
  const where = `#${run.issue} ${runId}`;
  if (run.events === null) {
    lost.push(`${where}: its journal cannot be read: ${run.broken}`);
    return;
  }
  if (run.outcome !== "passed") lost.push(`${where}: ended as ${run.outcome ?? "nothing"}: ${run.reason}`);
  const hashes = new Map(run.events.map(({ position, hash }) => [position, hash]));
  for (const { position, hash } of run.acknowledged)
    if (hashes.get(position) !== hash) lost.push(`${where}: event ${position} was acknowledged and is gone`);
  const ends = run.events.flatMap(({ event }) => (event.type === "effect.succeeded" ? [event.key] : []));
  for (const [key, list] of Map.groupBy(ends, (key) => key))
    if (list.length > 1) doubled.push(`${where}: ${key} succeeded ${list.length} times`);
}

function judgeMoney(run: RunFacts, answered: readonly AnsweredRequest[], judgement: Judgement): void {
  const { lost, doubled, uncounted } = judgement;
  const { runId, ledger, events, issue } = run;
  if (events === null) return;
  const where = `#${issue} ${runId}`;
  const settled = ledger.filter(({ kind }) => kind === "settle");
  for (const [row, list] of Map.groupBy(settled, ({ key, attempt, model }) => `${key}/${attempt} ${model}`))
    if (list.length > 1 && !wasLost(events, row.split(" ")[0] ?? ""))
      doubled.push(`${where}: ${row} is charged ${list.length} times`);
  const ofRun = answered.filter((one) => one.runId === runId);
  const attempts = new Set([...settled, ...ofRun].map(({ key, attempt }) => `${key}/${attempt}`));
  for (const name of attempts) {
    const of = (row: { key: string; attempt: number }): boolean => `${row.key}/${row.attempt}` === name;
    const chargedUsd = sum(settled.filter(of).map(({ usd }) => usd));
    const answeredUsd = sum(ofRun.filter(of).map(({ usd }) => usd));
    const missingUsd = answeredUsd - chargedUsd;
    if (missingUsd > toleranceUsd) {
      judgement.uncountedUsd += missingUsd;
      uncounted.push(`${where}: ${missingUsd.toFixed(6)} USD of ${name} were answered and never charged`);
    }
    // If an attempt died, its reserved part may be charged for usage that nobody could count.
    const boundUsd = answeredUsd + (wasLost(events, name) ? reservedOf(events, name) : 0);
    if (chargedUsd > boundUsd + toleranceUsd)
      doubled.push(`${where}: ${name} is charged ${chargedUsd.toFixed(6)} USD for ${answeredUsd.toFixed(6)}`);
  }
  if (run.outcome !== null && Math.abs(run.reservedUsd) > toleranceUsd)
    lost.push(`${where}: ${run.reservedUsd.toFixed(6)} USD stay reserved`);
  if (Math.abs(run.spentUsd - sum(settled.map(({ usd }) => usd))) > toleranceUsd)
    lost.push(`${where}: journal and ledger differ: ${run.spentUsd} and ${sum(settled.map(({ usd }) => usd))} USD`);
}

function wasLost(events: readonly StoredEvent[], name: string): boolean {
  return events.some(
    ({ event }) =>
      event.type === "effect.attempt-failed" &&
      `${event.key}/${event.attempt}` === name &&
      event.error.code === "BATON_ATTEMPT_LOST",
  );
}

/** The largest amount ever set aside for the attempt. */
function reservedOf(events: readonly StoredEvent[], name: string): number {
  const amounts = events.flatMap(({ event }) =>
    "reservedUsd" in event && `${event.key}/${event.attempt}` === name ? [event.reservedUsd ?? 0] : [],
  );
  return Math.max(0, ...amounts);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
