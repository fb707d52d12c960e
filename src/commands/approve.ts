import { answerBreakpoint } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const approve = defineCommand({
  name: "approve",
  usage: "approve [question] [comment]",
  summary: "Approve what the run asks for: a plan, or protected paths.",
  examples: ["approve", "approve Go ahead, the lockfile may change."],
  text: "optional",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  return answerBreakpoint(context, "approved");
}
