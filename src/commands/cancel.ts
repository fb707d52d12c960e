import { cancel as decideCancel } from "../core/decide.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steer } from "./steer.ts";

export const cancel = defineCommand({
  name: "cancel",
  aliases: ["stop"],
  usage: "cancel [reason]",
  summary: "Stop the run; pushed work stays.",
  text: "optional",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  await steer(context, (state) => decideCancel(state, context.actor, context.command.text || "no reason given"));
  return null;
}
