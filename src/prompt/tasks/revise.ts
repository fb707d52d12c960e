import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { quoted } from "../quote.ts";
import type { Written } from "../section.ts";

/** The basis of a revised plan: facts of `plan` and `split`. */
export const saidFacts = {
  /** The plan to revise, as its agent left it. Absent at first. */ last: z.string().optional(),
  /** All later answers and requests of people, and problems of the plan, in order. Empty at first. */
  feedback: z.string(),
};

interface Said {
  last?: string | undefined;
  feedback: string;
}

/** The agent begins again, so it gets its own plan too. */
export function revision({ last = "", feedback }: Said): Written[] {
  const shown = (text: string, charactersMax: number): string => (text === "" ? "" : quoted(text, charactersMax));
  return [
    { name: "last-plan", heading: "Your last plan", body: shown(last, limits.promptPlanCharactersMax) },
    {
      name: "feedback",
      heading: "What was said since you began, the newest last",
      body: shown(feedback, limits.promptUntrustedCharactersMax),
    },
  ];
}

/** For a plan that people want revised. */
export function revise({ last = "", feedback }: Said): string {
  if (feedback === "") return "";
  return last === ""
    ? " Go by the answers above."
    : " Revise your last plan so that it does all that was said since; keep what was not spoken of. Give the whole plan again, not only what is new.";
}
