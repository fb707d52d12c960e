import { resume as decideResume } from "../core/decide.ts";
import type { CommandHandler } from "./context.ts";
import { steer } from "./steer.ts";

export const resume: CommandHandler = async (context) => {
  await steer(context, (state) => decideResume(state, context.actor));
  return null;
};
