/** something-changed: work that changed nothing is not finished, whatever an agent says. */
import { z } from "zod";
import type { Verdict } from "../../core/vocabulary.ts";
import { matchesAny } from "../../policy/paths.ts";
import type { Gate } from "../gate.ts";

const optionsSchema = z.strictObject({
  /** Globs of which at least one file must change, such as tests. */
  include: z.array(z.string().min(1)).min(1).optional(),
});
type SomethingChangedOptions = z.output<typeof optionsSchema>;

export const somethingChanged: Gate<SomethingChangedOptions, "files"> = {
  name: "something-changed",
  summary: "The work changes at least one file, where `include` is given one of those.",
  options: optionsSchema,
  needs: ["files"],
  evaluate({ files }, { include }): Verdict {
    const verdict = (status: Verdict["status"], reason: string): Verdict => ({
      name: "something-changed",
      status,
      reason,
      evidence: [{ label: "changed files", value: `${files.length}` }],
      children: [],
    });
    if (files.length === 0) return verdict("failed", "Nothing was changed, so there is nothing to show.");
    if (include === undefined)
      return verdict("passed", `${files.length} file${files.length === 1 ? " was" : "s were"} changed.`);
    const found = files.filter(({ path }) => matchesAny(path, include));
    const wanted = include.map((glob) => `\`${glob}\``).join(", ");
    if (found.length === 0) return verdict("failed", `None of the ${files.length} changed files is in ${wanted}.`);
    return verdict("passed", `${found.length} of the changed files ${found.length === 1 ? "is" : "are"} in ${wanted}.`);
  },
};
