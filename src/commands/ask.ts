import { beginRun } from "../begin/begin-run.ts";
import { usdSchema } from "../thread/grammar.ts";
import { withPlace } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { demandHead, headOption } from "./head-option.ts";

export const ask = defineCommand({
  name: "ask",
  usage: "ask [--budget USD] [--head SHA] <question>",
  summary: "Ask about the code. At a line of a change, the answer comes in the thread of that line.",
  examples: ["ask Why is the sum rounded here?"],
  needs: "run",
  options: {
    budget: { value: "USD", summary: "Most that the answer may cost.", schema: usdSchema },
    head: headOption,
  },
  text: "required",
  worksOnHead: true,
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { command, place, lineCommentId } = context;
  demandHead(context);
  await beginRun(context, {
    process: "explore",
    harness: null,
    model: null,
    budgetUsd: (command.options["budget"] as number | undefined) ?? null,
    instructions: withPlace(command.text, place),
    retryOf: null,
    replyTo: lineCommentId,
  });
  return null;
}
