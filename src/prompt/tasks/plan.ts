import { factsSchema } from "../facts.ts";
import { planFormat } from "../plan.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";
import { revise, revision, saidFacts } from "./revise.ts";

export const plan = defineTask({
  name: "plan",
  facts: factsSchema.extend(saidFacts),
  write: (facts) => [
    ...revision(facts),
    now(
      `Change nothing. Explore the repository and write a plan for the task: what is wrong or wanted, which files change and how, which tests show it, what could go wrong. At most 40 lines of Markdown.${revise(facts)}`,
    ),
    { name: "steps", heading: "The steps", body: planFormat() },
  ],
});
