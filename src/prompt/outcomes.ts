/**
 * Expected outcomes (W3.1): statements that somebody can check, and the answers to them, each with its evidence.
 *
 * O1 An outcome that is not answered, is answered twice, or without evidence, is not met.
 * O2 An answer is the word of who gave it; nothing here is a gate's verdict.
 */
import { z } from "zod";

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}(?:\.[0-9]{1,2})?$/);
export const outcomeSchema = z.object({ id, statement: z.string().min(1).max(300) });
export type Outcome = z.output<typeof outcomeSchema>;
export const outcomesSchema = z.array(outcomeSchema).max(100);

/** For an agent to read; its answer names the ids. */
export function listOutcomes(outcomes: readonly Outcome[]): string {
  return outcomes.map(({ id: name, statement }) => `- ${name}: ${statement.replaceAll(/\s+/g, " ")}`).join("\n");
}
