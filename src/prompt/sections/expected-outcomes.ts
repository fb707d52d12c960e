import { limits } from "../../core/limits.ts";
import { listOutcomes } from "../outcomes.ts";
import { quoted } from "../quote.ts";
import type { PromptSection } from "../section.ts";

export const expectedOutcomes: PromptSection = {
  name: "expected-outcomes",
  stratum: "runtime",
  write: ({ facts: { outcomes = [] } }) => ({
    heading: "What must hold at the end",
    body: outcomes.length === 0 ? "" : quoted(listOutcomes(outcomes), limits.promptPlanCharactersMax),
  }),
};
