import type { PromptSection } from "../section.ts";

export const planOnly: PromptSection = {
  name: "plan-only",
  stratum: "stable",
  summary: "A plan is wanted and nothing else. For planning, and with the profile `plan-only`.",
  write: ({ overlays }) =>
    overlays.includes("plan-only")
      ? {
          heading: "Only a plan",
          body: "What is wanted of you is a plan: others carry it out, perhaps with less to look at than you have. Change nothing. Name files, functions and commands as they are, and what you could not find out.",
        }
      : null,
};
