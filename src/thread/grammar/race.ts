import { defineCommand, nameSchema, priorityOption, usdSchema, withoutOption } from "./command.ts";

export const race = defineCommand({
  name: "race",
  usage: "race HARNESS[:MODEL] HARNESS[:MODEL]… [--budget USD] [--priority NAME] [--without WHAT] [-- what to do]",
  summary:
    "Let several agents make the same change at once: green CI, then the smaller diff, then the lower cost wins and becomes the pull request.",
  examples: ["race claude codex --budget 4", "race claude:opus claude:sonnet -- Keep the public API as it is."],
  needs: "run",
  appliesTo: ["issue"],
  positional: [
    {
      name: "HARNESS[:MODEL]",
      summary: "Participant: a coding agent, and its model after a colon.",
      required: true,
      schema: nameSchema,
      atLeast: 2,
    },
  ],
  options: {
    budget: { value: "USD", summary: "Most that the whole race may spend.", schema: usdSchema },
    priority: priorityOption,
    without: withoutOption,
  },
  text: "optional",
  worksOnHead: true,
  needsRun: false,
});
