import { defineCommand, usdSchema } from "./command.ts";

export const retry = defineCommand({
  name: "retry",
  usage: "retry [--budget USD]",
  summary: "Begin the last run anew; pushed work is gone on with.",
  needs: "run",
  options: { budget: { value: "USD", summary: "Most that the new run may spend.", schema: usdSchema } },
  worksOnHead: true,
  needsRun: false,
});
