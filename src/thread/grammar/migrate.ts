import { z } from "zod";
import { defineCommand } from "./command.ts";

export const migrate = defineCommand({
  name: "migrate",
  usage: "migrate [check]",
  summary: "Let the run go on with the newest version of its process, if that asks for the same so far.",
  examples: ["migrate check", "migrate"],
  needs: "run",
  positional: [
    {
      name: "check",
      summary: "Say whether it is possible, and change nothing.",
      required: false,
      schema: z.literal("check", "the only word that it takes is `check`"),
    },
  ],
});
