import { resume as decideResume, isOver } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { whatItNeeds } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steer } from "./steer.ts";

export const resume = defineCommand({ name: "resume", usage: "resume", summary: "Go on after a pause.", handle });

async function handle(context: CommandContext): Promise<Reply> {
  await steer(context, (state) => {
    if (!isOver(state) && state.status !== "paused")
      throw new BatonError("BATON_NOT_ASKED", `The run is not paused.${whatItNeeds(state)}`);
    return decideResume(state, context.actor);
  });
  return null;
}
