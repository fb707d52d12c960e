/**
 * A thread that takes no comment of Baton's: locked, in an archived repository, or closed to Baton's token.
 *
 * CT1 Before its first words a run starts nothing; later it pauses, and says so on its pull request.
 */
import { isOver, pause, stop } from "../core/decide.ts";
import { BatonError, type ErrorCode, errorCatalogue } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import type { NewOutboxRow, OutboxRow } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { outboxRow } from "./outbox/row.ts";

const reason = "GitHub takes no comment in this thread: it is locked, or the repository is archived";

/** The status comment of a run, given up on: by what the thread is, or before its first words were there. */
export function isClosed(row: Pick<OutboxRow, "operationKey" | "runId" | "result">, said: string): boolean {
  const isStatus = row.runId !== null && row.operationKey === `status:${row.runId}`;
  return isStatus && (row.result === null || codeOf(said) === "BATON_THREAD_CLOSED");
}

/** As the outbox keeps why it gave a row up: the code, then the words. */
function codeOf(said: string): ErrorCode {
  const code = /^(BATON_[A-Z_]+): /.exec(said)?.[1] ?? "";
  return Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : "BATON_THREAD_CLOSED";
}

/** Stops or pauses the run; `said`: the code of the refusal, then its words; `change` appends to it. */
export async function threadClosed(
  { github, store }: Pick<Dependencies, "github" | "store">,
  row: Pick<OutboxRow, "result">,
  said: string,
  change: (decide: (state: RunState) => RunEvent[]) => Promise<RunState>,
): Promise<void> {
  const { bot } = await github.identity();
  const state = await change((now) => {
    if (isOver(now) || now.status === "paused") return [];
    return row.result !== null || now.money.spentUsd > 0
      ? pause(now, { ...bot, permission: "none" }, reason)
      : stop(now, new BatonError(codeOf(said), `Nothing was started. ${said.replace(/^BATON_[A-Z_]+: /, "")}`));
  });
  if (state.status === "paused") await store.write({ outbox: rows(state) });
}

/** To the pull request that the run opened, if that is another thread. */
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
