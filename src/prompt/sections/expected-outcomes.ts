import { limits } from "../../core/limits.ts";
import { cut } from "../../text/cut.ts";
import { listOutcomes } from "../outcomes.ts";
import { quoted } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** The ids that answers name. A rendered plan with its outcomes already has them if it fits. */
export const expectedOutcomes: PromptSection = {
  name: "expected-outcomes",
  stratum: "runtime",
  summary: "Statements that are to hold at the end. Where the plan does not show them itself.",
  write: ({ facts: { outcomes = [], plan = "" } }) => {
    const shown = cut(plan, limits.promptPlanCharactersMax);
    return outcomes.every(({ id }) => shown.includes(`\`${id}\``))
      ? null
      : { heading: "Expected outcomes", body: quoted(listOutcomes(outcomes), limits.promptPlanCharactersMax) };
  },
};
