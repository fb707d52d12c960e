import { factsSchema } from "../facts.ts";
import { planFormat } from "../plan.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";
import { revise, revision, saidFacts } from "./revise.ts";

/** A plan whose steps several agents do at once, each in its own paths. */
export const split = defineTask({
  name: "split",
  facts: factsSchema.extend(saidFacts),
  write: (facts) => [
    ...revision(facts),
    now(
      `Change nothing. Explore the repository and part the task into steps for several agents who work at the same time and do not see each other's work: what is wrong or wanted, what each step changes and how, how the parts fit together (names, signatures, formats that two steps share). At most 60 lines of Markdown. As few steps as make sense; one is fine.${revise(facts)}`,
    ),
    {
      name: "steps",
      heading: "The steps",
      body: [
        planFormat({ scope: ["src/cart", "test/cart.test.js"], approval: false }),
        "Each step has besides:",
        '- `scope`: the paths that it may change, such as `["src/cart", "test/cart.test.js", "docs/*.md"]`: files, directories, with `*`, `?` and `**`; no braces. What it changes elsewhere is refused. Two steps that do not come after each other must have no path in common.',
        "- `approval`: true where a person should say yes before it begins, for what is hard to take back.",
        "A step begins with the work of all steps that it comes after.",
      ].join("\n"),
    },
  ],
});
