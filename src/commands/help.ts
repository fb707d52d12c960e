import { z } from "zod";
import { repositoryProcesses } from "../begin/begin-run.ts";
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { renderCommandHelp, renderHelp } from "../thread/help.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const help = defineCommand({
  name: "help",
  usage: "help [command]",
  summary: "Show the commands, and which of them you may use.",
  examples: ["help run"],
  needs: "read",
  positional: [{ name: "command", summary: "Show this one in full.", required: false, schema: z.string().max(40) }],
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { actor, settings, configuration, dependencies, command, commands } = context;
  const processes = dependencies.processes
    .names()
    .map((name) => ({ name, summary: dependencies.processes.latest(name).summary }));
  const facts = {
    login: actor.login,
    permission: actor.permission,
    settings,
    configuration,
    commands,
    processes,
    thread: context.pullRequest === null ? ("issue" as const) : ("pull-request" as const),
    run: context.run,
    lastRun: context.lastRun,
  };
  const word = command.positional[0] as string | undefined;
  if (word === undefined) return renderHelp({ ...facts, processes: [...processes, ...(await ownProcesses(context))] });
  const grammar = commands.find(({ name }) => name === word);
  if (grammar === undefined) {
    const meant = nearest(
      word,
      commands.map(({ name }) => name),
    );
    throw new BatonError(
      "BATON_COMMAND_UNKNOWN",
      `There is no command "${word.slice(0, 40)}".${meant === null ? "" : ` Did you mean \`/baton help ${meant}\`?`}`,
    );
  }
  return renderCommandHelp(grammar, facts);
}

/** Processes of the repository, including those that cannot run, with the reason. */
async function ownProcesses(context: CommandContext): Promise<{ name: string; summary: string }[]> {
  const own = repositoryProcesses(context);
  const files = await Promise.all((await own.fileNames()).map((name) => own.check(name)));
  return files.map(({ name, path, parsed }) => {
    const [problem] = parsed.problems;
    return {
      name,
      summary: parsed.ok
        ? neutraliseLine(parsed.file.summary)
        : `cannot run: ${path}:${problem?.line ?? 1}: ${neutraliseLine(problem?.message ?? "")}`,
    };
  });
}
