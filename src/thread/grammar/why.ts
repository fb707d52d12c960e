import { defineCommand } from "./command.ts";

export const why = defineCommand({
  name: "why",
  usage: "why",
  summary: "Show what was decided, by which rule, and what the run waits for.",
  needs: "read",
});
