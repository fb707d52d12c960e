import { defineCommand } from "./command.ts";

export const pause = defineCommand({
  name: "pause",
  usage: "pause [reason]",
  summary: "Begin no further step until `/baton resume`.",
  text: "optional",
});
