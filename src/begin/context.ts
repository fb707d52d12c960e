/** The context in which a run begins: the person, the place, and the settings. */
import type { Settings } from "../config/schema.ts";
import type { RunState } from "../core/state.ts";
import type { Actor, Repository, Verdict } from "../core/vocabulary.ts";
import type { Github, IssueFacts, PullRequestFacts } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { Runner } from "../runner/runner.ts";

export interface BeginContext {
  dependencies: Dependencies;
  /** The job that Baton writes with a run also wakes it. */
  runner: Pick<Runner, "wake">;
  github: Github;
  repository: Repository;
  issue: IssueFacts;
  /** Set when the thread is a pull request. */
  pullRequest: PullRequestFacts | null;
  actor: Actor;
  commentId: number | null;
  settings: Settings;
  settingsSha: string | null;
  /** The command that begins the run. A schedule or a rule gives one in place of a person. */
  command: { name: string };
  /** Equal for every delivery of one comment, so that Baton carries out a repeated delivery only once. */
  operationKey: string;
  /** The policy's verdict on this command, journaled with its effect. */
  verdict: Verdict;
  /** The newest run of this thread, active or ended. */
  lastRun: RunState | null;
}
