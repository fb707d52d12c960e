import { beginRun, repositoryProcesses } from "../begin/begin-run.ts";
import { demandPlace } from "../begin/demand-place.ts";
import { withoutOf } from "../begin/preflight.ts";
import { BatonError } from "../core/errors.ts";
import { nearestWithin } from "../core/nearest.ts";
import type { Priority } from "../core/priority.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { withPlace } from "./answer-breakpoint.ts";
import type { CommandContext, CommandHandler } from "./context.ts";

/** `/baton run [process] …`: the first word of the text may name a process. */
export const run: CommandHandler = async (context) => {
  const { command, dependencies } = context;
  const [first = ""] = command.text.split(/\s+/);
  const isName = /^[a-z][a-z0-9-]*$/.test(first);
  const own = dependencies.processes.names();
  const names =
    own.includes(first) || first === "" ? own : [...own, ...(await repositoryProcesses(context).fileNames())];
  const named = isName && names.includes(first);
  if (!named) demandInstruction(command.text.trim(), first, names, context);
  const process = named ? first : null;
  demandPlace(dependencies.processes, process ?? context.settings.process, context.pullRequest);
  const priority = command.options["priority"] as Priority | undefined;
  const harness = command.options["harness"] as string | undefined;
  await beginRun(context, {
    process,
    harness: harness === undefined ? null : demandHarness(harness, [...dependencies.harnesses.keys()]),
    model: (command.options["model"] as string | undefined) ?? null,
    budgetUsd: (command.options["budget"] as number | undefined) ?? null,
    instructions: withPlace(
      named ? command.text.slice(command.text.indexOf(first) + first.length).trim() : command.text,
      context.place,
    ),
    retryOf: null,
    ...(priority === undefined ? {} : { priority }),
    without: withoutOf(command.options["without"]),
  });
  return null;
};

/** A slip of the pen would cost a run: what may be one is asked about. Other text is the instruction. */
function demandInstruction(text: string, first: string, names: readonly string[], context: CommandContext): void {
  if (first === "") return;
  const shown = first.slice(0, 60);
  const meant = nearestWithin(first, names, 2);
  const rest = text.slice(first.length).trim();
  const usual = context.settings.process ?? (context.pullRequest === null ? "issue-to-pr" : "address-review");
  const asInstruction = `To give this as an instruction, name the process: \`/baton run ${usual} ${text.slice(0, 200).replaceAll("`", "'")}\`.`;
  const ask = (problem: string): BatonError =>
    new BatonError("BATON_COMMAND_INVALID", `${problem} Nothing was started. ${asInstruction}`);
  if (meant !== null)
    throw ask(
      `There is no process "${shown}". Did you mean \`/baton run ${`${meant} ${rest.slice(0, 200)}`.trim().replaceAll("`", "'")}\`?`,
    );
  if (rest === "") throw ask(`There is no process "${shown}". The processes are: ${names.join(", ")}.`);
}
