import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { defineTask } from "../task.ts";
import { answers, now, report } from "./report.ts";

/** For processes with words of their own. */
export const custom = defineTask({
  name: "custom",
  facts: factsSchema.extend({
    /** What to do now: the process's own words, so they are said plainly and not quoted. */
    work: z.string().min(1),
    /** `report`: the usual sections at the end; `answers`: one to each expected outcome; `own`: `work` says how to end. */
    ending: z.enum(["report", "answers", "own"]),
  }),
  write: ({ work, ending, outcomes }) => [
    now(work),
    ...(ending === "report" ? [report] : []),
    ...(ending === "answers" ? [answers({ outcomes })] : []),
  ],
});
