import { defineCommand } from "./command.ts";

export const answer = defineCommand({
  name: "answer",
  usage: "answer <text>",
  summary: "Answer the run's question.",
  examples: ["answer Use the second option."],
  text: "required",
});
