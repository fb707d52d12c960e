/** Derives from a run's state why it waits and who can move it. */
import { childFacts } from "../core/child-facts.ts";
import { isOver } from "../core/decide.ts";
import { type EffectInput, effectEndedBy } from "../core/effect.ts";
import type { EffectState, RunState } from "../core/state.ts";

export interface WaitingFor {
  kind: "people" | "facts" | "time" | "money" | "worker" | "run";
  key: string;
  title: string;
  /** For people: the reason for waiting and, if somebody can act, how. */
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
      sentence: `@${state.pausedBy?.login ?? "Somebody"} paused the run. \`/baton resume\` continues it.`,
      since: state.updatedAt,
    });
  }
  for (const key of state.open) {
    const effect = state.effects.get(key);
    const before = effect === undefined ? null : beforeInGroup(state, effect);
    if (effect !== undefined && before !== null)
      found.push({
        kind: "time",
        key,
        title: effect.title,
        sentence: `Waits for "${before.title}", because steps of the group \`${effect.hints.group}\` run one at a time.`,
        since: effect.requestedAt,
      });
    else if (effect !== undefined)
      found.push(waitOf(effect, { oneOfMany: questions(state, effect.kind) > 1, day: stop?.day?.reason ?? null }));
  }
  return found;
}

/** The running step of the same group. null: nothing holds it up. */
function beforeInGroup(state: RunState, { key, status, hints: { group } }: EffectState): EffectState | null {
  if (group === undefined || status === "running") return null;
  for (const other of state.open) {
    const effect = state.effects.get(other);
    if (other !== key && effect?.status === "running" && effect.hints.group === group) return effect;
  }
  return null;
}

/** How people call a question: the last part of its key. */
export function questionName({ key }: Pick<EffectState, "key">): string {
  return key.split("/").at(-1) ?? key;
}

/** A review or GitHub answers these, not a command. */
function isAnsweredElsewhere(effect: EffectState): boolean {
  return effect.kind === "breakpoint" && (effect.input.kind === "review" || effect.input.kind === "merge");
}

function questions(state: RunState, kind: EffectState["kind"]): number {
  return [...state.open].filter((key) => {
    const effect = state.effects.get(key);
    return effect?.kind === kind && !isAnsweredElsewhere(effect);
  }).length;
}

/** `oneOfMany`: an answer must name the question. `day`: why the day's budget blocks the step. */
function waitOf(effect: EffectState, { oneOfMany, day }: { oneOfMany: boolean; day: string | null }): WaitingFor {
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
      `${day ?? "The repository's budget for the day is used up."} The step then starts by itself. \`/baton cancel\` ends the run.`,
    );
  if (effect.status === "stopped")
    return wait("money", "`/baton budget +2` adds 2 USD, and the work continues. `/baton cancel` ends the run.");
  // An agent is observed before it begins only while it waits for its turn.
  if (effect.kind === "agent" && effect.status !== "running" && effect.observed !== null)
    return wait("time", effect.observed.verdict.reason);
  if (effect.status === "retrying") return wait("time", `Last error: ${effect.error?.message ?? "unknown"}`);
  switch (effectEndedBy[effect.kind]) {
    case "worker":
      return wait("worker", effect.progress?.note ?? "");
    case "facts":
      return wait("facts", effect.observed?.verdict.reason ?? "Baton reads the facts from GitHub.");
    case "people": {
      if (isAnsweredElsewhere(effect)) {
        const merges = effect.kind === "breakpoint" && effect.input.kind === "merge";
        const unseen = merges ? "GitHub has not merged it yet." : "The pull request needs a review.";
        return wait("people", effect.observed?.verdict.reason ?? unseen);
      }
      const form = answerForm(effect, oneOfMany);
      return wait("people", effect.kind === "ask" ? `${effect.input.question} ${form}` : form);
    }
    case "time":
      return wait("time", "Baton continues at a set time.");
    case "run": {
      // The parent shows its child's waits, because people see one thread.
      const { waits } = childFacts(effect) ?? { waits: null };
      const kind = waits === "people" || waits === "money" || waits === "worker" ? waits : "run";
      return wait(kind, effect.observed?.verdict.reason ?? "A child run is starting.");
    }
  }
}

/** The command that answers a question, as a sentence. */
function answerForm(effect: EffectState, oneOfMany: boolean): string {
  const name = oneOfMany ? `${questionName(effect)} ` : "";
  if (effect.kind === "ask") return `Reply \`/baton answer ${name}${answerWords(effect.input)}\`.`;
  return `Reply \`/baton approve${name === "" ? "" : ` ${name.trim()}`}\` or \`/baton reject ${name}<reason>\`.`;
}

/** The same sentence. The state says whether the answer must name the question. */
export function answerSentence(state: RunState, effect: EffectState): string {
  return answerForm(effect, questions(state, effect.kind) > 1);
}

function answerWords({ answerKind, choices }: EffectInput<"ask">): string {
  if (answerKind === "confirm") return "yes|no";
  return choices === undefined ? "<text>" : choices.join("|");
}
