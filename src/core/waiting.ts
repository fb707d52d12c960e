/** What a run waits for and who can move it, derived from its state. */
import { childFacts } from "./child-facts.ts";
import { isOver } from "./decide.ts";
import { effectEndedBy } from "./effect.ts";
import type { EffectState, RunState } from "./state.ts";

export interface WaitingFor {
  kind: "people" | "facts" | "time" | "money" | "worker" | "run";
  key: string;
  title: string;
  /** For people: what is waited for and, where somebody can act, how. */
  sentence: string;
  since: number;
}

export function waitingFor(state: RunState): WaitingFor[] {
  if (isOver(state)) return [];
  const found: WaitingFor[] = [];
  const { stop } = state.money;
  if (state.status === "paused") {
    found.push({
      kind: "people",
      key: "",
      title: "Paused",
      sentence: `Paused by @${state.pausedBy?.login ?? "somebody"}; \`/baton resume\` goes on.`,
      since: state.updatedAt,
    });
  }
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect !== undefined) found.push(waitOf(effect, stop?.day?.reason ?? null));
  }
  return found;
}

/** `day`: why the day's budget is in the way. */
function waitOf(effect: EffectState, day: string | null): WaitingFor {
  const wait = (kind: WaitingFor["kind"], sentence: string): WaitingFor => ({
    kind,
    key: effect.key,
    title: effect.title,
    sentence,
    since: effect.requestedAt,
  });
  if (effect.status === "stopped" && effect.retryAt !== null)
    return wait(
      "money",
      `${day ?? "The day's budget of the repository is used."} The step starts by itself then; \`/baton cancel\` ends it.`,
    );
  if (effect.status === "stopped")
    return wait(
      "money",
      "The budget is used up. `/baton budget +2` tops it up and the work goes on; `/baton cancel` ends it.",
    );
  if (effect.status === "retrying") return wait("time", `Tries again after: ${effect.error?.message ?? "a failure"}`);
  switch (effectEndedBy[effect.kind]) {
    case "worker":
      return wait(
        "worker",
        effect.progress?.note ?? (effect.status === "running" ? "is being worked on" : "is about to begin"),
      );
    case "facts":
      return wait("facts", effect.observed?.verdict.reason ?? "Facts are being read from GitHub.");
    case "people": {
      const { kind, question } = effect.input as { kind?: string; question?: string };
      if (kind === "review")
        return wait("people", effect.observed?.verdict.reason ?? "Waits for a review of the pull request.");
      if (question !== undefined) return wait("people", `${question} Answer with \`/baton answer <text>\`.`);
      return wait("people", "Answer with `/baton approve` or `/baton reject <reason>`.");
    }
    case "time":
      return wait("time", "Waits for a set time.");
    case "run": {
      // What a child waits for, its parent waits for: people see one thread.
      const { waits } = childFacts(effect) ?? { waits: null };
      const kind = waits === "people" || waits === "money" || waits === "worker" ? waits : "run";
      return wait(kind, effect.observed?.verdict.reason ?? "A child run is about to begin.");
    }
  }
}
