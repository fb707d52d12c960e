import { limits } from "../../core/limits.ts";
import { inline, quoted } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** `handoff.ts` has already bounded them. */
export const handoffs: PromptSection = {
  name: "handoffs",
  stratum: "turn",
  summary: "What earlier steps left for this one, as data.",
  write: ({ facts: { handoffs: left = [] } }) => ({
    heading: "What earlier steps left you",
    body: left
      .map(({ title, text }) => `From "${inline(title)}":\n${quoted(text, limits.promptUntrustedCharactersMax)}`)
      .join("\n\n"),
  }),
};
