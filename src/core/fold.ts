/**
 * Events to state. `applyEvent` mutates the given state and returns it: a step costs O(1).
 *
 * Owns: the meaning of each event. Does not own: whether an event may be appended (`decide.ts`).
 * D1 The fold never fails on an event that passed its schema, unless the event contradicts the state
 *    (BATON_EVENT_INVALID).
 * D2 An outcome for an effect that has ended changes nothing: the first outcome holds.
 * D3 At the end of a run all of its effects have ended.
 */
import type { EffectKind } from "./effect.ts";
import { BatonError, type ErrorData, unreachable } from "./errors.ts";
import type { Kept, RunEvent, RunEventOf, StoredEvent } from "./event.ts";
import type { AttemptState, EffectState, RunState } from "./state.ts";
import { addTokens, type EffectKey, noTokens, type Usage, usdOf } from "./vocabulary.ts";

export function fold(events: readonly StoredEvent[]): RunState {
  let state: RunState | null = null;
  for (const stored of events) state = applyEvent(state, stored);
  if (state === null) throw new BatonError("BATON_EVENT_INVALID", "A journal without events has no state.");
  return state;
}

export function applyEvent(state: RunState | null, stored: StoredEvent): RunState {
  const { event, at } = stored;
  if (state === null) {
    if (event.type !== "run.created")
      throw new BatonError("BATON_EVENT_INVALID", `A run begins with run.created, not with ${event.type}.`);
    return created(event, stored);
  }
  if (stored.position !== state.position + 1) {
    throw new BatonError(
      "BATON_EVENT_INVALID",
      `Event ${stored.position} of ${state.runId} follows ${state.position}.`,
    );
  }
  state.position = stored.position;
  state.hash = stored.hash;
  state.updatedAt = at;
  if (stored.erased === true) state.erased = true;
  change(state, event, at);
  return state;
}

function created(event: Extract<RunEvent, { type: "run.created" }>, stored: StoredEvent): RunState {
  return {
    runId: event.runId,
    process: event.process,
    input: event.input,
    thread: event.thread,
    requestedBy: event.requestedBy,
    trigger: event.trigger,
    settings: event.settings,
    settingsSha: event.settingsSha,
    parent: event.parent,
    retryOf: event.retryOf,
    history: event.history ?? null,
    startedBy: event.startedBy ?? (event.schedule === undefined ? null : { kind: "schedule", ...event.schedule }),
    priority: event.priority ?? "normal",
    priorityBy: null,
    deadline: event.deadline ?? null,
    createdAt: stored.at,
    updatedAt: stored.at,
    position: stored.position,
    hash: stored.hash,
    erased: stored.erased ?? false,
    status: "running",
    pausedBy: null,
    cancelRequested: null,
    effects: new Map(),
    open: new Set(),
    money: {
      budgetUsd: event.budgetUsd,
      spentUsd: 0,
      reservedUsd: 0,
      tokens: noTokens,
      warnedFraction: 0,
      stopsAfter: [],
      stop: null,
      complete: true,
    },
    decisions: [],
    handled: new Set([event.trigger.operationKey]),
    topUps: [],
    outcome: null,
  };
}

function change(state: RunState, event: RunEvent, at: number): void {
  switch (event.type) {
    case "run.created":
      throw new BatonError("BATON_EVENT_INVALID", `Run ${state.runId} was created twice.`);
    case "effect.requested": {
      // J3: the same key is the same effect. An older Baton let a process ask twice, and such a journal must stay
      // readable.
      if (state.effects.has(event.key)) return;
      state.effects.set(event.key, requested(event, at));
      state.open.add(event.key);
      return;
    }
    case "effect.started": {
      const effect = openEffect(state, event.key);
      if (effect === null) return;
      effect.status = "running";
      effect.retryAt = null;
      effect.progress = null;
      // The agent's turn has come.
      if (effect.kind === "agent") effect.observed = null;
      effect.attempts.push({
        attempt: event.attempt,
        worker: event.worker,
        startedAt: at,
        endedAt: null,
        reservedUsd: event.reservedUsd,
        error: null,
        usage: [],
        held: null,
        kept: null,
        partial: null,
        promptId: null,
        agent: null,
      });
      state.money.reservedUsd += event.reservedUsd;
      if (state.money.stop?.key === event.key) state.money.stop = null;
      return;
    }
    case "effect.prompted": {
      const attempt = state.effects.get(event.key)?.attempts.find((one) => one.attempt === event.attempt);
      if (attempt !== undefined) {
        attempt.promptId = event.promptId;
        attempt.agent = event.agent ?? null;
      }
      return;
    }
    case "effect.progress": {
      const effect = openEffect(state, event.key);
      if (effect === null) return;
      effect.progress = { note: event.note, at, turns: event.partial?.turns ?? null };
      const attempt = effect.attempts.at(-1);
      // Known so far, not booked. The attempt's end books its usage, or this figure if the worker is lost.
      if (attempt !== undefined) {
        know(attempt, event.usage);
        attempt.partial = event.partial ?? attempt.partial;
      }
      return;
    }
    case "effect.metered": {
      const attempt = state.effects.get(event.key)?.attempts.find((one) => one.attempt === event.attempt);
      if (attempt === undefined || attempt.endedAt !== null) return;
      attempt.usage = event.usage;
      attempt.held = event.held;
      if (event.reservedUsd === undefined) return;
      state.money.reservedUsd += event.reservedUsd - attempt.reservedUsd;
      attempt.reservedUsd = event.reservedUsd;
      return;
    }
    case "effect.observed": {
      const effect = openEffect(state, event.key);
      if (effect !== null) effect.observed = { verdict: event.verdict, facts: event.facts, at };
      return;
    }
    case "effect.attempt-failed": {
      const effect = openEffect(state, event.key);
      endAttempt(state, state.effects.get(event.key), at, event.usage, event.error);
      if (effect === null) return;
      keep(effect, event.kept);
      effect.status = "retrying";
      effect.retryAt = event.retryAt;
      effect.error = event.error;
      return;
    }
    case "effect.succeeded": {
      const effect = openEffect(state, event.key);
      endAttempt(state, state.effects.get(event.key), at, event.usage, null);
      if (effect === null) return;
      endEffect(state, effect, "succeeded", at);
      // F2: the output passed the schema of its kind before it was journaled.
      (effect as { output: unknown }).output = event.output;
      effect.error = null;
      // Settings with deleted texts are unusable, and nobody acts by them any more.
      if (effect.kind === "base" && effect.output !== undefined && !state.erased) {
        const { settings, settingsSha } = effect.output;
        state.settings = settings;
        state.settingsSha = settingsSha;
      }
      return;
    }
    case "effect.failed": {
      const effect = openEffect(state, event.key);
      endAttempt(state, state.effects.get(event.key), at, event.usage, event.error);
      if (effect === null) return;
      endEffect(state, effect, "failed", at);
      keep(effect, event.kept ?? null);
      effect.error = event.error;
      return;
    }
    case "effect.cancelled": {
      const effect = openEffect(state, event.key);
      // An agent that was asked to stop still spends. Its money stays reserved until its last words, or its worker's
      // loss, settle it.
      if (effect === null || !isSpending(effect) || event.usage.length > 0)
        endAttempt(state, state.effects.get(event.key), at, event.usage, null);
      if (effect !== null) endEffect(state, effect, "cancelled", at);
      // The last words of a stopped agent come after the cancel.
      else if (event.kept != null) keep(state.effects.get(event.key), event.kept);
      return;
    }
    case "run.cancel-requested":
      state.cancelRequested = { by: event.by, reason: event.reason, at };
      if (state.status === "paused") state.status = "running";
      return;
    case "run.paused":
      state.status = "paused";
      state.pausedBy = event.by;
      return;
    case "run.resumed":
      state.status = "running";
      state.pausedBy = null;
      return;
    case "run.priority-changed":
      state.priority = event.priority;
      if (event.deadline !== undefined) state.deadline = event.deadline;
      state.priorityBy = event.by;
      return;
    case "run.migrated":
      state.process = event.process;
      return;
    case "run.budget-raised":
      state.money.budgetUsd += event.addUsd;
      state.money.stop = null;
      state.topUps.push({ by: event.by, addUsd: event.addUsd, at });
      for (const key of state.open) {
        const effect = state.effects.get(key);
        if (effect?.status !== "stopped") continue;
        effect.status = "requested";
        effect.retryAt = null;
      }
      if (event.key !== undefined) {
        const attempt = openEffect(state, event.key)?.attempts.at(-1);
        if (attempt === undefined) return;
        attempt.reservedUsd += event.addUsd;
        state.money.reservedUsd += event.addUsd;
      }
      return;
    case "run.budget-warned":
      state.money.warnedFraction = Math.max(state.money.warnedFraction, event.fraction);
      return;
    case "run.budget-stopped": {
      const effect = openEffect(state, event.key);
      if (effect !== null) {
        effect.status = "stopped";
        effect.retryAt = event.day?.until ?? null;
      }
      state.money.stop = { key: event.key, neededUsd: event.neededUsd, day: event.day };
      const { stopsAfter } = state.money;
      if (event.day === undefined && stopsAfter.at(-1) !== state.topUps.length) stopsAfter.push(state.topUps.length);
      return;
    }
    case "policy.decided":
      if (event.operationKey !== null) state.handled.add(event.operationKey);
      state.decisions.push({
        at,
        action: event.action,
        actor: event.actor,
        verdict: event.verdict,
      });
      return;
    case "run.completed":
      endAll(state, at);
      state.status = "completed";
      state.outcome = { verdict: event.verdict, output: event.output, error: null, at };
      return;
    case "run.failed":
      endAll(state, at);
      state.status = "failed";
      state.outcome = { verdict: event.verdict, output: undefined, error: event.error, at };
      return;
    case "run.cancelled":
      endAll(state, at);
      state.status = "cancelled";
      state.outcome = {
        verdict: { name: "run", status: "skipped", reason: event.reason, evidence: [], children: [] },
        output: undefined,
        error: null,
        at,
      };
      return;
    default:
      unreachable(event);
  }
}

/** F2: the single place where journaled values get the types of their kind. */
function requested(event: RunEventOf<"effect.requested">, at: number): EffectState {
  const { key, kind, input, cause, timeoutMs, retry, hints } = event;
  return {
    key,
    kind,
    ...titleOf(kind, input, key),
    input,
    cause,
    requestedAt: at,
    endedAt: null,
    status: "requested",
    attempts: [],
    retryAt: null,
    timeoutMs,
    retry,
    hints,
    progress: null,
    observed: null,
    output: undefined,
    error: null,
  } as unknown as EffectState;
}

/** D3: an agent under way still spends, as after any cancel. Its last words, or its worker's loss, settle it. */
function endAll(state: RunState, at: number): void {
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect === undefined) continue;
    if (!isSpending(effect)) endAttempt(state, effect, at, [], null);
    endEffect(state, effect, "cancelled", at);
  }
}

/**
 * Known usage of a metered attempt reduces its held amount. Together they equal the amount that was journaled before
 * use.
 */
function know(attempt: AttemptState, usage: Usage[]): void {
  const [first] = attempt.held ?? [];
  const restUsd = usdOf(attempt.usage) + usdOf(attempt.held ?? []) - usdOf(usage);
  if (attempt.held !== null && restUsd < 0) return;
  attempt.usage = usage;
  if (first !== undefined) attempt.held = [{ ...first, costUsd: restUsd }];
}

function keep(effect: EffectState | undefined, kept: Kept | null): void {
  const attempt = effect?.attempts.at(-1);
  if (attempt === undefined) return;
  attempt.kept = kept;
  attempt.partial = kept?.partial ?? attempt.partial;
}

function openEffect(state: RunState, key: EffectKey): EffectState | null {
  const effect = state.effects.get(key);
  if (effect === undefined)
    throw new BatonError("BATON_EVENT_INVALID", `Effect ${key} has an event but was never requested.`);
  return state.open.has(key) ? effect : null;
}

function endEffect(
  state: RunState,
  effect: EffectState,
  status: "succeeded" | "failed" | "cancelled",
  at: number,
): void {
  effect.status = status;
  effect.endedAt = at;
  effect.retryAt = null;
  state.open.delete(effect.key);
  if (state.money.stop?.key === effect.key) state.money.stop = null;
}

/** Settles the running attempt: frees its reservation and books its usage, even after the effect ended. */
function endAttempt(
  state: RunState,
  effect: EffectState | undefined,
  at: number,
  usage: Usage[],
  error: ErrorData | null,
): void {
  const attempt: AttemptState | undefined = effect?.attempts.at(-1);
  if (attempt !== undefined && attempt.endedAt === null) {
    attempt.endedAt = at;
    attempt.error = error;
    attempt.usage = usage;
    attempt.held = null;
    state.money.reservedUsd = Math.max(0, state.money.reservedUsd - attempt.reservedUsd);
    if (state.money.reservedUsd < 1e-9) state.money.reservedUsd = 0;
  } else if (attempt !== undefined) {
    // A late result of an abandoned attempt: its usage beyond the booked amount.
    attempt.usage = [...attempt.usage, ...usage];
  }
  for (const used of usage) {
    state.money.tokens = addTokens(state.money.tokens, used.tokens);
    if (used.costUsd === null) state.money.complete = false;
    else state.money.spentUsd += used.costUsd;
  }
}

/** True while the effect has a reservation for an agent that is not settled. */
export function isSpending({ kind, attempts }: EffectState): boolean {
  const attempt = attempts.at(-1);
  return kind === "agent" && attempt !== undefined && attempt.endedAt === null && attempt.reservedUsd > 0;
}

function titleOf(kind: EffectKind, input: unknown, key: EffectKey): { title: string; stage: string | null } {
  if (typeof input !== "object" || input === null) return { title: `${kind} ${key}`, stage: null };
  const { title, stage } = input as { title?: unknown; stage?: unknown };
  return {
    title: typeof title === "string" ? title : `${kind} ${key}`,
    stage: typeof stage === "string" ? stage : null,
  };
}
