/** A person's decision that a commit passes `gates.review` with its findings. It holds for that commit only. */
import { z } from "zod";
import { defineValues } from "../ports/values.ts";

export const reviewOverrides = defineValues(
  "review-override:",
  z.object({ sha: z.string(), by: z.string(), byId: z.number().int(), reason: z.string(), at: z.number() }),
);
