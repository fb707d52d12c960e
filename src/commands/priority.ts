import { changePriority } from "../core/decide.ts";
import type { Priority } from "../core/priority.ts";
import { showLocal } from "../core/zone.ts";
import { deadlineOption, priorityOption } from "../thread/grammar.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { steer } from "./steer.ts";

export const priority = defineCommand({
  name: "priority",
  usage: "priority NAME [--deadline TIME]",
  summary: "Change the priority of the run. Its waiting agents and its child runs follow at once.",
  examples: ["priority high", "priority normal --deadline 4h"],
  needs: "run",
  positional: [{ name: "NAME", summary: priorityOption.summary, required: true, schema: priorityOption.schema }],
  options: { deadline: deadlineOption },
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { command, actor, dependencies } = context;
  const wanted = command.positional[0] as Priority;
  const minutes = command.options["deadline"] as number | undefined;
  const deadline = minutes === undefined ? {} : { deadline: dependencies.clock.now() + minutes * 60_000 };
  const { deadline: due } = await steer(context, (now) =>
    changePriority(now, actor, { priority: wanted, ...deadline }),
  );
  return `**The priority of this run is \`${wanted}\`.**${due === null ? "" : ` Its deadline is ${showLocal(due, "UTC")} (UTC).`} Its agents wait for none of lower priority.`;
}
