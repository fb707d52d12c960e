/**
 * The display of a run: its status comment, its check run, its last words, its row in the index.
 *
 * Owns: which outbox rows follow from a state, and when. Does not own: their text (`thread/render`), sending
 * (`outbox/`).
 * V1 The whole display is a function of the state. The same state gives the same content hash and no write.
 * V2 The row of a run says that it is over only together with its last words. So a crash between them repeats both.
 */

import { isOver } from "../core/decide.ts";
import { limits } from "../core/limits.ts";
import { questionsOf } from "../core/questions.ts";
import type { RunState } from "../core/state.ts";
import type { EffectKey, Json } from "../core/vocabulary.ts";
import type { NewJob, NewOutboxRow, RunRow } from "../ports/store.ts";
import { waitingFor } from "../summary/waiting.ts";
import { type RenderedCheckRun, renderCheckRun, renderSupersededCheckRun } from "../thread/render/check-run.ts";
import { renderFinalComment } from "../thread/render/final-comment.ts";
import { renderQuestion } from "../thread/render/question.ts";
import { renderStatusComment } from "../thread/render/status-comment.ts";
import type { Dependencies } from "./dependencies.ts";
import { slotOf, threadKeyOf } from "./ledger-rows.ts";
import { outboxRow, questionRowKey } from "./outbox/row.ts";
import { settingsOf } from "./settings-of.ts";
import { rememberStages } from "./stage-history.ts";
import { noteProposal } from "./sweep-book.ts";
import { rememberSweep } from "./sweep-memory.ts";

type Shows = Pick<Dependencies, "store" | "clock" | "redact">;

/**
 * Puts the changes of the display into the outbox. The pump sends it at a bounded rate. `shown`: the rows as the caller
 * has written them so far. Nothing changed: nothing is written.
 */
export async function publishStatus(dependencies: Shows, state: RunState, shown: Map<string, string>): Promise<void> {
  const { store, clock } = dependencies;
  const { parent } = state;
  await noteProposal(dependencies, state);
  const outbox = statusRows(dependencies, state).filter((row) => shown.get(row.operationKey) !== shownAs(row));
  const keep = (): void => {
    for (const row of outbox) shown.set(row.operationKey, shownAs(row));
  };
  if (parent === null) {
    if (outbox.length > 0) await store.write({ outbox });
    return keep();
  }
  // A child run speaks through its parent, which checks it no more often than people see updates. Only its questions
  // are its own.
  const startAt = clock.now() + limits.statusEditIntervalMs;
  const singletonKey = `${parent.runId}:child`;
  const job = { queue: "run", data: { runId: parent.runId, facts: false }, startAt, singletonKey };
  await store.write({ outbox, jobs: [job] });
  keep();
}

/** Everything of a row that matters to its sender. */
function shownAs({ contentHash, priority, payload }: NewOutboxRow): string {
  return JSON.stringify([contentHash, priority, (payload as { asks?: Json }).asks ?? null]);
}

/** The run waits for others: index row, wake-up and status in one transaction. */
export async function leaveRun(dependencies: Shows, state: RunState, lookAt: number | null): Promise<void> {
  const { store, clock } = dependencies;
  const { runId, parent } = state;
  await noteProposal(dependencies, state);
  const jobs: NewJob[] = [];
  if (lookAt !== null)
    jobs.push({ queue: "run", data: { runId, facts: true }, startAt: lookAt, singletonKey: `${runId}@${lookAt}` });
  // core-child.CH3: the parent shows the child's waits.
  if (parent !== null)
    jobs.push({ queue: "run", data: { runId: parent.runId, facts: false }, singletonKey: `${parent.runId}:left` });
  await store.write({
    run: runRow(state, clock.now(), lookAt),
    outbox: statusRows(dependencies, state),
    ...(jobs.length === 0 ? {} : { jobs }),
  });
}

/**
 * The run is over: last words, index row, thread freed and parent woken in one transaction. Repeating it changes
 * nothing.
 */
export async function finishRun(dependencies: Shows, state: RunState): Promise<void> {
  const { store, clock } = dependencies;
  const thread = slotOf(state);
  await rememberStages(store, state);
  await rememberSweep(dependencies, state);
  await noteProposal(dependencies, state);
  const active = await store.activeRun(thread);
  const final = dependencies.redact(renderFinalComment(state));
  await store.write({
    run: runRow(state, clock.now(), null),
    outbox: [
      ...statusRows(dependencies, state),
      ...(state.parent === null ? [commentRow(state, `final:${state.runId}`, final, "over")] : []),
    ],
    ...(active === state.runId ? { thread: { threadKey: thread, activeRunId: null } } : {}),
    ...(state.parent === null ? {} : { jobs: [{ queue: "run", data: { runId: state.parent.runId, facts: true } }] }),
  });
}

export function runRow(state: RunState, now: number, wakeAt: number | null): RunRow {
  return {
    runId: state.runId,
    threadKey: threadKeyOf(state),
    process: state.process.name,
    status:
      isOver(state) || state.status === "paused"
        ? state.status
        : wakeAt === null || state.open.size > 0
          ? "waiting"
          : "running",
    position: state.position,
    createdAt: state.createdAt,
    updatedAt: now,
    wakeAt,
    watches: watchesOf(state),
  };
}

/** The outside facts that can move this run. */
function watchesOf(state: RunState): string[] {
  const watches = new Set<string>();
  for (const key of state.open) {
    const input = state.effects.get(key)?.input;
    for (const at of input === undefined ? [] : [input, "subject" in input ? input.subject : {}]) {
      if ("sha" in at && at.sha !== undefined) watches.add(`sha:${at.sha}`);
      if ("pullRequest" in at && at.pullRequest !== undefined)
        watches.add(`pull:${state.thread.repository.id}/${at.pullRequest}`);
    }
  }
  return [...watches];
}

/** Heads that the run pushed or judged, oldest first. Each has a check run, and only the newest is live. */
function pushedHeads(state: RunState): string[] {
  const heads: string[] = [];
  for (const effect of state.effects.values()) {
    const sha =
      effect.kind === "gate"
        ? effect.input.sha
        : effect.kind === "publish" && effect.input.publish.operation === "push"
          ? (effect.output?.sha ?? null)
          : null;
    if (sha === null) continue;
    // A head that is judged again becomes the newest, for example the winner of a race.
    const before = heads.indexOf(sha);
    if (before >= 0) heads.splice(before, 1);
    heads.push(sha);
  }
  return heads;
}

function statusRows(dependencies: Shows, state: RunState): NewOutboxRow[] {
  const rows = questionRows(dependencies, state);
  if (state.parent !== null) return rows;
  const { clock, redact } = dependencies;
  const status = redact(renderStatusComment(state, { now: clock.now() }));
  rows.push(commentRow(state, `status:${state.runId}`, status, awaited(state)));
  const heads = pushedHeads(state);
  const { branchSha } = (state.input ?? {}) as { branchSha?: string | null };
  // If a pull request accepts no comment, its head still accepts a check run.
  if (heads.length === 0 && state.outcome?.error?.code === "BATON_THREAD_CLOSED" && typeof branchSha === "string")
    heads.push(branchSha);
  const newest = heads.at(-1);
  for (const sha of heads) {
    const content = sha === newest ? renderCheckRun(state) : renderSupersededCheckRun(newest ?? sha);
    rows.push(checkRow(dependencies, state, sha, content));
  }
  return rows;
}

function checkRow(
  { redact }: Pick<Dependencies, "redact">,
  state: RunState,
  sha: string,
  content: RenderedCheckRun,
): NewOutboxRow {
  const text = redact(JSON.stringify(content));
  return outboxRow({
    operationKey: `check:${state.runId}:${sha}`,
    repository: state.thread.repository,
    kind: "check-run",
    payload: { sha, externalId: state.runId, content: JSON.parse(text) as Json },
    // Somebody may wait for the result.
    priority: content.status === "completed" ? 20 : 60,
    runId: state.runId,
    content: text,
  });
}

/**
 * Questions come before the status, so that the status never mentions an unasked question. Nobody waits for the folding
 * of a question.
 */
function questionRows({ redact }: Pick<Dependencies, "redact">, state: RunState): NewOutboxRow[] {
  const { thread, runId } = state;
  return questionsOf(state).map((question) => {
    const { id, open } = question;
    const body = open ? redact(renderQuestion(state, question, settingsOf(state))) : "";
    return outboxRow({
      operationKey: questionRowKey(runId, id),
      repository: thread.repository,
      kind: "question",
      payload: { number: thread.number, body, open },
      priority: open ? 10 : 70,
      runId,
      content: open ? "open" : "over",
    });
  });
}

/** Waits of people for this run or its children that no question shows. Null: people only watch. */
function awaited(state: RunState): string | null {
  const asked = new Set(questionsOf(state).flatMap(({ effect }) => effect?.key ?? []));
  const waits = waitingFor(state).filter(({ kind, key }) => {
    const effect = state.effects.get(key as EffectKey);
    if (effect?.kind === "subprocess" || asked.has(key as EffectKey)) return false;
    return kind === "people" || (kind === "money" && effect?.retryAt != null);
  });
  return waits.length === 0 ? null : waits.map(({ key, since }) => `${key} ${since}`).join(", ");
}

function commentRow(
  { thread, runId }: Pick<RunState, "thread" | "runId">,
  operationKey: string,
  body: string,
  asks: string | null,
): NewOutboxRow {
  return outboxRow({
    operationKey,
    repository: thread.repository,
    kind: "comment",
    payload: { number: thread.number, body, ...(asks === null ? {} : { asks }) },
    priority: asks === null ? 50 : 10,
    runId,
    content: body,
  });
}
