import { factsSchema } from "../facts.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** Answers a question about the code, and plans or changes nothing. */
export const explore = defineTask({
  name: "explore",
  facts: factsSchema,
  write: () => [
    now(
      [
        "Change nothing. Find out what was asked: what the person who asked for this run added where they did, else what the thread asks.",
        "Answer in at most 60 lines of Markdown: the answer first, then where it stands in the code (file and line), how the parts work together, and what you could not find out. Tell apart what you saw from what you conclude. Propose nothing that was not asked for.",
      ].join("\n\n"),
    ),
  ],
});
