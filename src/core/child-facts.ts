/** The part of a running child's state that its parent's journal keeps, as of the last check. */
import { z } from "zod";
import type { EffectState } from "./state.ts";

const childFactsSchema = z.object({
  runId: z.string(),
  waits: z.enum(["people", "facts", "time", "money", "worker", "run"]).nullable(),
  spentUsd: z.number(),
  /** The text that the child run asks people to approve. */
  approve: z.string().nullable(),
});
export type ChildFacts = z.infer<typeof childFactsSchema>;

/** null: the parent has not checked the child yet. */
export function childFacts({ kind, observed }: Pick<EffectState, "kind" | "observed">): ChildFacts | null {
  if (kind !== "subprocess" || observed === null) return null;
  return childFactsSchema.safeParse(observed.facts).data ?? null;
}
