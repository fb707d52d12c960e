/**
 * What became of a delivery, as data: kept with it, and read by the job of GitHub Actions that reports it.
 *
 * Owns: the forms, and how they stand in the store. Does not own: words for the thread.
 */
import { z } from "zod";

const reason = z.string();

const commentOutcomes = [
  /** Not for Baton, or not from somebody whom it answers. */
  z.object({ kind: z.literal("ignored"), reason }),
  /** No command, or not written as one: anybody can write such a comment. */
  z.object({ kind: z.literal("misspelt"), reason }),
  z.object({ kind: z.literal("misconfigured"), reason }),
  z.object({ kind: z.literal("refused"), reason }),
  z.object({ kind: z.literal("done"), command: z.string() }),
] as const;
const commentOutcomeSchema = z.discriminatedUnion("kind", commentOutcomes);
export type CommentOutcome = z.infer<typeof commentOutcomeSchema>;

/** What a pull request's change of the configuration came to; null: it changes none. */
const configOutcomeSchema = z.object({ ok: z.boolean(), title: z.string() }).nullable();
export type ConfigOutcome = z.infer<typeof configOutcomeSchema>;

const deliveryOutcomeSchema = z.discriminatedUnion("kind", [
  ...commentOutcomes,
  z.object({
    kind: z.literal("facts"),
    /** Runs that were woken. */
    woke: z.number().int(),
    configuration: configOutcomeSchema,
    said: commentOutcomeSchema.nullable(),
  }),
  /** The time came, the rules changed, or one of them was asked. */
  z.object({ kind: z.literal("noted"), reason }),
]);
export type DeliveryOutcome = z.infer<typeof deliveryOutcomeSchema>;

/** `triggers`: what rules made of it, for people. */
export function noteOf(outcome: DeliveryOutcome, triggers: string | null = null): string {
  return JSON.stringify(triggers === null ? outcome : { ...outcome, triggers });
}

/** An older Baton kept a sentence; it says that something was handled, and no more. */
export function outcomeOf(note: string): DeliveryOutcome {
  try {
    return deliveryOutcomeSchema.parse(JSON.parse(note));
  } catch {
    return { kind: "ignored", reason: note };
  }
}
