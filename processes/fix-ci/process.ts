/** fix-ci: makes the red checks of a pull request green, on its own branch. */
import { defineProcess } from "../../src/index.ts";
import { effectsOf } from "../guide.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { begin, ended, makeChecksGreen } from "../stages.ts";

export const fixCi = defineProcess<WorkInput, WorkOutput>({
  name: "fix-ci",
  version: 1,
  summary: "Repairs the red checks of a pull request on its own branch, from the failing jobs' logs.",
  on: ["pull-request"],
  guide: {
    when: "The checks of a pull request are red and you want nothing else of it changed.",
    asks: "Approval of protected paths.",
    costs: "One writing step for each repair, `limits.repairAttempts` at most; nothing where the checks are green.",
    effects: effectsOf("checks", "repair", "protected-paths", "push"),
  },
  stages: ["Checks", "Publish"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const work = begin(input, input.instructions.trim() || "Make the checks of this pull request green.");
    const checks = await makeChecksGreen(ctx, input, work);
    if (checks.status !== "passed") return ended(work, checks);
    const repairs = work.steps.length;
    return ended(work, {
      name: "result",
      status: "passed",
      reason:
        repairs === 0
          ? "The checks are green, so there was nothing to repair."
          : `The checks are green after ${repairs} repair${repairs === 1 ? "" : "s"}.`,
      evidence: [{ label: "head", value: work.headSha }],
      children: [checks],
    });
  },
});
