/**
 * A run and its child runs: the child's share, the child's facts in its parent, and the child's orders.
 *
 * Owns: those three, as data. Does not own: creating and driving children (`runner/perform/child.ts`).
 * CH1 A parent reserves its child's money before the child begins. The child's usage settles it at the end.
 * CH2 A child is paused, resumed, topped up and cancelled with its parent, and has its priority. A command for the parent also reaches its
 *     children.
 * CH3 A parent shows everything that its child waits for.
 */
import { type ChildFacts, childFacts } from "../core/child-facts.ts";
import { cancel, changePriority, isOver } from "../core/decide.ts";
import { breakpointInputSchema, subprocessInputSchema } from "../core/effect.ts";
import type { RunEvent } from "../core/event.ts";
import { progressOf } from "../core/progress.ts";
import { shownChange } from "../core/shown-change.ts";
import type { EffectState, RunState } from "../core/state.ts";
import type { Json, Usage, Verdict } from "../core/vocabulary.ts";
import { waitingFor } from "./waiting.ts";

/**
 * In USD. The open children share `part` of the money that they and the run have left. Even shares give an early child
 * no more than the next one. The process may want less.
 */
export function childShareUsd(parent: RunState, effect: EffectState, part: number): number {
  const { budgetUsd, spentUsd, reservedUsd } = parent.money;
  const left = Math.max(0, budgetUsd - spentUsd - reservedUsd);
  const children = openChildrenOf(parent);
  const held = children.reduce((sum, { attempts }) => sum + heldUsd(attempts.at(-1)), 0);
  const even = ((left + held) * part) / Math.max(1, children.length);
  const { shareUsd } = subprocessInputSchema.parse(effect.input);
  return Math.min(left, shareUsd ?? even);
}

function heldUsd(attempt: EffectState["attempts"][number] | undefined): number {
  return attempt === undefined || attempt.endedAt !== null ? 0 : attempt.reservedUsd;
}

export function openChildrenOf(parent: RunState): EffectState[] {
  return [...parent.open].flatMap((key) => {
    const effect = parent.effects.get(key);
    return effect?.kind === "subprocess" ? [effect] : [];
  });
}

/** A running child, as its parent journals and shows it. */
export function childSeen(child: RunState): { verdict: Verdict; facts: Json } {
  const waits = waitingFor(child);
  const wait =
    waits.find(({ kind }) => kind === "money") ?? waits.find(({ kind }) => kind === "people") ?? waits[0] ?? null;
  const { percent } = progressOf(child);
  const far = child.process.stages.length === 0 ? "" : `${percent} %. `;
  const sentence = wait === null ? "It begins." : `${wait.title}: ${wait.sentence}`;
  const { spentUsd, budgetUsd } = child.money;
  const facts: ChildFacts = {
    runId: child.runId,
    waits: wait?.kind ?? null,
    spentUsd,
    approve: wait?.kind === "people" ? approvalText(child) : null,
  };
  return {
    verdict: {
      name: child.process.name,
      status: "pending",
      reason: `${far}${sentence}`.slice(0, 1_000),
      evidence: [
        { label: "run", value: child.runId },
        { label: "spent", value: `$${spentUsd.toFixed(2)} of its $${budgetUsd.toFixed(2)}` },
      ],
      children: [],
    },
    facts: facts as unknown as Json,
  };
}

function questionText(effect: EffectState): string | undefined {
  const { text } = breakpointInputSchema.parse(effect.input).subject;
  const shown = shownChange(effect);
  return shown === null ? text : shown.text;
}

/** The text that people are asked to approve, in the run itself or in one of its children. */
export function approvalText(state: RunState): string | null {
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect === undefined) continue;
    const text = effect.kind === "breakpoint" ? questionText(effect) : childFacts(effect)?.approve;
    if (text != null) return text;
  }
  return null;
}

/** CH2: the orders for the child now. Empty if the child already has the state that its parent wants. */
export function ordersFor(parent: RunState, effect: EffectState, child: RunState): RunEvent[] {
  if (isOver(child)) return [];
  const { cancelRequested, topUps, requestedBy } = parent;
  if (isOver(parent) || !parent.open.has(effect.key)) {
    const reason =
      cancelRequested?.reason ?? `The run that began it wants it no longer. ${effect.error?.message ?? ""}`;
    return cancel(child, cancelRequested?.by ?? requestedBy, reason.trim());
  }
  const orders: RunEvent[] = [];
  if (parent.status === "paused" && child.status !== "paused" && child.cancelRequested === null)
    orders.push({ type: "run.paused", by: parent.pausedBy ?? requestedBy, reason: "with the run that began it" });
  if (parent.status === "running" && child.status === "paused")
    orders.push({ type: "run.resumed", by: child.pausedBy ?? requestedBy });
  const { priority, deadline } = parent;
  orders.push(...changePriority(child, parent.priorityBy ?? requestedBy, { priority, deadline }));
  const addUsd = heldUsd(effect.attempts.at(-1)) - child.money.budgetUsd;
  if (addUsd > 1e-6) {
    const key = stoppedChildOf(child);
    orders.push({
      type: "run.budget-raised",
      by: topUps.at(-1)?.by ?? requestedBy,
      addUsd,
      ...(key === null ? {} : { key }),
    });
  }
  return orders;
}

/** The child run that has used up its share, if no effect of the run itself waits for money. */
export function stoppedChildOf(state: RunState): EffectState["key"] | null {
  const own = [...state.open].some((key) => state.effects.get(key)?.status === "stopped");
  return own ? null : (openChildrenOf(state).find((effect) => childFacts(effect)?.waits === "money")?.key ?? null);
}

/** Everything that a child used, including its own children. */
export function usageOf(child: RunState): Usage[] {
  return [...child.effects.values()].flatMap(({ attempts }) =>
    attempts.flatMap(({ usage, held }) => [...usage, ...(held ?? [])]),
  );
}
