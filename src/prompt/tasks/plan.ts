import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { factsSchema } from "../facts.ts";
import { planFormat } from "../plan.ts";
import { quoted } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

export const plan = defineTask({
  name: "plan",
  facts: factsSchema.extend({
    /** What the maintainers said of the last plan; empty at first. */ feedback: z.string(),
  }),
  write: ({ feedback }) => [
    {
      name: "feedback",
      heading: "What the maintainers said of your last plan",
      body: feedback === "" ? "" : quoted(feedback, limits.promptUntrustedCharactersMax),
    },
    now(
      "Change nothing. Explore the repository and write a plan for the task: what is wrong or wanted, which files change and how, which tests show it, what could go wrong. At most 40 lines of Markdown.",
    ),
    { name: "steps", heading: "The steps", body: planFormat },
  ],
});
