/**
 * A command of a thread: how it is written, and what it does. One file each, one line in `index.ts`.
 *
 * Owns: the shape, and what a handler gets and gives. Handlers read, decide by `policy/` and `core/decide`, and append; they
 * never write to GitHub themselves.
 */
import type { BeginContext } from "../begin/context.ts";
import type { RunState } from "../core/state.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import type { CommandGrammar } from "../thread/grammar.ts";

export interface CommandContext extends BeginContext {
  runner: Runner;
  /** All there are. */
  commands: readonly CommandGrammar[];
  /** When the command was written, by GitHub; null: not known. */
  writtenAt: string | null;
  /** The line of a change that the command stands at, with its hunk, as text; empty elsewhere. */
  place: string;
  /** Where the settings come from, and what is odd about them. */
  configuration: LoadedSettings;
  command: { name: string; positional: (string | number)[]; options: Record<string, string | number>; text: string };
  /** The run that is active in this thread. */
  run: RunState | null;
  /** On a pull request that Baton opened: the issue that it is for. */
  workOf: number | null;
}

/** Text for the thread, or nothing where the status comment says it all. */
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
