import { BatonError } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import { runIdSchema } from "../../core/vocabulary.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";
import { table } from "../text.ts";

export const journalCat: CliCommand = (program, context) => {
  group(program, "journal", "The journals of runs.")
    .command("cat <run>")
    .description("Print the events of a run, after checking their hash chain.")
    .option(...jsonOption)
    .action(async (runId: string, { json }: { json?: true }) => {
      const events = await withRuns(context, ({ store }) => {
        const parsed = runIdSchema.safeParse(runId);
        return parsed.success ? store.read(parsed.data) : Promise.resolve([]);
      });
      const last = events.at(-1);
      if (last === undefined) throw new BatonError("BATON_NO_RUN", `There is no run "${runId.slice(0, 60)}".`);
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
    ...("title" in fields ? [fields.title] : []),
    ...("reason" in fields ? [fields.reason] : []),
    ...("error" in fields ? [`${fields.error.code}: ${fields.error.message}`] : []),
    ...("verdict" in fields ? [`${fields.verdict.status}: ${fields.verdict.reason}`] : []),
  ];
  return [`${position}`, new Date(at).toISOString(), type, told.join(" · ").replaceAll(/\s+/g, " ").slice(0, 160)];
}
