import { pause as decidePause } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const pause: CommandHandler = async (context) => {
  await steer(context, (state) => {
    if (state.status === "paused")
      throw new BatonError(
        "BATON_NOT_ASKED",
        `The run is paused already, by @${state.pausedBy?.login ?? "somebody"}; \`/baton resume\` goes on.`,
      );
    return decidePause(state, context.actor, context.command.text || "no reason given");
  });
  return null;
};
