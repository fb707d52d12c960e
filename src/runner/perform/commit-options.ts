/** Identity, trailers and bounds of the commits of a run, the same for commits made here, on a runner, and by a join. */

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

/** `harness`: the agent that made them; null for a join. */
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
    limits: {
      filesMax: limits.workspaceFilesChangedMax,
      blobBytesMax: limits.workspaceBlobBytesMax,
      importBytesMax: limits.importBytesMax,
    },
  };
}

function botIdentity(bot: Awaited<ReturnType<GithubApp["identity"]>>["bot"]): ImportOptions["identity"] {
  return { name: bot.login, email: email(bot) };
}

function email({ id, login }: { id: number; login: string }): string {
  return `${id}+${login}@users.noreply.github.com`;
}
