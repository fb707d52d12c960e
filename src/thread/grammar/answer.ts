import { defineCommand } from "./command.ts";

export const answer = defineCommand({
  name: "answer",
  usage: "answer [question] <text>",
  summary: "Answer the run's question; name it where there are several.",
  examples: ["answer Use the second option.", "answer color blue"],
  text: "required",
});
