/** The ledger's rows that follow from events: a projection, written in the transaction of the events. */
import type { RunEvent, StartedBy } from "../core/event.ts";
import { isSpending } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import { noTokens, type Usage } from "../core/vocabulary.ts";
import type { LedgerRow } from "../ports/store.ts";

export function threadKeyOf(state: Pick<RunState, "thread">): string {
  return `${state.thread.repository.id}#${state.thread.number}`;
}

/**
 * The place that at most one active run holds: its thread. In the dashboard issue each rule has its own place. So a run
 * that waits for people holds up no other rule.
 */
export function slotOf(state: Pick<RunState, "thread" | "startedBy">): string {
  const rule = dashboardRule(state.startedBy);
  return rule === null ? threadKeyOf(state) : ruleSlot(threadKeyOf(state), rule);
}

/** The rule whose place in the dashboard issue the run holds. null: the run belongs to a thread of people. */
export function dashboardRule(startedBy: StartedBy | null | undefined): string | null {
  if (startedBy == null || (startedBy.kind === "trigger" && !startedBy.inDashboard)) return null;
  return startedBy.name;
}

export function ruleSlot(dashboardKey: string, rule: string): string {
  return `${dashboardKey}/${rule}`;
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
    personId: state.requestedBy.id,
    person: state.requestedBy.login,
    process: state.process.name,
  });
  const nothing = { harness: "", model: "", tokens: noTokens };
  for (const event of events) {
    // A child run's money has its own rows. Counting it here would charge the thread twice.
    if ("key" in event && event.key !== undefined && state.effects.get(event.key)?.kind === "subprocess") continue;
    switch (event.type) {
      case "effect.started":
        if (event.reservedUsd > 0) rows.push(row("reserve", event.key, event.attempt, nothing, event.reservedUsd));
        break;
      case "effect.metered": {
        const before = state.effects.get(event.key)?.attempts.at(-1)?.reservedUsd ?? 0;
        if (event.reservedUsd !== undefined && event.reservedUsd !== before)
          rows.push(row("reserve", event.key, event.attempt, nothing, event.reservedUsd - before));
        break;
      }
      case "effect.attempt-failed":
      case "effect.succeeded":
      case "effect.failed":
      case "effect.cancelled": {
        const effect = state.effects.get(event.key);
        const attempt = "attempt" in event ? event.attempt : (effect?.attempts.length ?? 0);
        for (const usage of event.usage) rows.push(row("settle", event.key, attempt, usage, usage.costUsd ?? 0));
        // The attempt used nothing. This row tells the ledger that the reservation is free again.
        const isOver = event.type !== "effect.cancelled" || !state.open.has(event.key);
        if (event.usage.length === 0 && effect !== undefined && isSpending(effect) && isOver)
          rows.push(row("settle", event.key, attempt, nothing, 0));
        break;
      }
      default:
        break;
    }
  }
  return rows;
}
