/**
 * Decisions: state and a new fact in, events out. This module performs nothing, waits for nothing and reads nothing
 * outside.
 *
 * Owns: which events may follow. Does not own: permissions (`policy/`), appending (`runner/`).
 * C1 A decision for a run that is over is refused, never ignored.
 * C2 Two deciders cannot both win: the append carries the position that the decision was based on.
 */
import { canonicalJson } from "./canonical.ts";
import { shieldEndsAt } from "./due.ts";
import { effectEndedBy, effectSchemas } from "./effect.ts";
import { BatonError, type ErrorData, toBatonError } from "./errors.ts";
import type { Kept, PartialWork, RunEvent, RunEventOf } from "./event.ts";
import { isSpending } from "./fold.ts";
import { limits } from "./limits.ts";
import type { Priority } from "./priority.ts";
import { retryPauseMs } from "./retry.ts";
import type { EffectState, RunState } from "./state.ts";
import type { EndingProcess, Turn } from "./turn.ts";
import {
  type Actor,
  type EffectKey,
  type Json,
  shortRunId,
  type Usage,
  usdOf,
  type Verdict,
  verdictSchema,
} from "./vocabulary.ts";

export function isOver(state: RunState): boolean {
  return state.status === "completed" || state.status === "failed" || state.status === "cancelled";
}

/** Nobody can start a run again after its input was deleted. */
export function refuseErased({ erased, runId }: RunState): void {
  if (erased) throw new BatonError("BATON_RUN_ERASED", `The personal texts of \`${shortRunId(runId)}\` were deleted.`);
}

function alive(state: RunState, asked: string): void {
  if (isOver(state))
    throw new BatonError("BATON_NO_RUN", `The run is ${state.status}, so there is nothing to ${asked}.`);
}

export function cancel(state: RunState, by: Actor, reason: string): RunEvent[] {
  alive(state, "cancel");
  return state.cancelRequested === null ? [{ type: "run.cancel-requested", by, reason }] : [];
}

export function pause(state: RunState, by: Actor, reason: string): RunEvent[] {
  alive(state, "pause");
  return state.status === "paused" ? [] : [{ type: "run.paused", by, reason }];
}

export function resume(state: RunState, by: Actor): RunEvent[] {
  alive(state, "resume");
  return state.status === "paused" ? [{ type: "run.resumed", by }] : [];
}

/** `deadline`: undefined leaves it. */
export function changePriority(
  state: RunState,
  by: Actor,
  { priority, deadline }: { priority: Priority; deadline?: number | null },
): RunEvent[] {
  alive(state, "change");
  const isSame = state.priority === priority && (deadline === undefined || state.deadline === deadline);
  if (isSame) return [];
  return [{ type: "run.priority-changed", by, priority, ...(deadline === undefined ? {} : { deadline }) }];
}

/** `key`: the child run that gets the money. */
export function raiseBudget(state: RunState, by: Actor, addUsd: number, key: EffectKey | null = null): RunEvent[] {
  alive(state, "top up");
  if (!(addUsd > 0 && Number.isFinite(addUsd)))
    throw new BatonError("BATON_COMMAND_INVALID", `A top-up is a positive amount in USD, not ${addUsd}.`);
  return [{ type: "run.budget-raised", by, addUsd, ...(key === null ? {} : { key }) }];
}

/** Open effects that wait for an answer by people, oldest first. */
export function openQuestions(state: RunState): EffectState[] {
  const found: EffectState[] = [];
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect !== undefined && effectEndedBy[effect.kind] === "people") found.push(effect);
  }
  return found;
}

/** The answer to a breakpoint or question, by a person or by a fact that counts as one. */
export function answer(state: RunState, key: EffectKey, output: Json): RunEvent[] {
  alive(state, "answer");
  return [succeeded(requireOpen(state, key), 0, output, [])];
}

export function observe(state: RunState, key: EffectKey, verdict: Verdict, facts: Json): RunEvent[] {
  const effect = requireOpen(state, key);
  const before = effect.observed;
  // A repeated decision adds nothing: otherwise the journal would grow with every webhook. A journal sorts the keys of
  // its values.
  if (before !== null && canonicalJson(before.verdict) === canonicalJson(verdict)) return [];
  return [{ type: "effect.observed", key, verdict, facts }];
}

export function expire(state: RunState, key: EffectKey): RunEvent[] {
  const effect = requireOpen(state, key);
  const waited = effect.observed === null ? "" : ` Last seen: ${effect.observed.verdict.reason}`;
  return [
    failed(
      effect,
      0,
      {
        code: "BATON_TIMEOUT",
        message: `"${effect.title}" waited ${Math.round((effect.timeoutMs ?? 0) / 60_000)} min without an end.${waited}`,
      },
      [],
    ),
  ];
}

export type AttemptResult =
  | { ok: true; output: Json; usage: Usage[] }
  | { ok: false; error: ErrorData; usage: Usage[]; kept: Kept | null };

/**
 * Turns the end of an attempt into an outcome, or another attempt at `retryAt`. A late result of an ended effect only
 * books its money.
 */
export function attemptEnded(
  state: RunState,
  key: EffectKey,
  attempt: number,
  result: AttemptResult,
  now: number,
): RunEvent[] {
  const effect = state.effects.get(key);
  if (effect === undefined) throw new BatonError("BATON_INTERNAL", `No effect ${key} in ${state.runId}.`);
  if (!state.open.has(key))
    return result.usage.length === 0 && (result.ok || result.kept === null) && !isSpending(effect)
      ? []
      : [
          {
            type: "effect.cancelled",
            key,
            reason: "late result",
            usage: result.usage,
            ...(result.ok ? {} : { kept: result.kept }),
          },
        ];
  if (result.ok) return [succeeded(effect, attempt, withCost(effect, result.output, result.usage), result.usage)];
  if (result.error.code === "BATON_BUDGET_EXCEEDED") {
    // The step has not failed. It waits for money, and continues from its kept work.
    const failed = attemptFailed(key, attempt, result, now);
    const least = Math.max(limits.worthwhileUsd, neededUsd(result.error));
    const { leftUsd, heldByOthers, spentUsd } = afterwards(state, effect, result.usage);
    // Other holders return unused money, and a child's parent or the next day may add money. The next dispatch decides.
    if (leftUsd >= least || heldByOthers) return [failed];
    return [failed, { type: "run.budget-stopped", key, neededUsd: least - leftUsd, spentUsd }];
  }
  const pauseMs = retryPauseMs(effect.retry, triesOf(effect, attempt), result.error);
  if (pauseMs === null) {
    const costUsd = costOf(effect, result.usage);
    const details =
      effect.kind === "agent" && costUsd !== null ? { ...result.error.details, costUsd: `${costUsd}` } : null;
    const error = details === null ? result.error : { ...result.error, details };
    return [{ ...failed(effect, attempt, error, result.usage), kept: result.kept }];
  }
  return [attemptFailed(key, attempt, result, now + pauseMs)];
}

/** The run's money after this attempt is settled. */
function afterwards(
  { money }: RunState,
  { attempts }: EffectState,
  usage: readonly Usage[],
): { leftUsd: number; heldByOthers: boolean; spentUsd: number } {
  const attempt = attempts.at(-1);
  const own = attempt === undefined || attempt.endedAt !== null ? 0 : attempt.reservedUsd;
  const spentUsd = money.spentUsd + usdOf(usage);
  const others = Math.max(0, money.reservedUsd - own);
  return { leftUsd: money.budgetUsd - spentUsd - others, heldByOthers: others > 1e-9, spentUsd };
}

/** The least money that the attempt's next request would have needed. 0: the attempt did not report it. */
export function neededUsd(error: ErrorData | null | undefined): number {
  const said = Number(error?.code === "BATON_BUDGET_EXCEEDED" ? (error.details?.["neededUsd"] ?? 0) : 0);
  return Number.isFinite(said) && said > 0 ? said : 0;
}

/** The charge for a lost attempt: its reported usage, and at most the maximum of its requests under way (B4). */
export function unsettled(effect: EffectState | undefined): Usage[] {
  const attempt = effect?.attempts.at(-1);
  return attempt === undefined || attempt.endedAt !== null ? [] : [...attempt.usage, ...(attempt.held ?? [])];
}

/** A milestone of an attempt, recorded only while that attempt runs. */
export function progress(
  state: RunState,
  key: EffectKey,
  attempt: number,
  { note, usage, partial }: { note: string; usage: Usage[]; partial?: PartialWork | undefined },
): RunEvent[] {
  const current = state.effects.get(key)?.attempts.at(-1);
  if (!state.open.has(key) || current?.attempt !== attempt) return [];
  return [{ type: "effect.progress", key, attempt, note, usage, ...(partial === undefined ? {} : { partial }) }];
}

/** The cost of all attempts of a step. null: one price is unknown. */
function costOf(effect: EffectState, usage: readonly Usage[]): number | null {
  const before = effect.attempts.filter(({ endedAt }) => endedAt !== null).flatMap((one) => one.usage);
  const all = [...before, ...usage];
  return all.some(({ costUsd }) => costUsd === null) ? null : all.reduce((sum, one) => sum + (one.costUsd ?? 0), 0);
}

function withCost(effect: EffectState, output: Json, usage: readonly Usage[]): Json {
  if (effect.kind !== "agent" || typeof output !== "object" || output === null || Array.isArray(output)) return output;
  return { ...output, costUsd: costOf(effect, usage) };
}

/** The worker of an attempt, and the reason for it. A repeated report is kept once. */
export function routed(state: RunState, key: EffectKey, attempt: number, verdict: Verdict): RunEvent[] {
  const current = state.effects.get(key)?.attempts.at(-1);
  if (!state.open.has(key) || current?.attempt !== attempt) return [];
  const known = state.decisions.some((one) => one.action === "route" && one.verdict.name === verdict.name);
  return known ? [] : [{ type: "policy.decided", action: "route", actor: null, verdict, operationKey: null }];
}

/** The policy's verdict on a write of an attempt. A repeated verdict, for example after a crash, is kept once. */
export function judged(
  state: RunState,
  { key, attempt }: { key: EffectKey; attempt: number },
  action: "publish" | "merge",
  verdict: Verdict,
): RunEvent[] {
  const current = state.effects.get(key)?.attempts.at(-1);
  if (!state.open.has(key) || current?.attempt !== attempt) return [];
  const last = state.decisions.findLast((one) => one.action === action);
  if (last !== undefined && canonicalJson(last.verdict) === canonicalJson(verdict)) return [];
  return [{ type: "policy.decided", action, actor: null, verdict, operationKey: null }];
}

/** The number of real tries. An attempt that lost its worker does not count against the step. */
function triesOf(effect: EffectState, attempt: number): number {
  return attempt - effect.attempts.filter(({ error }) => error?.code === "BATON_ATTEMPT_LOST").length;
}

/** Turns one turn of the process into journal events. */
export function turnEvents(state: RunState, definition: EndingProcess, turn: Turn): RunEvent[] {
  const events: RunEvent[] = [...turn.requests];
  for (const key of turn.cancellations) {
    if (state.open.has(key) || turn.requests.some((request) => request.key === key)) {
      events.push({
        type: "effect.cancelled",
        key,
        reason: state.cancelRequested?.reason ?? "no longer wanted",
        usage: [],
      });
    }
  }
  if (turn.end === null || isOver(state)) return events;
  if (state.cancelRequested !== null) {
    events.push({
      type: "run.cancelled",
      reason: `Cancelled by @${state.cancelRequested.by.login}: ${state.cancelRequested.reason}`,
      by: state.cancelRequested.by,
    });
  } else if (turn.end.ok) {
    events.push(completed(definition, turn.end.output));
  } else {
    events.push(runFailed(definition.name, "failed", toBatonError(turn.end.error, "BATON_PROCESS_FAILED")));
  }
  return events;
}

/** The verdict is the process's own code: it may throw, or return something that is not a verdict. */
function completed(definition: EndingProcess, output: Json): RunEvent {
  let problem: string;
  try {
    const verdict = verdictSchema.safeParse(definition.verdict(output));
    if (verdict.success) return { type: "run.completed", output, verdict: verdict.data };
    problem = verdict.error.issues.map(({ path, message }) => `${path.join(".") || "(value)"}: ${message}`).join("; ");
  } catch (thrown) {
    problem = thrown instanceof Error ? thrown.message : "it threw a value that is not an error";
  }
  const message = `Process ${definition.name} ended, but its \`verdict\` failed: ${problem}`;
  return runFailed(definition.name, "failed", new BatonError("BATON_PROCESS_FAILED", message));
}

function runFailed(name: string, status: "failed" | "error", error: BatonError): RunEventOf<"run.failed"> {
  const verdict: Verdict = { name, status, reason: error.message, evidence: [], children: [] };
  return { type: "run.failed", error: error.toData(), verdict };
}

/**
 * Stops a run whose process cannot continue (divergence, missing version). No effect of it stays open.
 * `workersGone`: nobody will report the usage of the attempts under way, so Baton charges the last reported usage now.
 */
export function stop(state: RunState, error: BatonError, workersGone = false): RunEvent[] {
  if (isOver(state)) return [];
  const events: RunEvent[] = [];
  for (const key of state.open) {
    const effect = state.effects.get(key);
    const attempt = effect?.attempts.at(-1);
    const isLost = workersGone && attempt?.endedAt === null && effect?.kind !== "subprocess";
    events.push({
      type: "effect.cancelled",
      key,
      reason: "the run was stopped",
      usage: isLost ? unsettled(effect) : [],
    });
  }
  return [...events, runFailed(state.process.name, "error", error)];
}

/** I5: the clean-up time of a cancelled run has ended. Its process gets no further turn. */
export function endShield(state: RunState, now: number): RunEvent[] {
  const { cancelRequested } = state;
  const endsAt = shieldEndsAt(state);
  if (cancelRequested === null || endsAt === null || now < endsAt) return [];
  const minutes = Math.round((endsAt - cancelRequested.at) / 60_000);
  const titles = [...state.open].map((key) => state.effects.get(key)?.title ?? key);
  const left = `${titles.slice(0, 3).join(", ")}${titles.length > 3 ? `, and ${titles.length - 3} more` : ""}`;
  return [
    ...[...state.open].map((key) => ({
      type: "effect.cancelled" as const,
      key,
      reason: "the clean-up after the cancel took too long",
      usage: [],
    })),
    {
      type: "run.cancelled",
      reason: `Cancelled by @${cancelRequested.by.login}: ${cancelRequested.reason.replace(/[^.!?]$/, "$&.")} Baton stopped the clean-up after ${minutes} min. Not done: ${left}.`,
      by: cancelRequested.by,
    },
  ];
}

/** Attempts of a worker that is gone: Baton charges each for its reported usage, and tries it again. */
export function lostAttempts(
  state: RunState,
  isAlive: (worker: string, key: EffectKey) => boolean,
  now: number,
): RunEvent[] {
  const events: RunEvent[] = [];
  for (const key of state.open) {
    const effect = state.effects.get(key);
    const attempt = effect?.attempts.at(-1);
    if (effect?.status !== "running" || attempt === undefined || isAlive(attempt.worker, key)) continue;
    // A child run has its own journal, so it is not lost with its parent's worker.
    if (effectEndedBy[effect.kind] === "run") continue;
    // Only agents cost money, so only their attempts are counted. Repeating an ensure costs nothing.
    const error: ErrorData = {
      code: "BATON_ATTEMPT_LOST",
      message: `The worker ${attempt.worker} went away during attempt ${attempt.attempt}.`,
      retryAfterMs: 0,
    };
    const over = effect.kind === "agent" && attempt.attempt >= limits.attemptsPerEffectMax;
    const { attempt: number } = attempt;
    const usage = unsettled(effect);
    if (over) events.push(failed(effect, number, error, usage));
    else events.push(attemptFailed(key, number, { error, usage, kept: null }, now));
  }
  // Attempts that were asked to stop, and lost their worker before their last words.
  for (const effect of state.effects.values()) {
    const worker = effect.attempts.at(-1)?.worker ?? "";
    if (state.open.has(effect.key) || !isSpending(effect) || isAlive(worker, effect.key)) continue;
    events.push({
      type: "effect.cancelled",
      key: effect.key,
      reason: "its worker went away",
      usage: unsettled(effect),
    });
  }
  return events;
}

/** The effect does not end: another attempt begins at `retryAt`, from the kept work of this one. */
function attemptFailed(
  key: EffectKey,
  attempt: number,
  { error, usage, kept }: { error: ErrorData; usage: Usage[]; kept: Kept | null },
  retryAt: number,
): RunEvent {
  return { type: "effect.attempt-failed", key, attempt, error, usage, retryAt, kept };
}

function requireOpen(state: RunState, key: EffectKey): EffectState {
  const effect = state.effects.get(key);
  if (effect === undefined || !state.open.has(key))
    throw new BatonError("BATON_GITHUB_CONFLICT", `"${key}" is not open any more.`);
  return effect;
}

function succeeded(effect: EffectState, attempt: number, output: Json, usage: Usage[]): RunEvent {
  const parsed = effectSchemas[effect.kind].output.safeParse(output);
  if (!parsed.success) {
    return failed(
      effect,
      attempt,
      {
        code: "BATON_HARNESS_OUTPUT",
        message: `"${effect.key}" gave what its schema does not allow: ${parsed.error.message}`,
      },
      usage,
    );
  }
  return { type: "effect.succeeded", key: effect.key, attempt, output: parsed.data as Json, usage };
}

function failed(effect: EffectState, attempt: number, error: ErrorData, usage: Usage[]): RunEventOf<"effect.failed"> {
  return { type: "effect.failed", key: effect.key, attempt, error, usage };
}
