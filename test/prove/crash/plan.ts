/**
 * The times of kills, from a seed: instants of finished work, not of time. So the same work is killed on a slow machine.
 * Pure.
 */
import { Draw } from "../draw.ts";

/** The work under way at the awaited instant. */
export type Aim = "anything" | "an agent" | "a push" | "a write asked" | "a write done" | "a comment done";

/** The instants that match an aim: a comment is a write, and everything matches "anything". */
export function isHit(aim: Aim, instant: Aim): boolean {
  return aim === "anything" || aim === instant || (aim === "a write done" && instant === "a comment done");
}

export interface Strike {
  /** The number of requests to GitHub and to models that pass first, since Baton listens. */
  after: number;
  aim: Aim;
  /** From the instant to the blow. 0: before anything else happens. */
  delayMs: number;
  /** A pause instead of a kill, for this long. null: SIGKILL. */
  pauseMs: number | null;
  /** Which of several processes. */
  replica: number;
}

/** The frequency of each aim is its number of entries here. */
const usual: readonly Aim[] = [
  "anything",
  "anything",
  "an agent",
  "an agent",
  "a push",
  "a write asked",
  "a write done",
  "a comment done",
];
const afterMax = 24;
/** A push and a write take about as long. A lost answer is lost at once. */
const delaysMsMax: Record<Aim, number> = {
  anything: 60,
  "an agent": 60,
  "a push": 15,
  "a write asked": 15,
  "a write done": 0,
  "a comment done": 0,
};

export interface PlanOptions {
  aims?: readonly Aim[];
  replicas?: number;
  pauseMsMax?: number;
}

export function strikesOf(seed: number, count: number, options: PlanOptions = {}): Strike[] {
  const draw = new Draw(seed, "strikes");
  const pauses = new Draw(seed, "pauses");
  const { replicas = 1, pauseMsMax = 0 } = options;
  return Array.from({ length: count }, () => {
    const aim = draw.one(options.aims ?? usual);
    return {
      after: draw.whole(1, afterMax),
      aim,
      delayMs: draw.whole(0, delaysMsMax[aim]),
      pauseMs: pauseMsMax > 0 && pauses.whole(1, 3) === 1 ? pauses.whole(200, pauseMsMax) : null,
      replica: draw.whole(0, replicas - 1),
    };
  });
}
