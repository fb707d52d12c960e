import { z } from "zod";
import { defineCommand } from "./command.ts";

export const help = defineCommand({
  name: "help",
  usage: "help [command]",
  summary: "Show the commands, and which of them you may use.",
  examples: ["help run"],
  needs: "read",
  positional: [{ name: "command", summary: "Show this one in full.", required: false, schema: z.string().max(40) }],
  needsRun: false,
});
