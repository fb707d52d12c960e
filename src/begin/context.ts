/** What a run begins with: who asks, where, and by which settings. */
import type { Settings } from "../config/schema.ts";
import type { RunState } from "../core/state.ts";
import type { Actor, Repository, Verdict } from "../core/vocabulary.ts";
import type { Github, IssueFacts, PullRequestFacts } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { Runner } from "../runner/runner.ts";

export interface BeginContext {
  dependencies: Dependencies;
  /** A run that exists is also woken by the job that was written with it. */
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
  /** The command that begins it, or the one that a schedule or a rule stands for. */
  command: { name: string };
  /** The same for every delivery of the same comment: asked twice, done once. */
  operationKey: string;
  /** The policy's verdict on this command, to be journaled with what it does. */
  verdict: Verdict;
  /** The newest run of this thread, active or over. */
  lastRun: RunState | null;
}
