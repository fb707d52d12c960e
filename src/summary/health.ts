/**
 * Health of a run, 0 to 100, from its journal alone (STATE-008). Each deduction gives its reason, so the number can be
 * explained.
 */
import type { RunState } from "../core/state.ts";

export interface Health {
  score: number;
  deductions: { points: number; reason: string }[];
}

const hourMs = 3_600_000;

export function health(state: RunState, now: number): Health {
  const deductions: Health["deductions"] = [];
  const take = (points: number, reason: string): void => {
    if (points > 0) deductions.push({ points: Math.round(points), reason });
  };
  if (state.status === "completed" || state.status === "cancelled") return { score: 100, deductions };
  if (state.status === "failed")
    return { score: 0, deductions: [{ points: 100, reason: state.outcome?.verdict.reason ?? "The run failed." }] };
  let failures = 0;
  let ended = 0;
  let idle = 0;
  for (const effect of state.effects.values()) {
    failures += effect.attempts.filter((attempt) => attempt.error !== null).length;
    if (effect.endedAt !== null) ended += 1;
    // An agent that only reads, for example for a plan, is not idle.
    if (effect.kind === "agent" && effect.input.access === "write" && effect.output?.headSha === null) idle += 1;
  }
  take(Math.min(40, failures * 8), `${failures} failed attempt${failures === 1 ? "" : "s"}`);
  take(Math.min(20, idle * 10), `${idle} agent step${idle === 1 ? "" : "s"} changed nothing`);
  const oldest = Math.min(...[...state.open].map((key) => state.effects.get(key)?.requestedAt ?? now), now);
  const waitedHours = (now - oldest) / hourMs;
  take(
    Math.min(30, waitedHours > 1 ? waitedHours * 1.25 : 0),
    `the oldest open step is ${waitedHours.toFixed(1)} h old`,
  );
  if (state.money.stop !== null) take(30, "stopped by its budget");
  if (state.money.budgetUsd > 0)
    take(Math.max(0, (state.money.spentUsd / state.money.budgetUsd - 0.8) * 50), "the budget is nearly spent");
  if (ended === 0 && now - state.createdAt > hourMs) take(20, "nothing has ended yet");
  return { score: Math.max(0, 100 - deductions.reduce((sum, { points }) => sum + points, 0)), deductions };
}
