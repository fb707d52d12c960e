/** Input of a race in addition to the usual input: its contestants, each with a branch and a budget share. */
import { z } from "zod";
import { workInputSchema } from "../schema.ts";

const contestantSchema = z.object({
  /** Unique in the race, because keys of effects and names of branches use it. */
  slug: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/),
  harness: z.string().min(1),
  model: z.string().min(1).optional(),
  branch: z.string().min(1),
});
export type Contestant = z.infer<typeof contestantSchema>;

export const raceInputSchema = workInputSchema.extend({
  race: z.object({
    contestants: z.array(contestantSchema).min(2),
    /** The most that one contestant may spend, in USD. */
    shareUsd: z.number().positive(),
    /** Where the repository's CI judges a contestant: its branch alone, or a draft pull request of it. */
    checks: z.enum(["pull-request", "push"]),
  }),
});
export type RaceInput = z.infer<typeof raceInputSchema>;

export function nameOf({ harness, model }: Pick<Contestant, "harness" | "model">): string {
  return model === undefined ? harness : `${harness}:${model}`;
}
