import { defineCommand, topUpSchema } from "./command.ts";

export const budget = defineCommand({
  name: "budget",
  usage: "budget +USD",
  summary: "Top the run's budget up.",
  examples: ["budget +2", "budget +0.50"],
  needs: "run",
  positional: [{ name: "+USD", summary: "How much to add.", required: true, schema: topUpSchema }],
});
