import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { defineTask } from "../task.ts";
import { answers, now, report } from "./report.ts";

/** For processes with their own words. */
export const custom = defineTask({
  name: "custom",
  facts: factsSchema.extend({
    /** The current work in the process's own words, which the prompt states plainly and does not quote. */
    work: z.string().min(1),
    /** `report`: the usual sections at the end. `answers`: one to each expected outcome. `own`: `work` says how to end. */
    ending: z.enum(["report", "answers", "own"]),
  }),
  write: ({ work, ending, outcomes }) => [
    now(work),
    ...(ending === "report" ? [report] : []),
    ...(ending === "answers" ? [answers({ outcomes })] : []),
  ],
});
