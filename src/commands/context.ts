/** What a command's handler gets and gives. Handlers read, decide by `policy/` and `core/decide`, and append; they never write to GitHub themselves. */
import type { BeginContext } from "../begin/context.ts";
import type { RunState } from "../core/state.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";

export interface CommandContext extends BeginContext {
  runner: Runner;
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

export type CommandHandler = (context: CommandContext) => Promise<Reply>;
