import type { StoredEvent } from "../../core/event.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table } from "../text.ts";

export const journalCat: CliCommand = (program, context) => {
  group(program, "journal", "The journals of runs.")
    .command("cat <run>")
    .description("Print the events of a run, after checking their hash chain.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (runId: string, { git, json }: { git?: string; json?: true }) => {
      const events = await readRuns(context, git, (runs) => runs.events(runId));
      const last = events.at(-1) as StoredEvent;
      if (json === true)
        return context.print(JSON.stringify({ runId, chain: { holds: true, lastHash: last.hash }, events }, null, 2));
      context.print(table(events.map(row)));
      context.print(`${events.length} events; the chain holds, its last hash is ${last.hash}.`);
    });
};

function row({ position, at, event }: StoredEvent): string[] {
  const { type, ...fields } = event;
  const told = [
    ...("key" in fields ? [fields.key] : []),
    ...("attempt" in fields ? [`attempt ${fields.attempt}`] : []),
    ...("promptId" in fields ? [`prompt ${fields.promptId.slice(0, 12)}`] : []),
    ...("title" in fields ? [fields.title] : []),
    ...("reason" in fields ? [fields.reason] : []),
    ...("error" in fields ? [`${fields.error.code}: ${fields.error.message}`] : []),
    ...("verdict" in fields ? [`${fields.verdict.status}: ${fields.verdict.reason}`] : []),
  ];
  return [`${position}`, new Date(at).toISOString(), type, told.join(" · ").replaceAll(/\s+/g, " ").slice(0, 160)];
}
