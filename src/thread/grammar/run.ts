import { defineCommand, nameSchema, priorityOption, usdSchema, withoutOption } from "./command.ts";

export const run = defineCommand({
  name: "run",
  usage: "run [process] [--harness NAME] [--model NAME] [--budget USD] [--priority NAME] [--without WHAT] [what to do]",
  summary: "Start a run on this thread.",
  examples: [
    "run",
    "run --budget 2.50 Keep the public API as it is.",
    "run issue-to-pr --harness codex",
    "run plan",
    "run verify\n- An empty cart costs 0\n$ npm test",
  ],
  needs: "run",
  options: {
    harness: { value: "NAME", summary: "Coding agent to use.", schema: nameSchema },
    model: { value: "NAME", summary: "Model to ask for.", schema: nameSchema },
    budget: { value: "USD", summary: "Most that this run may spend.", schema: usdSchema },
    priority: priorityOption,
    without: withoutOption,
  },
  text: "optional",
  worksOnHead: true,
  needsRun: false,
});
