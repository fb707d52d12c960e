/** The share of a detector's findings that sweeps propose, by people's decisions about its last proposals. */
import type { ProposalEnd } from "./states.ts";

/** Older proposals say little about a detector's use today. */
export const proposalsCounted = 20;
/** Fewer proposals say nothing. */
const proposalsNeeded = 5;
const halfBelow = 0.5;
const pauseBelow = 0.2;

export interface Throttle {
  /** The part of its findings that a sweep may propose. */
  rate: 1 | 0.5 | 0;
  merged: number;
  counted: number;
  reason: string;
}

/** `ends`: oldest first. */
export function throttle(detector: string, ends: readonly ProposalEnd[]): Throttle {
  const last = ends.slice(-proposalsCounted);
  const merged = last.filter((end) => end === "merged").length;
  const said = mergedOf(`\`${detector}\``, merged, last.length);
  const counted = { merged, counted: last.length };
  if (last.length < proposalsNeeded) return { rate: 1, ...counted, reason: `${said}.` };
  const share = merged / last.length;
  if (share < pauseBelow) return { rate: 0, ...counted, reason: `${said}, under 20 %: it is paused.` };
  if (share < halfBelow) return { rate: 0.5, ...counted, reason: `${said}, under 50 %: half of its rate.` };
  return { rate: 1, ...counted, reason: `${said}.` };
}

function mergedOf(detector: string, merged: number, counted: number): string {
  if (counted === 0) return `No proposal of ${detector} has been decided yet`;
  if (counted === 1) return `The last proposal of ${detector} was ${merged === 1 ? "" : "not "}merged`;
  return `${merged} of the last ${counted} proposals of ${detector} ${merged === 1 ? "was" : "were"} merged`;
}
