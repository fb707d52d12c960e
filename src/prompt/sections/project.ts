import { inline } from "../quote.ts";
import type { PromptSection } from "../section.ts";

export const project: PromptSection = {
  name: "project",
  stratum: "runtime",
  summary: "Repository and base branch.",
  write: ({ facts: { repository, baseBranch } }) => ({
    heading: "Project",
    body: `${inline(`${repository.owner}/${repository.name}`)}, branch ${inline(baseBranch)}.`,
  }),
};
