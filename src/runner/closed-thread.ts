/**
 * A thread where Baton cannot comment: locked, in an archived repository, or closed to Baton's token.
 *
 * CT1 If GitHub refuses the first comment, a run starts nothing. If it refuses a later one, the run pauses and reports
 *     that on its pull request.
 * CT2 A run that is over or paused stays as it is: driving it would write the same comment again, and GitHub would refuse
 *     it again, without end.
 */
import { isOver, pause, stop } from "../core/decide.ts";
import { BatonError, type ErrorCode, errorCatalogue } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import type { NewOutboxRow, OutboxRow } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { outboxRow } from "./outbox/row.ts";

const reason = "GitHub takes no comment in this thread: it is locked, or the repository is archived";

/** True if the outbox gave up on a run's status comment: for a closed thread, or before the first one was accepted. */
export function isClosed(row: Pick<OutboxRow, "operationKey" | "runId" | "result">, said: string): boolean {
  const isStatus = row.runId !== null && row.operationKey === `status:${row.runId}`;
  return isStatus && (row.result === null || codeOf(said) === "BATON_THREAD_CLOSED");
}

/** The outbox stores the reason for giving up as a code and a text. */
function codeOf(said: string): ErrorCode {
  const code = /^(BATON_[A-Z_]+): /.exec(said)?.[1] ?? "";
  return Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : "BATON_THREAD_CLOSED";
}

/** CT2 */
export function staysAsItIs(state: RunState): boolean {
  return isOver(state) || state.status === "paused";
}

/** Stops or pauses the run. `said`: the code of the refusal and its text. `change` appends to the run. */
export async function threadClosed(
  { github, store }: Pick<Dependencies, "github" | "store">,
  row: Pick<OutboxRow, "result">,
  said: string,
  change: (decide: (state: RunState) => RunEvent[]) => Promise<RunState>,
): Promise<void> {
  const { bot } = await github.identity();
  const state = await change((now) => {
    if (staysAsItIs(now)) return [];
    return row.result !== null || now.money.spentUsd > 0
      ? pause(now, { ...bot, permission: "none" }, reason)
      : stop(now, new BatonError(codeOf(said), `Nothing was started. ${said.replace(/^BATON_[A-Z_]+: /, "")}`));
  });
  if (state.status === "paused") await store.write({ outbox: rows(state) });
}

/** A comment on the pull request that the run opened, if that is another thread. */
function rows(state: RunState): NewOutboxRow[] {
  const opened = [...state.effects.values()].flatMap((effect) =>
    effect.kind === "publish" && effect.input.publish.operation === "pull-request" && effect.output !== undefined
      ? [effect.output.number]
      : [],
  );
  const number = opened.at(-1) ?? state.thread.number;
  if (number === state.thread.number) return [];
  const body = `⏸️ **Paused: #${state.thread.number} takes no comments.** ${reason}.\n\nUnlock it, then \`/baton resume\` there.`;
  return [
    outboxRow({
      operationKey: `closed:${state.runId}`,
      repository: state.thread.repository,
      kind: "comment",
      payload: { number, body },
      priority: 10,
      runId: state.runId,
    }),
  ];
}
