import { verbatim } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** This worker's part of a shared task. */
export const scope: PromptSection = {
  name: "scope",
  stratum: "turn",
  summary: "The paths that are this worker's, and what the others do.",
  write: ({ facts: { worker } }) => {
    if (worker === undefined) return null;
    const paths =
      worker.paths.length === 0 ? "" : `Yours alone to change:\n${verbatim(worker.paths.join("\n"), 4_000)}`;
    const others =
      worker.others.length === 0 ? "" : `What the others do:\n${verbatim(worker.others.join("\n"), 4_000)}`;
    return { heading: "Your part", body: [paths, others].filter((part) => part !== "").join("\n\n") };
  },
};
