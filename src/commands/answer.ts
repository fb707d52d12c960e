import { answer as decideAnswer } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { Json } from "../core/vocabulary.ts";
import { question } from "./answer-breakpoint.ts";
import type { CommandHandler } from "./context.ts";
import { steerAsking } from "./steer.ts";

export const answer: CommandHandler = async (context) => {
  const { actor, command } = context;
  await steerAsking(context, "ask", (state) => {
    const effect = question(state, "ask", "answer");
    const { choices } = effect.input as { choices?: string[] };
    const text = command.text.trim();
    if (text === "")
      throw new BatonError("BATON_COMMAND_INVALID", "Write the answer after the command: `/baton answer <text>`.");
    if (choices !== undefined && !choices.includes(text))
      throw new BatonError("BATON_COMMAND_INVALID", `"${text.slice(0, 60)}" is not one of: ${choices.join(", ")}.`);
    return decideAnswer(state, effect.key, { answer: text, by: actor as unknown as Json });
  });
  return null;
};
