/** What a command's handler gets and gives. Handlers read, decide by `policy/` and `core/decide`, and append; they never write to GitHub themselves. */
import type { Settings } from "../config/schema.ts";
import type { RunState } from "../core/state.ts";
import type { Actor, Repository, Verdict } from "../core/vocabulary.ts";
import type { Github, IssueFacts, PullRequestFacts } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { LoadedSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";

export interface CommandContext {
  dependencies: Dependencies;
  runner: Runner;
  github: Github;
  repository: Repository;
  issue: IssueFacts;
  /** Set when the thread is a pull request. */
  pullRequest: PullRequestFacts | null;
  actor: Actor;
  commentId: number | null;
  /** When the command was written, by GitHub; null: not known. */
  writtenAt: string | null;
  /** The line of a change that the command stands at, with its hunk, as text; empty elsewhere. */
  place: string;
  settings: Settings;
  settingsSha: string | null;
  /** Where the settings come from, and what is odd about them. */
  configuration: LoadedSettings;
  command: { name: string; positional: (string | number)[]; options: Record<string, string | number>; text: string };
  /** The same for every delivery of the same comment: asked twice, done once. */
  operationKey: string;
  /** The policy's verdict on this command, to be journaled with what it does. */
  verdict: Verdict;
  /** The run that is active in this thread. */
  run: RunState | null;
  /** The newest run of this thread, active or over. */
  lastRun: RunState | null;
  /** On a pull request that Baton opened: the issue that it is for. */
  workOf: number | null;
}

/** Text for the thread, or nothing where the status comment says it all. */
export type Reply = string | null;

export type CommandHandler = (context: CommandContext) => Promise<Reply>;
