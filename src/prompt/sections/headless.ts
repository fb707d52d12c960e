import type { PromptSection } from "../section.ts";

export const headless: PromptSection = {
  name: "headless",
  stratum: "stable",
  summary: "Nobody answers. Unless questions are possible.",
  write: ({ overlays }) =>
    overlays.includes("headless")
      ? {
          heading: "Alone",
          body: "Nobody watches and nobody answers questions while you work; where something is open, decide, and say what you decided.",
        }
      : null,
};
