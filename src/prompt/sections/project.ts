import type { PromptSection } from "../section.ts";

export const project: PromptSection = {
  name: "project",
  stratum: "runtime",
  write: ({ facts: { repository, baseBranch } }) => ({
    heading: "Project",
    body: `${repository.owner}/${repository.name}, branch ${baseBranch}.`,
  }),
};
