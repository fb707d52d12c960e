import { verbatim } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** This worker's part of a shared task. */
export const scope: PromptSection = {
  name: "scope",
  stratum: "turn",
  summary: "The paths that the run is about, or this worker's own, and what the others do.",
  write: ({ facts: { worker, paths: about = [] } }) => {
    if (worker === undefined)
      return about.length === 0
        ? null
        : {
            heading: "Your part",
            body: `This run is about these paths alone. Work and run commands there. A change of another file waits for a person.\n${verbatim(about.join("\n"), 4_000)}`,
          };
    const paths =
      worker.paths.length === 0 ? "" : `Yours alone to change:\n${verbatim(worker.paths.join("\n"), 4_000)}`;
    const others =
      worker.others.length === 0 ? "" : `What the others do:\n${verbatim(worker.others.join("\n"), 4_000)}`;
    return { heading: "Your part", body: [paths, others].filter((part) => part !== "").join("\n\n") };
  },
};
