/** The ledger's rows that follow from events: a projection, written in the events' own transaction. */
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import { noTokens, type Usage } from "../core/vocabulary.ts";
import type { LedgerRow } from "../ports/store.ts";

export function threadKeyOf(state: Pick<RunState, "thread">): string {
  return `${state.thread.repository.id}#${state.thread.number}`;
}

export function ledgerRows(state: RunState, events: RunEvent[], now: number): LedgerRow[] {
  const rows: LedgerRow[] = [];
  const row = (
    kind: LedgerRow["kind"],
    key: string,
    attempt: number,
    usage: Pick<Usage, "harness" | "model" | "tokens">,
    usd: number,
  ): LedgerRow => ({
    runId: state.runId,
    key,
    attempt,
    kind,
    repositoryId: state.thread.repository.id,
    threadKey: threadKeyOf(state),
    harness: usage.harness,
    model: usage.model,
    ...usage.tokens,
    usd,
    at: now,
  });
  for (const event of events) {
    // A child run's money stands in its own rows; counted here again, the thread would have paid twice.
    if ("key" in event && event.key !== undefined && state.effects.get(event.key)?.kind === "subprocess") continue;
    switch (event.type) {
      case "effect.started":
        if (event.reservedUsd > 0)
          rows.push(
            row("reserve", event.key, event.attempt, { harness: "", model: "", tokens: noTokens }, event.reservedUsd),
          );
        break;
      case "effect.attempt-failed":
      case "effect.succeeded":
      case "effect.failed":
      case "effect.cancelled":
        for (const usage of event.usage) {
          const attempt = "attempt" in event ? event.attempt : (state.effects.get(event.key)?.attempts.length ?? 0);
          rows.push(row("settle", event.key, attempt, usage, usage.costUsd ?? 0));
        }
        break;
      default:
        break;
    }
  }
  return rows;
}
