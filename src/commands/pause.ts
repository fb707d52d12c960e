import { pause as decidePause } from "../core/decide.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const pause: CommandHandler = async (context) => {
  await steer(context, (state) => decidePause(state, context.actor, context.command.text || "no reason given"));
  return null;
};
