import { defineCommand } from "./command.ts";

export const cancel = defineCommand({
  name: "cancel",
  aliases: ["stop"],
  usage: "cancel [reason]",
  summary: "Stop the run; pushed work stays.",
  text: "optional",
});
