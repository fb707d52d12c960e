/** Words of an agent, or of its worker, that come after the end of its attempt. */
import { attemptEnded, progress, routed } from "../../../../src/core/decide.ts";
import type { Kept, RunEvent } from "../../../../src/core/event.ts";
import type { EffectState, RunState } from "../../../../src/core/state.ts";
import type { EffectKey, Usage } from "../../../../src/core/vocabulary.ts";
import { type Cause, defineCause } from "../cause.ts";

const ways = ["success", "failure", "no money", "kept work", "progress", "route"] as const;
const ends = ["cancelled", "failed", "succeeded", "next attempt"] as const;

interface Late {
  how: (typeof ways)[number];
  end: (typeof ends)[number];
  text: string;
  usd: number;
}

const key = "implement" as EffectKey;

function stateAfter(end: Late["end"], isEnded: boolean): RunState {
  const attempt = {
    attempt: 1,
    worker: "w",
    reservedUsd: 1,
    startedAt: 0,
    endedAt: isEnded ? 5 : null,
    usage: [],
    kept: null,
  };
  const next = { ...attempt, attempt: 2, endedAt: null };
  const effect = {
    key,
    kind: "agent",
    title: "Implement",
    status: isEnded && end !== "next attempt" ? end : "running",
    retry: { attemptsMax: 3, pauseMs: 0, pauseMaxMs: 0 },
    attempts: isEnded && end === "next attempt" ? [attempt, next] : [attempt],
  } as unknown as EffectState;
  const isOpen = !isEnded || end === "next attempt";
  return {
    runId: "run_0123456789abcdef",
    effects: new Map([[key, effect]]),
    open: new Set(isOpen ? [key] : []),
    money: { spentUsd: 0, reservedUsd: 1, budgetUsd: 5 },
    decisions: [],
  } as unknown as RunState;
}

function eventsOf({ how, text, usd }: Late, state: RunState): RunEvent[] {
  const tokens = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 };
  const usage = [
    { harness: "h", model: "m", tokens, costUsd: usd, priceSource: "table", priceTableVersion: null },
  ] as Usage[];
  const kept = { headSha: "a".repeat(40), sessionId: null, harness: "h" } as Kept;
  const fail = (code: "BATON_HARNESS_CRASHED" | "BATON_BUDGET_EXCEEDED", left: Kept | null): RunEvent[] =>
    attemptEnded(state, key, 1, { ok: false, error: { code, message: text }, usage, kept: left }, 10);
  const verdict = { name: text, status: "passed", reason: "", evidence: [], children: [] } as const;
  switch (how) {
    case "success":
      return attemptEnded(state, key, 1, { ok: true, output: { text }, usage }, 10);
    case "failure":
      return fail("BATON_HARNESS_CRASHED", null);
    case "no money":
      return fail("BATON_BUDGET_EXCEEDED", null);
    case "kept work":
      return fail("BATON_HARNESS_CRASHED", kept);
    case "progress":
      return progress(state, key, 1, { note: text, usage });
    case "route":
      return routed(state, key, 1, verdict as never);
  }
}

const late = defineCause<Late>({
  name: "word of an agent after its attempt was ended",
  surface: "agent",
  guard: "src/core/decide.ts: a late result of an ended effect only books its money",
  // While the next attempt runs, the lease and the claim stop every outcome of the one before.
  fixed: ways.flatMap((how) =>
    ends.flatMap((end) => (isAsked(how, end) ? [{ how, end, text: "late", usd: 0.5 }] : [])),
  ),
  draw(draw) {
    const how = draw.one(ways);
    const end = draw.one(ends.filter((one) => isAsked(how, one)));
    return { how, end, text: draw.word(), usd: draw.whole(1, 400) / 100 };
  },
  attack(input, guarded) {
    // Without the guard, the attempt counts as still running.
    const events = eventsOf(input, stateAfter(input.end, guarded));
    const found = events.find(({ type }) => type !== "effect.cancelled");
    return found === undefined ? null : `${found.type} after ${input.end}`;
  },
});

function isAsked(how: Late["how"], end: Late["end"]): boolean {
  return end !== "next attempt" || how === "progress" || how === "route";
}

export const lateCauses: readonly Cause[] = [late];
