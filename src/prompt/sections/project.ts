import type { PromptSection } from "../section.ts";

export const project: PromptSection = {
  name: "project",
  stratum: "runtime",
  summary: "Repository and base branch.",
  write: ({ facts: { repository, baseBranch } }) => ({
    heading: "Project",
    body: `${repository.owner}/${repository.name}, branch ${baseBranch}.`,
  }),
};
