/** The remains of attempts that ended early, for people, below the steps. The agent's words are data, so they are fenced. */
import type { RunState } from "../../core/state.ts";
import { cut, fenced } from "../../text/cut.ts";
import { plural } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { folded } from "./parts.ts";

const shownMax = 5;
const wordsMax = 1_200;

/** null: the attempts left nothing. */
export function partials(state: RunState): string | null {
  const left = [...state.effects.values()].flatMap((effect) =>
    effect.attempts.flatMap((attempt) => {
      // A successful attempt said everything in its output. A running attempt has not ended.
      const over = attempt.endedAt !== null && !(effect.status === "succeeded" && attempt === effect.attempts.at(-1));
      const { partial, kept } = attempt;
      const says = partial !== null && (partial.text !== "" || partial.todo !== "" || partial.lastAction !== "");
      return over && (says || kept?.headSha != null) ? [{ effect, attempt }] : [];
    }),
  );
  if (left.length === 0) return null;
  const texts = left.slice(-shownMax).map(({ effect, attempt: { attempt, error, kept, partial } }) => {
    const why = error === null ? "was stopped" : `ended with ${error.code}`;
    const turns = partial === null || partial.turns === 0 ? "" : ` after ${plural(partial.turns, "turn")}`;
    const commit =
      kept?.headSha == null ? "It left no commit." : `Its changes are kept as \`${kept.headSha.slice(0, 7)}\`.`;
    const action = partial === null || partial.lastAction === "" ? "" : ` Last: ${neutraliseLine(partial.lastAction)}`;
    const words = [partial?.todo ?? "", partial?.text ?? ""].filter((part) => part !== "").join("\n\n");
    return [
      `**${neutraliseLine(effect.title)}**, attempt ${attempt}, ${why}${turns}. ${commit}${action}`,
      ...(words === "" ? [] : [fenced(cut(words, wordsMax))]),
    ].join("\n\n");
  });
  return folded(`Work of ${plural(left.length, "unfinished attempt")}`, texts.join("\n\n"));
}
