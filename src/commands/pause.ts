import { pause as decidePause } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steer } from "./steer.ts";

export const pause = defineCommand({
  name: "pause",
  usage: "pause [reason]",
  summary: "Begin no further step until `/baton resume`.",
  text: "optional",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  await steer(context, (state) => {
    if (state.status === "paused")
      throw new BatonError(
        "BATON_NOT_ASKED",
        `The run is paused already, by @${state.pausedBy?.login ?? "somebody"}; \`/baton resume\` goes on.`,
      );
    return decidePause(state, context.actor, context.command.text || "no reason given");
  });
  return null;
}
