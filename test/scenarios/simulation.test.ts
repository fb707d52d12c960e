/**
 * Seeded simulation: people, CI, deaths, lost answers and delays in any order, with promises after each step. To try more:
 * `npm run prove -- simulation`. SIMULATION_SEED=17 replays one story, and SIMULATION_STORY=1 prints its events.
 */
import { describe, expect, it } from "vitest";
import { Story } from "./simulation-story.ts";

const one = process.env["SIMULATION_SEED"];
const count = Number(process.env["SIMULATION_SEEDS"] ?? 15);
const seeds = one === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(one)];

describe("simulation", () => {
  it.each(seeds)("seed %i", async (seed) => {
    const story = new Story(seed);
    try {
      expect(await story.run()).toEqual([]);
    } finally {
      if (process.env["SIMULATION_STORY"] !== undefined) process.stdout.write(`${story.text()}\n`);
    }
  });
});
