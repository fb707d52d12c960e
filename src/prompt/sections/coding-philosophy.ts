import type { PromptSection } from "../section.ts";

/** PROMPT-008: for agents that write code. */
export const codingPhilosophy: PromptSection = {
  name: "coding-philosophy",
  stratum: "stable",
  summary: "The smallest change, or a thorough one (`manner.change`). For steps that write.",
  write: ({ access, facts }) =>
    access === "write"
      ? {
          heading: "How to work",
          body: [
            "Read before you write.",
            facts.manner?.change === "thorough"
              ? "Solve the cause, also where that changes more than one place, in the style of the code around it."
              : "Make the smallest change that solves the task whole, in the style of the code around it.",
            "Change nothing unrelated. Add or adapt tests for what you change and run them. Prefer what the project already has over new code and new dependencies. Never make a check pass by weakening it.",
          ].join(" "),
        }
      : null,
};
