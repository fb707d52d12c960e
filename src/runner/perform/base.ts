/**
 * `base`: the current base branch of a pull request, and the settings of that branch. Earlier approvals were for
 * another branch.
 */
import { z } from "zod";
import { type BaseOutput, baseInputSchema } from "../../core/effect.ts";
import { BatonError } from "../../core/errors.ts";
import type { RunState } from "../../core/state.ts";
import type { Json } from "../../core/vocabulary.ts";
import { outsideOf } from "../../policy/paths.ts";
import { loadSettings } from "../load-settings.ts";
import type { WorkPerformer } from "./performer.ts";

export const basePerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform({ github, state, effect }) {
    const { pullRequest } = baseInputSchema.parse(effect.input);
    const { repository } = state.thread;
    const { baseRef } = await github.pullRequest(repository, pullRequest);
    const [{ settings, problems, path, sha }, reviews] = await Promise.all([
      loadSettings(github, repository, baseRef),
      github.reviews(repository, pullRequest),
    ]);
    if (sha === null) throw new BatonError("BATON_INPUT_INVALID", `The base of #${pullRequest}, ${baseRef}, is gone.`);
    const [problem] = problems;
    if (problem !== undefined)
      throw new BatonError("BATON_INPUT_INVALID", `${path} of the new base ${baseRef} has errors: ${problem.message}`);
    const output: BaseOutput = {
      branch: baseRef,
      sha,
      settings: { ...settings, protectedPaths: [...settings.protectedPaths, ...outsideRun(state)] } as unknown as Json,
      settingsSha: sha,
      reviewIds: reviews.map(({ id }) => id),
    };
    return { ok: true, output: output as unknown as Json, usage: [] };
  },
};

/** The run is still about its own paths (`paths` of its rule or command). */
function outsideRun({ input }: Pick<RunState, "input">): string[] {
  const paths = z.object({ paths: z.array(z.string()).min(1) }).safeParse(input).data?.paths;
  return paths === undefined ? [] : [outsideOf(paths)];
}
