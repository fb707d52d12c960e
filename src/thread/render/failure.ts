/** The end of a run that did not pass: the agent's last words, and the one command that continues. */
import { errorCatalogue } from "../../core/errors.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import { fenced } from "../../text/cut.ts";
import { neutraliseLine } from "../../text/neutralise.ts";

const wordsMax = 800;

/** Empty if the run passed. */
export function failureParts(state: RunState): string[] {
  const { outcome } = state;
  if (outcome === null || outcome.verdict.status === "passed") return [];
  const words = lastWords(state);
  const { code = null } = outcome.error ?? {};
  const remedy = code === null ? "" : errorCatalogue[code].remedy;
  return [
    ...(words === null ? [] : [`The last words of the agent (${neutraliseLine(words.title)}):`, fenced(words.text)]),
    ...(remedy === "" || code === "BATON_CANCELLED" ? [] : [`**What to do:** ${remedy} (\`${code}\`)`]),
    ...(/`\/baton (?:run|retry|budget)\b/.test(remedy) && code !== "BATON_CANCELLED" ? [] : [continues(state)]),
  ];
}

function continues(state: RunState): string {
  return state.erased
    ? "**To continue:** `/baton run` starts a new run."
    : "**To continue:** `/baton retry` starts the run again from the pushed work.";
}

/** The newest agent's words. null: it said nothing, or there was none. */
function lastWords(state: RunState): { title: string; text: string } | null {
  const agents = [...state.effects.values()].filter((effect) => effect.kind === "agent");
  const last = agents.at(-1);
  if (last === undefined) return null;
  const text = wordsOf(last).trim();
  return text === "" ? null : { title: last.title, text: tail(text) };
}

/** The end, from a whole word on: there the agent says what stopped it. */
function tail(text: string): string {
  return text.length <= wordsMax ? text : `… ${text.slice(-wordsMax).replace(/^(?:\S*\s+|[\udc00-\udfff])/, "")}`;
}

function wordsOf(effect: Extract<EffectState, { kind: "agent" }>): string {
  return effect.output?.text ?? effect.attempts.at(-1)?.partial?.text ?? "";
}
