import type { PromptSection } from "../section.ts";

/** The current work, in the words of the task (`tasks/`). */
export const task: PromptSection = {
  name: "task",
  stratum: "turn",
  summary: "What to do now, and how to end: the sections of the task.",
  write: ({ task: asked, facts }) => asked.write(facts),
};
