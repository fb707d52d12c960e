import { z } from "zod";
import { repositoryProcesses } from "../begin/begin-run.ts";
import { BatonError, hasCode } from "../core/errors.ts";
import { checkMigration } from "../process/migrate.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { activeRunOf } from "./no-run.ts";
import { steer } from "./steer.ts";

const triesMax = 10;

export const migrate = defineCommand({
  name: "migrate",
  usage: "migrate [check]",
  summary: "Let the run go on with the newest version of its process, if that asks for the same so far.",
  examples: ["migrate check", "migrate"],
  needs: "run",
  positional: [
    {
      name: "check",
      summary: "Say whether it is possible, and change nothing.",
      required: false,
      schema: z.literal("check", "the only word that it takes is `check`"),
    },
  ],
  handle,
});

/** PROC-003: the check is the command; without a word it is also done. */
async function handle(context: CommandContext): Promise<Reply> {
  const { dependencies, command, actor } = context;
  const run = activeRunOf(context);
  const processes = repositoryProcesses(context);
  const found = await processes.find(run.process.name);
  if (found === null) throw await processes.unknown(run.process.name);
  for (let tries = 0; tries < triesMax; tries += 1) {
    const events = await dependencies.store.read(run.runId);
    const migration = await checkMigration(found.definition, events, dependencies.settle);
    const { from, to, asks } = migration;
    const next = asks.length === 0 ? "" : ` It then begins: ${asks.map((key) => `\`${key}\``).join(", ")}.`;
    if (command.positional[0] === "check")
      return `**The run can go on with ${to}.** It is at ${from}, and ${to} asks for the same so far.${next} \`/baton migrate\` does it.`;
    try {
      await steer(context, (state) => migration.decide(state, actor));
      return `**The run goes on with ${to}**, instead of ${from}.${next}`;
    } catch (thrown) {
      // migrate.M2: something happened meanwhile.
      if (!hasCode(thrown, "BATON_JOURNAL_CONFLICT")) throw thrown;
    }
  }
  throw new BatonError("BATON_JOURNAL_CONFLICT", `The run went on ${triesMax} times while its migration was checked.`);
}
