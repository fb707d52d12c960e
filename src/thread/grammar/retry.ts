import { defineCommand, usdSchema } from "./command.ts";

export const retry = defineCommand({
  name: "retry",
  usage: "retry [--budget USD]",
  summary: "Start the last run again. Baton continues from the pushed work.",
  needs: "run",
  options: { budget: { value: "USD", summary: "Most that the new run may spend.", schema: usdSchema } },
  worksOnHead: true,
  needsRun: false,
});
