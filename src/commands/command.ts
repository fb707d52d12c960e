/**
 * A command of a thread: how people write it, and what it does. Each has one file, and one line in `index.ts`.
 *
 * Owns: the shape, and the input and output of a handler. Handlers read, decide by `policy/` and `core/decide`, and append.
 * They never write to GitHub themselves.
 */
import type { BeginContext } from "../begin/context.ts";
import type { RunState } from "../core/state.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import type { CommandGrammar } from "../thread/grammar.ts";

export interface CommandContext extends BeginContext {
  runner: Runner;
  /** All commands. */
  commands: readonly CommandGrammar[];
  /** GitHub's time of the command. null: unknown. */
  writtenAt: string | null;
  /** The line of a change at which the command was written, with its hunk, as text. Empty elsewhere. */
  place: string;
  /** The comment at that line, in whose thread an answer goes. null: the command is elsewhere. */
  lineCommentId: number | null;
  /** The source of the settings, and their oddities. */
  configuration: LoadedSettings;
  command: { name: string; positional: (string | number)[]; options: Record<string, string | number>; text: string };
  /** The run that is active in this thread. */
  run: RunState | null;
  /** On a pull request that Baton opened: its issue. */
  workOf: number | null;
}

/** Text for the thread. null: the status comment already says everything. */
export type Reply = string | null;

export interface Command extends CommandGrammar {
  handle(context: CommandContext): Promise<Reply>;
}

type Said<Name> = Pick<Command, "usage" | "summary" | "handle"> & Partial<Command> & { name: Name };

export function defineCommand<const Name extends string>(command: Said<Name>): Command & { name: Name } {
  return {
    aliases: [],
    examples: [],
    needs: "steer",
    appliesTo: ["issue", "pull-request"],
    positional: [],
    options: {},
    text: "none",
    worksOnHead: false,
    needsRun: true,
    ...command,
  };
}
