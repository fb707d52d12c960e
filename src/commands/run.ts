import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { beginRun, repositoryProcesses } from "./begin-run.ts";
import type { CommandHandler } from "./context.ts";
import { demandPlace } from "./demand-place.ts";
import { withoutOf } from "./preflight.ts";

/** `/baton run [process] …`: the first word of the text may name a process. */
export const run: CommandHandler = async (context) => {
  const { command, dependencies } = context;
  const [first = ""] = command.text.split(/\s+/);
  const isName = /^[a-z][a-z0-9-]*$/.test(first);
  const own = dependencies.processes.names();
  const names = own.includes(first) || !isName ? own : [...own, ...(await repositoryProcesses(context).fileNames())];
  const named = names.includes(first);
  // One word alone that is nearly a process is a slip; as what to do it would cost a run.
  const meant = named || first === "" || command.text.trim() !== first ? null : nearest(first, names);
  if (meant !== null)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `There is no process "${first}". Did you mean \`/baton run ${meant}\`? Nothing was done; text for the agent has more than one word.`,
    );
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
    without: withoutOf(command.options["without"]),
  });
  return null;
};
