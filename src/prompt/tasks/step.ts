import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { inline, quoted } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

/** One step of a plan, among others at the same time. */
export const step = defineTask({
  name: "step",
  facts: factsSchema.extend({
    plan: z.string(),
    step: z.object({ id: z.string(), title: z.string() }),
    /** Paths whose changes by this step did not merge with the others' changes. The step runs again on top of them. */
    conflict: z.array(z.string()),
  }),
  write: ({ step: { id, title }, conflict }) => [
    now(`Do the step \`${inline(id, 60)}\` of the plan, and nothing of the other steps:\n${quoted(title, 300)}`),
    {
      name: "conflict",
      heading: "This step was done before",
      body:
        conflict.length === 0
          ? ""
          : `Its changes of these paths did not fit what others changed there. You have their work now and not yours: do the step again on top of it.\n${quoted(conflict.join("\n"), 4_000)}`,
    },
    report,
  ],
});
