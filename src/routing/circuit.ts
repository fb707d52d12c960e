/**
 * Circuit breakers: whether a harness, or one of its models, is worth a try. A pure fold of outcomes.
 *
 * Owns: when a circuit opens and closes. Does not own: where its state is kept (the runner, in the store, so that
 * replicas share it).
 * B1 Outcomes caused by the task (a refusal, its limits, a cancel) say nothing about a harness.
 * B2 An open circuit blocks everything until its time. Then it allows tries, and the first outcome decides.
 * B3 Each consecutive opening lasts twice as long, up to a bound. A success ends the sequence.
 */
import type { ErrorCode } from "../core/errors.ts";

export interface Circuit {
  /** Latest last. true is a success. */
  outcomes: { at: number; ok: boolean }[];
  /** The circuit blocks until then. null: it never opened or has closed. */
  openUntil: number | null;
  /** Consecutive openings. */
  openings: number;
}

export type CircuitState = "closed" | "open" | "half-open";

export const newCircuit: Circuit = { outcomes: [], openUntil: null, openings: 0 };

const outcomesMax = 20;
/** Older outcomes say nothing about the present. */
const windowMs = 15 * 60_000;
const failuresMin = 3;
const failureShareMin = 0.5;
const openMs = 60_000;
const openMsMax = 30 * 60_000;

/** Faults of the machine, so of the harness as a whole. */
const harnessFaults: ReadonlySet<string> = new Set<ErrorCode>([
  "BATON_HARNESS_MISSING",
  "BATON_HARNESS_KEY_MISSING",
  "BATON_HARNESS_SANDBOX",
  "BATON_HARNESS_AUTH",
  "BATON_HARNESS_CRASHED",
  "BATON_HARNESS_HUNG",
  "BATON_HARNESS_OUTPUT",
]);
/** Faults of the service, so of the requested model. */
const modelFaults: ReadonlySet<string> = new Set<ErrorCode>(["BATON_HARNESS_QUOTA", "BATON_HARNESS_UNAVAILABLE"]);

/** The circuit that an outcome belongs to. null: none (B1). */
export function faultOf(code: string): "harness" | "model" | null {
  if (harnessFaults.has(code)) return "harness";
  return modelFaults.has(code) ? "model" : null;
}

export function circuitState({ openUntil }: Circuit, now: number): CircuitState {
  if (openUntil === null) return "closed";
  return now < openUntil ? "open" : "half-open";
}

export function afterOutcome(circuit: Circuit, ok: boolean, now: number): Circuit {
  const state = circuitState(circuit, now);
  // This attempt began before the circuit opened, which counted it already.
  if (state === "open" && !ok) return circuit;
  if (ok && state !== "closed") return newCircuit;
  const outcomes = [...circuit.outcomes.filter(({ at }) => now - at <= windowMs), { at: now, ok }].slice(-outcomesMax);
  const failures = outcomes.filter((outcome) => !outcome.ok).length;
  const trips = failures >= failuresMin && failures >= failureShareMin * outcomes.length;
  if (ok || (state === "closed" && !trips)) return { outcomes, openUntil: null, openings: ok ? 0 : circuit.openings };
  const openings = circuit.openings + 1;
  return { outcomes, openUntil: now + Math.min(openMsMax, openMs * 2 ** (openings - 1)), openings };
}
