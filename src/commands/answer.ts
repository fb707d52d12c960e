import { answer as decideAnswer } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { EffectState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import { question } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steerAsking } from "./steer.ts";

export const answer = defineCommand({
  name: "answer",
  usage: "answer [question] <text>",
  summary: "Answer the run's question; name it where there are several.",
  examples: ["answer Use the second option.", "answer color blue"],
  text: "required",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { actor } = context;
  await steerAsking(context, "ask", (state, posts) => {
    const { effect, text } = question(state, "ask", context, posts);
    return decideAnswer(state, effect.key, { answer: readAnswer(effect, text), by: actor as unknown as Json });
  });
  return null;
}

const yesOrNo: Readonly<Record<string, string>> = { yes: "yes", y: "yes", no: "no", n: "no" };

/** As the question allows it: one of the choices, yes or no, or any text. */
function readAnswer({ input }: EffectState, text: string): string {
  const { choices, answerKind } = input as { choices?: string[]; answerKind?: string };
  if (text === "")
    throw new BatonError("BATON_COMMAND_INVALID", "Write the answer after the command: `/baton answer <text>`.");
  const shown = text.slice(0, 60);
  if (answerKind === "confirm") {
    const word = yesOrNo[text.toLowerCase().replace(/[.!]$/, "")];
    if (word !== undefined) return word;
    throw new BatonError("BATON_COMMAND_INVALID", `"${shown}" is neither \`yes\` nor \`no\`.`);
  }
  if (choices === undefined) return text;
  const chosen =
    choices.find((choice) => choice === text) ?? choices.find((one) => one.toLowerCase() === text.toLowerCase());
  if (chosen !== undefined) return chosen;
  throw new BatonError("BATON_COMMAND_INVALID", `"${shown}" is not one of: ${choices.join(", ")}.`);
}
