/** Identity, trailers and bounds of a run's commits: equal for commits made here, on a runner, and by a join. */

import { limits } from "../../core/limits.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { GithubApp } from "../../ports/github.ts";
import type { ImportOptions } from "../../ports/workspace.ts";
import type { Dependencies } from "../dependencies.ts";
import { settingsOf } from "../settings-of.ts";

interface CommitContext {
  dependencies: Pick<Dependencies, "github" | "redact" | "clock">;
  state: RunState;
  effect: EffectState;
}

/** `harness`: the agent that made the commits. null: a join made them. */
export async function commitOptions(
  { dependencies, state, effect }: CommitContext,
  harness: string | null,
  subject: string,
): Promise<ImportOptions> {
  const { requestedBy } = state;
  const identity = botIdentity((await dependencies.github.identity()).bot);
  return {
    identity,
    trailers: [
      `Baton-Run: ${state.runId}`,
      `Baton-Step: ${effect.key}`,
      ...(harness === null
        ? []
        : [
            `Baton-Harness: ${harness.replaceAll(/[^\w.-]+/g, "-").slice(0, 80)}`,
            `Co-authored-by: ${requestedBy.login} <${email(requestedBy)}>`,
          ]),
      ...(settingsOf(state).commits.signOff ? [`Signed-off-by: ${identity.name} <${identity.email}>`] : []),
    ],
    rescueSubject: subject,
    redact: dependencies.redact,
    now: dependencies.clock.now(),
    allowSecrets: settingsOf(state).secrets.allow,
    limits: {
      filesMax: limits.workspaceFilesChangedMax,
      blobBytesMax: limits.workspaceBlobBytesMax,
      importBytesMax: limits.importBytesMax,
    },
  };
}

/**
 * Trailers for the merge commit of Baton's own pull request. GitHub adds no co-authors to a given message.
 * null: the pull request and its message belong to a person.
 */
export async function mergeTrailers(
  { dependencies, state }: Pick<CommitContext, "dependencies" | "state">,
  authorId: number,
): Promise<string[] | null> {
  const { bot } = await dependencies.github.identity();
  if (authorId !== bot.id) return null;
  const { requestedBy } = state;
  const identity = botIdentity(bot);
  return [
    `Baton-Run: ${state.runId}`,
    `Co-authored-by: ${requestedBy.login} <${email(requestedBy)}>`,
    ...(settingsOf(state).commits.signOff ? [`Signed-off-by: ${identity.name} <${identity.email}>`] : []),
  ];
}

function botIdentity(bot: Awaited<ReturnType<GithubApp["identity"]>>["bot"]): ImportOptions["identity"] {
  return { name: bot.login, email: email(bot) };
}

function email({ id, login }: { id: number; login: string }): string {
  return `${id}+${login}@users.noreply.github.com`;
}
