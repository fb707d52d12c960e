import { beginRun, repositoryProcesses } from "../begin/begin-run.ts";
import { demandPlace } from "../begin/demand-place.ts";
import { withoutOf } from "../begin/preflight.ts";
import { BatonError } from "../core/errors.ts";
import { nearestWithin } from "../core/nearest.ts";
import type { Priority } from "../core/priority.ts";
import { demandHarness } from "../routing/harness-names.ts";
import {
  deadlineOption,
  nameSchema,
  pathsOption,
  priorityOption,
  usdSchema,
  withoutOption,
} from "../thread/grammar.ts";
import { withPlace } from "./answer-breakpoint.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { demandHead, headOption } from "./head-option.ts";

export const run = defineCommand({
  name: "run",
  usage:
    "run [process] [--harness NAME] [--model NAME] [--budget USD] [--priority NAME] [--deadline TIME] [--paths PATHS] [--without WHAT] [--head SHA] [what to do]",
  summary: "Start a run on this thread.",
  examples: [
    "run",
    "run --budget 2.50 Keep the public API as it is.",
    "run issue-to-pr --harness codex",
    "run plan",
    "run verify\n- An empty cart costs 0\n$ npm test",
  ],
  needs: "run",
  options: {
    harness: { value: "NAME", summary: "Coding agent to use.", schema: nameSchema },
    model: { value: "NAME", summary: "Model to ask for.", schema: nameSchema },
    budget: { value: "USD", summary: "Most that this run may spend.", schema: usdSchema },
    priority: priorityOption,
    deadline: deadlineOption,
    paths: pathsOption,
    without: withoutOption,
    head: headOption,
  },
  text: "optional",
  worksOnHead: true,
  needsRun: false,
  handle,
});

/** `/baton run [process] …`: the first word of the text may name a process. */
async function handle(context: CommandContext): Promise<Reply> {
  const { command, dependencies } = context;
  demandHead(context);
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
  const paths = command.options["paths"] as string | undefined;
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
    paths: paths === undefined ? [] : paths.split(","),
    deadlineMinutes: (command.options["deadline"] as number | undefined) ?? null,
    without: withoutOf(command.options["without"]),
  });
  return null;
}

/** A slip would cost a run, so Baton asks about a text that may be one. Any other text is the instruction. */
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
