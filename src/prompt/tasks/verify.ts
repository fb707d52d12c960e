import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { factsSchema } from "../facts.ts";
import { answersFormat } from "../outcomes.ts";
import { verbatim } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** An agent that did not do the work answers the expected outcomes one by one. */
export const verify = defineTask({
  name: "verify",
  facts: factsSchema.extend({
    /** Results that Baton itself collected: commands with exit code and output, checks. */
    seen: z.array(z.object({ what: z.string(), result: z.string() })),
  }),
  write: ({ seen, outcomes = [] }) => [
    {
      name: "seen",
      heading: "What was already seen, by Baton itself",
      body: seen
        .map(({ what, result }) => `${verbatim(what, 500)}\n${verbatim(result, limits.ciLogBytesMax)}`)
        .join("\n\n"),
    },
    now(
      "Change nothing. Find out for each expected outcome whether it holds on what you have here: by what Baton saw, by running what shows it where you have a shell, else by reading the code that does it and the test that would fail without it.",
    ),
    { name: "answers", heading: "How to end", body: answersFormat(outcomes) },
  ],
});
