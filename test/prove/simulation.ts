/** The suite `simulation`: seeded stories of people, CI, deaths and lost answers, with checks after every step. */
import { Story } from "../scenarios/simulation-story.ts";
import { flagOf, type Suite } from "./suite.ts";

export const simulation: Suite = {
  name: "simulation",
  summary: "In any order of people, CI, deaths and lost answers, every run ends, once, within its budget.",
  flags: [{ name: "stories", summary: "stories to play", default: 200, min: 1 }],
  async prove(options) {
    const stories = flagOf(options, "stories");
    const broken: number[] = [];
    for (let index = 0; index < stories; index += 1) {
      // Consecutive seeds, so that each story can be replayed by its own.
      const seed = (options.seed + index) >>> 0;
      const wrong = await new Story(seed).run().catch((thrown: unknown) => [String(thrown)]);
      if (wrong.length > 0) {
        broken.push(seed);
        options.say(wrong.join("\n"));
      }
      if ((index + 1) % 10 === 0) options.say(`${index + 1} of ${stories} stories, ${broken.length} broken`);
    }
    return { held: broken.length === 0, result: { stories, broken } };
  },
};
