import { defineCommand } from "./command.ts";

export const cost = defineCommand({
  name: "cost",
  usage: "cost",
  summary: "Show what the run has cost, by step, attempt and model.",
  needs: "read",
});
