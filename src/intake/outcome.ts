/**
 * The outcome of a delivery, as data. The store keeps it, and the job of GitHub Actions that reports it reads it.
 *
 * Owns: the forms, and how the store keeps them. Does not own: words for the thread.
 */
import { z } from "zod";

const reason = z.string();

const commentOutcomes = [
  /** The delivery is not for Baton, or its author gets no answer. */
  z.object({ kind: z.literal("ignored"), reason }),
  /** Not a command, or not written as one. Anybody can write such a comment. */
  z.object({ kind: z.literal("misspelt"), reason }),
  z.object({ kind: z.literal("misconfigured"), reason }),
  z.object({ kind: z.literal("refused"), reason }),
  z.object({ kind: z.literal("done"), command: z.string() }),
] as const;
const commentOutcomeSchema = z.discriminatedUnion("kind", commentOutcomes);
export type CommentOutcome = z.infer<typeof commentOutcomeSchema>;

/** The result of a pull request's change to the configuration. null: it changes none. */
const configOutcomeSchema = z.object({ ok: z.boolean(), title: z.string() }).nullable();
export type ConfigOutcome = z.infer<typeof configOutcomeSchema>;

const deliveryOutcomeSchema = z.discriminatedUnion("kind", [
  ...commentOutcomes,
  z.object({
    kind: z.literal("facts"),
    /** Runs that Baton woke. */
    woke: z.number().int(),
    configuration: configOutcomeSchema,
    said: commentOutcomeSchema.nullable(),
  }),
  /** The time came, the rules changed, or somebody asked a rule. */
  z.object({ kind: z.literal("noted"), reason }),
]);
export type DeliveryOutcome = z.infer<typeof deliveryOutcomeSchema>;

/** `triggers`: the answer of the rules to it, for people. */
export function noteOf(outcome: DeliveryOutcome, triggers: string | null = null): string {
  return JSON.stringify(triggers === null ? outcome : { ...outcome, triggers });
}

/** An older Baton kept a sentence. The sentence only says that Baton handled something. */
export function outcomeOf(note: string): DeliveryOutcome {
  try {
    return deliveryOutcomeSchema.parse(JSON.parse(note));
  } catch {
    return { kind: "ignored", reason: note };
  }
}
