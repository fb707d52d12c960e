import type { PromptSection } from "../section.ts";

/** Says that other workers exist. The paths of each worker are in the turn (`scope.ts`), so all workers share these bytes. */
export const worker: PromptSection = {
  name: "worker",
  stratum: "stable",
  summary: "Others work on other parts. For one of several agents (`worker`).",
  write: ({ overlays }) =>
    overlays.includes("worker")
      ? {
          heading: "One of several",
          body: "Other agents work on other parts of the same task at the same time, each in a copy of its own; all copies are joined afterwards. Keep to your part, also where another part looks wrong: say so at the end instead.",
        }
      : null,
};
