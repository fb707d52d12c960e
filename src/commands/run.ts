import { demandHarness } from "../routing/harness-names.ts";
import { beginRun, repositoryProcesses } from "./begin-run.ts";
import type { CommandHandler } from "./context.ts";
import { demandPlace } from "./demand-place.ts";

/** `/baton run [process] …`: the first word of the text may name a process. */
export const run: CommandHandler = async (context) => {
  const { command, dependencies } = context;
  const [first = ""] = command.text.split(/\s+/);
  const named =
    dependencies.processes.names().includes(first) ||
    (/^[a-z][a-z0-9-]*$/.test(first) && (await repositoryProcesses(context).fileNames()).includes(first));
  const process = named ? first : null;
  demandPlace(dependencies.processes, process ?? context.settings.process, context.pullRequest);
  const harness = command.options["harness"] as string | undefined;
  await beginRun(context, {
    process,
    harness: harness === undefined ? null : demandHarness(harness, [...dependencies.harnesses.keys()]),
    model: (command.options["model"] as string | undefined) ?? null,
    budgetUsd: (command.options["budget"] as number | undefined) ?? null,
    instructions: named ? command.text.slice(command.text.indexOf(first) + first.length).trim() : command.text,
    retryOf: null,
  });
  return null;
};
