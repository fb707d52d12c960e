/** The resume overlay (PROMPT-005): what is done, pending, decided and changed, from the journal, for who begins again. */
import type { Partial } from "../core/event.ts";
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
  partial: Partial | null;
  done: string[];
  pending: string[];
  decided: string[];
}

const linesMax = 12;

export function resumeOf(
  state: Pick<RunState, "effects" | "decisions">,
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
    done: newest(others.filter(({ status }) => status === "succeeded").map(({ title }) => title)),
    pending: newest(
      others.filter(({ endedAt, status }) => endedAt === null && status !== "succeeded").map(({ title }) => title),
    ),
    decided: newest(
      state.decisions
        .filter(({ actor }) => actor !== null)
        .map(({ actor, action, verdict }) => `@${actor?.login ?? "?"}: ${action}, ${verdict.status}`),
    ),
  };
}
