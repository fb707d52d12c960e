import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { factsSchema } from "../facts.ts";
import { quoted } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

export const address = defineTask({
  name: "address",
  facts: factsSchema.extend({ plan: z.string(), /** The feedback of the review. */ feedback: z.string() }),
  write: ({ feedback }) => [
    { name: "review", heading: "The review", body: quoted(feedback, limits.promptUntrustedCharactersMax) },
    now(
      "Address each point of the review, and nothing that it does not speak of. Where a point is mistaken, leave the code as it is and say why under Decisions.",
    ),
    report,
  ],
});
