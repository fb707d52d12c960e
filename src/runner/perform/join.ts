/** `join`: commits of several steps merged in the trusted repository. A conflict is an answer of it, not a failure. */
import { joinInputSchema } from "../../core/effect.ts";
import { repositoryAccess } from "../repository-access.ts";
import { type WorkPerformer, workspaceName } from "./performer.ts";

export const joinPerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform({ dependencies, state, effect, github }) {
    const { baseSha, shas } = joinInputSchema.parse(effect.input);
    const access = await repositoryAccess(github, state.thread.repository, "read");
    const { bot } = await dependencies.github.identity();
    const output = await dependencies.workspaces.join(
      access,
      {
        runId: state.runId,
        // Without the attempt: each attempt comes to the same commit.
        name: workspaceName(effect, 0),
        baseSha,
        shas,
        message: `${effect.title}\n\nBaton-Run: ${state.runId}\nBaton-Step: ${effect.key}\n`,
      },
      { name: bot.login, email: `${bot.id}+${bot.login}@users.noreply.github.com` },
    );
    return { ok: true, output: { ...output }, usage: [] };
  },
};
