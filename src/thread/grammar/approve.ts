import { defineCommand } from "./command.ts";

export const approve = defineCommand({
  name: "approve",
  usage: "approve [question] [comment]",
  summary: "Approve what the run asks for: a plan, or protected paths.",
  examples: ["approve", "approve Go ahead, the lockfile may change."],
  text: "optional",
});
