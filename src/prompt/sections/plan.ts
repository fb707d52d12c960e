import { limits } from "../../core/limits.ts";
import { quoted } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** In the runtime stratum, because every step after planning gets the same plan. */
export const plan: PromptSection = {
  name: "plan",
  stratum: "runtime",
  summary: "The approved plan, as data.",
  write: ({ facts }) => ({
    heading: "The plan",
    body:
      facts.plan === undefined || facts.plan.trim() === "" ? "" : quoted(facts.plan, limits.promptPlanCharactersMax),
  }),
};
