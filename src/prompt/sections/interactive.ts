import type { PromptSection } from "../section.ts";

export const interactive: PromptSection = {
  name: "interactive",
  stratum: "stable",
  summary: 'How to ask people in the thread. Where the process takes questions (`questions: "thread"`).',
  write: ({ overlays }) =>
    overlays.includes("interactive")
      ? {
          heading: "Questions",
          body: "Nobody watches while you work, but people can be asked. Decide what you can. Where the answer changes what is built and nothing in the repository or the thread gives it, stop and end with the heading `### Questions` and one question a line: people answer in the thread, and you are started again with what they said.",
        }
      : null,
};
