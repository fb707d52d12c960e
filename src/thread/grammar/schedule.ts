import { z } from "zod";
import { defineCommand, nameSchema } from "./command.ts";

const scheduleActions = ["list", "run", "pause", "resume", "cancel"] as const;

export const schedule = defineCommand({
  name: "schedule",
  usage: "schedule list | run NAME | pause NAME | resume NAME | cancel NAME",
  summary:
    "Show the schedules of `baton.yaml`, run one now, pause or resume it, or cancel its run. In the dashboard issue.",
  examples: ["schedule list", "schedule run nightly", "schedule pause nightly"],
  needs: "run",
  appliesTo: ["issue"],
  positional: [
    {
      name: "action",
      summary: "What to do.",
      required: true,
      schema: z.enum(scheduleActions, `one of ${scheduleActions.join(", ")}`),
    },
    { name: "NAME", summary: "Name of the schedule.", required: false, schema: nameSchema },
  ],
  needsRun: false,
});
