/**
 * The registry of performers: one line for each kind. Sleeps, questions and child runs need none, because the driver
 * ends them.
 */
import { agentPerformer } from "./agent.ts";
import { basePerformer } from "./base.ts";
import { breakpointPerformer } from "./breakpoint.ts";
import { gatePerformer } from "./gate.ts";
import { joinPerformer } from "./join.ts";
import type { ObservePerformer, WorkPerformer } from "./performer.ts";
import { placePerformer } from "./place.ts";
import { publishPerformer } from "./publish.ts";
import { shellPerformer } from "./shell.ts";

export const workPerformers = {
  agent: agentPerformer,
  shell: shellPerformer,
  join: joinPerformer,
  base: basePerformer,
  place: placePerformer,
  publish: publishPerformer,
} satisfies Record<string, WorkPerformer>;

export const observePerformers = {
  gate: gatePerformer,
  breakpoint: breakpointPerformer,
} satisfies Record<string, ObservePerformer>;
