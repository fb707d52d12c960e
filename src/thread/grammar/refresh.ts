import { defineCommand } from "./command.ts";

export const refresh = defineCommand({
  name: "refresh",
  usage: "refresh",
  summary: "Read this thread's state from GitHub again.",
  needs: "read",
});
