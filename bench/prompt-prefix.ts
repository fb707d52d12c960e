/**
 * `prompt.prefixReuse`: the equal beginning of each prompt and the one before it in a run of 20 turns. It counts the stable
 * and runtime strata, character by character. A service's cache can reuse at most this part. A real service counts the reuse
 * itself.
 */
import { openMemory } from "../src/adapters/memory/open.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import type { Instruction } from "../src/core/instructions.ts";
import { comparePrompts } from "../src/prompt/prefix.ts";
import { driveTurns } from "./engine/turns.ts";
import { against, type Bench, figure } from "./figure.ts";

const target = 0.95;

export const promptPrefix: Bench = {
  name: "prompt-prefix",
  summary: "what of stable and runtime a cache can reuse over a run of 20 turns",
  figures: ["prompt.prefixReuse"],
  async run({ say }) {
    const database = openMemory({ clock: systemClock, log: silentLog });
    try {
      const told = await driveTurns(database);
      const inOrder = told.map(({ document }) => document.sections);
      const value = reuseOf(inOrder);
      // The same sections, with the changing ones first.
      const plain = reuseOf(
        inOrder.map((sections) => [
          ...sections.filter(({ stratum }) => stratum === "turn"),
          ...sections.filter(({ stratum }) => stratum !== "turn"),
        ]),
      );
      say(`${told.length} prompts`);
      return {
        figures: [
          figure({
            name: "prompt.prefixReuse",
            unit: "ratio",
            value,
            target,
            atLeast: true,
            samples: { prompts: told.length, "in %": Math.round(value * 1_000) / 10 },
            baseline: against("the same sections, the turn first", plain, value),
          }),
        ],
        skipped: [],
      };
    } finally {
      await database.queue.stop(0);
    }
  },
};

/** By characters, over all prompts except the first. */
export function reuseOf(prompts: readonly (readonly Instruction[])[]): number {
  let [same, all] = [0, 0];
  for (const [index, sections] of prompts.entries()) {
    const before = prompts[index - 1];
    if (before === undefined) continue;
    const { cacheable, sameCharacters } = comparePrompts(before, sections);
    all += cacheable.characters;
    // If the turn comes first, stable and runtime are reused only after it.
    const ahead = leading(sections);
    same += Math.max(0, Math.min(cacheable.characters, sameCharacters - ahead));
  }
  return same / all;
}

function leading(sections: readonly Instruction[]): number {
  const first = sections.findIndex(({ stratum }) => stratum !== "turn");
  return sections.slice(0, Math.max(0, first)).reduce((sum, { text }) => sum + text.length + 2, 0);
}
