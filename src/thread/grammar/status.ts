import { defineCommand } from "./command.ts";

export const status = defineCommand({
  name: "status",
  usage: "status",
  summary: "Show where the run stands.",
  needs: "read",
});
