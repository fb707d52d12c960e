/**
 * A thread that takes no comment of Baton's: locked, or in an archived repository.
 *
 * CT1 Before its first words a run starts nothing; later it pauses, and says so on its pull request.
 */
import { isOver, pause, stop } from "../core/decide.ts";
import { BatonError, hasCode } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import type { NewOutboxRow, OutboxRow } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { outboxRow } from "./outbox/row.ts";

const reason = "GitHub takes no comment in this thread: it is locked, or the repository is archived";

/** The status comment of a run, refused for good by what the thread is. */
export function isClosed(row: Pick<OutboxRow, "operationKey" | "runId">, error: unknown): boolean {
  return hasCode(error, "BATON_THREAD_CLOSED") && row.runId !== null && row.operationKey === `status:${row.runId}`;
}

/** Stops or pauses the run; `change` appends to it. */
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
      : stop(now, new BatonError("BATON_THREAD_CLOSED", `Nothing was started. ${said}`));
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
