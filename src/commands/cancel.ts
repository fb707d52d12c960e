import { cancel as decideCancel } from "../core/decide.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const cancel: CommandHandler = async (context) => {
  await steer(context, (state) => decideCancel(state, context.actor, context.command.text || "no reason given"));
  return null;
};
