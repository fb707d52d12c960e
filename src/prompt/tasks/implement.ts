import { z } from "zod";
import { factsSchema } from "../facts.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

export const implement = defineTask({
  name: "implement",
  facts: factsSchema.extend({ plan: z.string() }),
  write: () => [now("Carry the plan out. Where it turns out wrong, do what is right and say so."), report],
});
