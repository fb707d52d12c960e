import { resume as decideResume, isOver } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { whatItNeeds } from "./answer-breakpoint.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const resume: CommandHandler = async (context) => {
  await steer(context, (state) => {
    if (!isOver(state) && state.status !== "paused")
      throw new BatonError("BATON_NOT_ASKED", `The run is not paused.${whatItNeeds(state)}`);
    return decideResume(state, context.actor);
  });
  return null;
};
