/**
 * paths-allowed: a change stays within its scope. Protected paths wait for a person or are refused, as
 * `breakpoints.protectedPaths` says.
 */
import { z } from "zod";
import type { Verdict } from "../../core/vocabulary.ts";
import { matchesAny } from "../../policy/paths.ts";
import { judge } from "../../policy/rule.ts";
import { policyRules } from "../../policy/rules/index.ts";
import type { Gate } from "../gate.ts";

const optionsSchema = z.strictObject({
  /** Globs outside which nothing may change. Absent: the whole repository is allowed. */
  only: z.array(z.string().min(1)).min(1).optional(),
});
type PathsAllowedOptions = z.output<typeof optionsSchema>;

const shownMax = 10;

export const pathsAllowed: Gate<PathsAllowedOptions, "files"> = {
  name: "paths-allowed",
  summary: "The change touches no protected path that nobody allowed, and nothing outside `only`.",
  options: optionsSchema,
  needs: ["files"],
  evaluate({ files }, { only }, { settings }): Verdict {
    const paths = files.map(({ path }) => path);
    const guarded = judge({
      name: "protected",
      rules: policyRules.publish,
      facts: { paths, settings },
      allowed: "No protected path is changed.",
    });
    const children = [guarded, ...(only === undefined ? [] : [within(paths, only)])];
    const decisive =
      children.find(({ status }) => status === "failed") ?? children.find(({ status }) => status === "pending");
    return {
      name: "paths-allowed",
      status: decisive?.status ?? "passed",
      reason: decisive?.reason ?? `All ${paths.length} changed paths are allowed.`,
      evidence: [],
      children,
    };
  },
};

function within(paths: readonly string[], only: readonly string[]): Verdict {
  const outside = [...new Set(paths)].filter((path) => !matchesAny(path, only));
  const verdict = (status: Verdict["status"], reason: string): Verdict => ({
    name: "only",
    status,
    reason,
    evidence: [],
    children: [],
  });
  if (outside.length === 0)
    return verdict("passed", `All changes are within ${only.map((glob) => `\`${glob}\``).join(", ")}.`);
  const shown = outside.slice(0, shownMax).map((path) => `\`${path.replaceAll(/[`\n\r]/g, "?")}\``);
  const more = outside.length > shownMax ? ` and ${outside.length - shownMax} more` : "";
  return verdict(
    "failed",
    `The change leaves ${only.map((glob) => `\`${glob}\``).join(", ")}: ${shown.join(", ")}${more}.`,
  );
}
