import { defineCommand } from "./command.ts";

export const reject = defineCommand({
  name: "reject",
  usage: "reject <reason>",
  summary: "Send back what the run asks for; the reason goes to the agent.",
  examples: ["reject Begin with a failing test."],
  text: "required",
});
