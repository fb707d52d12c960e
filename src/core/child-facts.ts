/** What a parent's journal keeps of a child run that goes on, as the last look found it. */
import { z } from "zod";
import type { EffectState } from "./state.ts";

const childFactsSchema = z.object({
  runId: z.string(),
  waits: z.enum(["people", "facts", "time", "money", "worker", "run"]).nullable(),
  spentUsd: z.number(),
  /** The text that people are asked to approve in it. */
  approve: z.string().nullable(),
});
export type ChildFacts = z.infer<typeof childFactsSchema>;

/** null: the parent has not looked at it yet. */
export function childFacts({ kind, observed }: Pick<EffectState, "kind" | "observed">): ChildFacts | null {
  if (kind !== "subprocess" || observed === null) return null;
  return childFactsSchema.safeParse(observed.facts).data ?? null;
}
