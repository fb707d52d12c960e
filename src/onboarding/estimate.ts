/**
 * The cost of a typical run: the price table times stated assumptions. It is a first figure. Only the budget is a promise.
 */
import { addTokens, noTokens, type Tokens } from "../core/vocabulary.ts";
import { costOf } from "../money/cost.ts";
import { findPrice } from "../money/prices.ts";

export interface EstimatedStep {
  name: string;
  tokens: Tokens;
  minutes: number;
}

/** Assumptions for an agent on a task of a few files. An agent has read most of its input before, which is cheap. */
export const assumedSteps: readonly EstimatedStep[] = [
  { name: "plan", tokens: { input: 10_000, output: 3_000, cacheRead: 150_000, cacheWrite: 30_000 }, minutes: 3 },
  { name: "implement", tokens: { input: 15_000, output: 12_000, cacheRead: 600_000, cacheWrite: 60_000 }, minutes: 8 },
  { name: "one repair", tokens: { input: 10_000, output: 5_000, cacheRead: 250_000, cacheWrite: 30_000 }, minutes: 4 },
];

/** Jobs of one run in Actions mode: comments, reviews and ends of CI each start one that reads the event. */
const readingJobsAssumed = 10;

const agentMinutes = assumedSteps.reduce((sum, { minutes }) => sum + minutes, 0);
/** Minutes that agents of the assumed run work, and runner minutes of the whole run in Actions mode. */
export const assumedMinutes = { agents: agentMinutes, runners: agentMinutes + readingJobsAssumed };

export interface Estimate {
  model: string;
  /** null: the table has no price for the model. */
  steps: { name: string; usd: number | null }[];
  totalUsd: number | null;
  tokens: Tokens;
  tableVersion: string | null;
}

export function estimate(model: string): Estimate {
  const found = findPrice(model, {});
  const steps = assumedSteps.map(({ name, tokens }) => ({
    name,
    usd: found === null ? null : costOf(tokens, found.price),
  }));
  return {
    model,
    steps,
    totalUsd: found === null ? null : steps.reduce((sum, { usd }) => sum + (usd ?? 0), 0),
    tokens: assumedSteps.reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens),
    tableVersion: found?.version ?? null,
  };
}
