/**
 * The resume overlay (PROMPT-005), for an agent that begins again: finished, pending, decided and changed work, from the
 * journal.
 */
import { z } from "zod";
import type { PartialWork } from "../core/event.ts";
import type { EffectState, RunState } from "../core/state.ts";

export interface Resume {
  attempt: number;
  /** Why the earlier attempt ended. */
  ended: string;
  /** The harness of the earlier attempt, if it was another one. Its session is then not available. */
  takenOverFrom: string | null;
  /** True if the harness continues the session of the earlier attempt. */
  session: boolean;
  baseSha: string;
  /** The commit with the changes. null: there were none. */
  headSha: string | null;
  /** The progress of the earlier attempt in its own words. null: it left none. */
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

/** People's answers to questions of the run. Commands that only steer the run (a budget, a pause) do not concern the agent. */
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
