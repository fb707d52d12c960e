import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

export const implement = defineTask({
  name: "implement",
  facts: factsSchema.extend({ /** Empty: there is no plan. */ plan: z.string() }),
  write: ({ plan }) => [
    now(
      plan.trim() === ""
        ? "Do what was asked for: what the person who asked for this run added where they did, else what the thread asks. Nobody planned it: find out first what is wrong or wanted, then do it whole."
        : "Carry the plan out, whole, so that what it expects holds at the end. Where it turns out wrong, do what the thread asks for and say under Decisions where you left the plan.",
    ),
    report,
  ],
});
