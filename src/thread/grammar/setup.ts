import { defineCommand } from "./command.ts";

export const setup = defineCommand({
  name: "setup",
  usage: "setup",
  summary: "Open, or refresh, a pull request with a commented configuration and the workflow.",
  needs: "admin",
  needsRun: false,
});
