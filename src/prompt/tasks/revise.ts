import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { quoted } from "../quote.ts";
import type { Written } from "../section.ts";

/** What a plan is made from again: facts of `plan` and `split`. */
export const saidFacts = {
  /** The plan that is to be revised, as its agent left it; none at first. */ last: z.string().optional(),
  /** What people answered or asked for since, or what was wrong with it, all of it in order; empty at first. */
  feedback: z.string(),
};

interface Said {
  last?: string | undefined;
  feedback: string;
}

/** The agent begins anew, so it is shown its own plan too. */
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

/** Where there is something to revise. */
export function revise({ last = "", feedback }: Said): string {
  if (feedback === "") return "";
  return last === ""
    ? " Go by the answers above."
    : " Revise your last plan so that it does all that was said since; keep what was not spoken of. Give the whole plan again, not only what is new.";
}
