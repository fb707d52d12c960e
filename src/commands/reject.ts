import { BatonError } from "../core/errors.ts";
import { answerBreakpoint } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const reject = defineCommand({
  name: "reject",
  usage: "reject <reason>",
  summary: "Send back what the run asks for; the reason goes to the agent.",
  examples: ["reject Begin with a failing test."],
  text: "required",
  handle,
});

/** A reason is feedback: a plan is revised by it. */
async function handle(context: CommandContext): Promise<Reply> {
  if (context.command.text.trim() === "" && context.place === "")
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      "Say why: `/baton reject <reason>`. To end the run, use `/baton cancel`.",
    );
  return answerBreakpoint(context, "changes-requested");
}
