/** `join`: commits of several steps merged in the trusted repository. A conflict is a result, not a failure. */
import { joinInputSchema } from "../../core/effect.ts";
import { repositoryAccess } from "../repository-access.ts";
import { commitOptions } from "./commit-options.ts";
import { type WorkPerformer, workspaceName } from "./performer.ts";

export const joinPerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform(context) {
    const { dependencies, state, effect, github } = context;
    const { baseSha, shas } = joinInputSchema.parse(effect.input);
    const access = await repositoryAccess(github, state.thread.repository, "read");
    const output = await dependencies.workspaces.join(
      access,
      {
        runId: state.runId,
        // Without the attempt's number, so that each attempt makes the same commit.
        name: workspaceName(effect, 0),
        baseSha,
        shas,
        message: effect.title,
      },
      await commitOptions(context, null, effect.title),
    );
    return { ok: true, output: { ...output }, usage: [] };
  },
};
