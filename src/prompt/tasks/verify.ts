import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { factsSchema } from "../facts.ts";
import { answersFormat } from "../outcomes.ts";
import { quoted } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** Expected outcomes, answered one by one by somebody who did not do the work. */
export const verify = defineTask({
  name: "verify",
  facts: factsSchema.extend({
    /** What Baton ran and read itself: commands with exit code and output, checks. */
    seen: z.array(z.object({ what: z.string(), result: z.string() })),
  }),
  write: ({ seen, outcomes = [] }) => [
    {
      name: "seen",
      heading: "What was already seen, by Baton itself",
      body: seen
        .map(({ what, result }) => `${quoted(what, 500)}\n${quoted(result, limits.ciLogBytesMax)}`)
        .join("\n\n"),
    },
    now(
      "Change nothing that should last. Find out for each expected outcome whether it holds on what you have here. Run what shows it; write a script of your own outside the repository's files where nothing does.",
    ),
    { name: "answers", heading: "How to end", body: answersFormat(outcomes) },
  ],
});
