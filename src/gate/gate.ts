/**
 * A gate: facts in, verdict out. One file in `rules/`, one line in `rules/index.ts`, one table test.
 *
 * U0 An error is not a "no". An unknown gate, invalid options or missing facts give `error`.
 */
import { z } from "zod";
import type { Settings } from "../config/schema.ts";
import type { Verdict } from "../core/vocabulary.ts";
import type { FactName, GateFacts } from "./facts.ts";

export interface GateContext {
  settings: Settings;
  /** Milliseconds since the epoch. */
  now: number;
}

export interface Gate<Options = unknown, Needs extends FactName = FactName> {
  name: string;
  /** One sentence for the documentation. */
  summary: string;
  options: z.ZodType<Options>;
  needs: readonly Needs[];
  evaluate(facts: GateFacts & Required<Pick<GateFacts, Needs>>, options: Options, context: GateContext): Verdict;
}

/** Evaluates a gate with options and facts from outside: both are checked first (U0). */
export function evaluateGate(gate: Gate, facts: GateFacts, options: unknown, context: GateContext): Verdict {
  const parsed = gate.options.safeParse(options ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "options"}: ${message}`);
    return gateError(gate.name, `The options of the gate \`${gate.name}\` are not right. ${problems.join("; ")}.`);
  }
  const missing = gate.needs.filter((need) => facts[need] === undefined);
  if (missing.length > 0)
    return gateError(
      gate.name,
      `The gate \`${gate.name}\` could not be judged: ${missing.join(", ")} could not be read.`,
    );
  return gate.evaluate(facts as GateFacts & Required<GateFacts>, parsed.data, context);
}

export function gateError(name: string, reason: string): Verdict {
  return { name, status: "error", reason, evidence: [], children: [] };
}
