/** The gates that processes may ask for by name: one line each. */
import { nearest } from "../../core/nearest.ts";
import type { Verdict } from "../../core/vocabulary.ts";
import type { GateFacts } from "../facts.ts";
import { evaluateGate, type Gate, type GateContext, gateError } from "../gate.ts";
import { checksGreenGate } from "./checks-green.ts";
import { diffSize } from "./diff-size.ts";
import { pathsAllowed } from "./paths-allowed.ts";
import { somethingChanged } from "./something-changed.ts";

export const gates: ReadonlyMap<string, Gate> = new Map(
  [checksGreenGate, diffSize, pathsAllowed, somethingChanged].map((gate) => [gate.name, gate as Gate]),
);

/** Finds a gate and evaluates it. An unknown name is an `error`, never a pass (U0). */
export function runGate(name: string, facts: GateFacts, options: unknown, context: GateContext): Verdict {
  const gate = gates.get(name);
  if (gate !== undefined) return evaluateGate(gate, facts, options, context);
  const meant = nearest(name, [...gates.keys()]);
  return gateError(
    name,
    `There is no gate "${name}". Known: ${[...gates.keys()].join(", ")}.${meant === null ? "" : ` Was \`${meant}\` meant?`}`,
  );
}
