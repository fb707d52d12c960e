/** The resume overlay (PROMPT-005): what is done, pending, decided and changed, from the journal, for who begins again. */
import { z } from "zod";
import type { PartialWork } from "../core/event.ts";
import type { EffectState, RunState } from "../core/state.ts";

export interface Resume {
  attempt: number;
  /** Why the attempt before ended. */
  ended: string;
  /** Its harness where that is another one; then its session is not there. */
  takenOverFrom: string | null;
  /** True where the harness goes on in the session of the attempt before. */
  session: boolean;
  baseSha: string;
  /** The commit that holds what was changed; null: nothing was. */
  headSha: string | null;
  /** How far the attempt before got by its own word; null: it left none. */
  partial: PartialWork | null;
  done: string[];
  pending: string[];
  decided: string[];
}

const linesMax = 12;
const decisionSchema = z.object({
  by: z.object({ login: z.string() }).nullable(),
  decision: z.string().optional(),
  feedback: z.string().optional(),
  answer: z.string().optional(),
});

export function resumeOf(
  state: Pick<RunState, "effects">,
  effect: Pick<EffectState, "key" | "attempts">,
  given: Pick<Resume, "attempt" | "takenOverFrom" | "session" | "baseSha" | "headSha">,
): Resume | null {
  if (given.attempt <= 1) return null;
  const last = effect.attempts.find(({ attempt }) => attempt === given.attempt - 1);
  const others = [...state.effects.values()].filter(({ key }) => key !== effect.key);
  const newest = (lines: string[]): string[] => lines.slice(-linesMax);
  return {
    ...given,
    ended: last?.error?.code ?? "BATON_ATTEMPT_LOST",
    partial: last?.partial ?? null,
    done: newest(
      others.filter(({ kind, status }) => status === "succeeded" && !asksPeople(kind)).map(({ title }) => title),
    ),
    pending: newest(
      others.filter(({ endedAt, status }) => endedAt === null && status !== "succeeded").map(({ title }) => title),
    ),
    decided: newest(others.flatMap(decisionOf)),
  };
}

function asksPeople(kind: EffectState["kind"]): boolean {
  return kind === "breakpoint" || kind === "ask";
}

/** What people said where the run asked them; commands that only steer it (a budget, a pause) are none of the agent's business. */
function decisionOf({ kind, status, title, output }: EffectState): string[] {
  if (status !== "succeeded" || !asksPeople(kind)) return [];
  const { data } = decisionSchema.safeParse(output);
  if (data === undefined) return [];
  const { by, decision, feedback = "", answer } = data;
  const what = decision ?? `answered: ${answer ?? ""}`;
  return [
    `${title}: @${by?.login ?? "?"} ${what}${feedback.trim() === "" ? "" : `: ${feedback}`}`
      .replaceAll(/\s+/g, " ")
      .slice(0, 500),
  ];
}
