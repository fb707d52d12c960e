import { BatonError } from "../core/errors.ts";
import { answerBreakpoint } from "./answer-breakpoint.ts";
import type { CommandHandler } from "./context.ts";

/** A reason is feedback: a plan is revised by it. */
export const reject: CommandHandler = async (context) => {
  if (context.command.text.trim() === "" && context.place === "")
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      "Say why: `/baton reject <reason>`. To end the run, use `/baton cancel`.",
    );
  return answerBreakpoint(context, "changes-requested");
};
