import type { PromptSection } from "../section.ts";

export const identity: PromptSection = {
  name: "identity",
  stratum: "stable",
  summary: "Who the agent is, and what counts of its work.",
  write: () => ({
    heading: "Role",
    body: "You work on one task in a git repository, for its maintainers. You are in an isolated copy: your working directory is the whole of it. What counts is what you leave in it, as git sees it, and your last message.",
  }),
};
