/** diff-size: a change for review stays small enough for people. Binary files count as files, not as lines. */
import { z } from "zod";
import type { Verdict } from "../../core/vocabulary.ts";
import { matchesAny } from "../../policy/paths.ts";
import type { Gate } from "../gate.ts";

const optionsSchema = z.strictObject({
  filesMax: z.number().int().positive().optional(),
  linesMax: z.number().int().positive().optional(),
  /** Globs of files that nobody reads line by line, such as lock files. */
  ignore: z.array(z.string().min(1)).default([]),
});
type DiffSizeOptions = z.output<typeof optionsSchema>;

export const diffSize: Gate<DiffSizeOptions, "files"> = {
  name: "diff-size",
  summary:
    "The change is at most `filesMax` files and `linesMax` added and removed lines; files of `ignore` do not count.",
  options: optionsSchema,
  needs: ["files"],
  evaluate({ files }, { filesMax, linesMax, ignore }): Verdict {
    const counted = files.filter(({ path }) => !matchesAny(path, ignore));
    const lines = counted.reduce((sum, { added, removed }) => sum + (added ?? 0) + (removed ?? 0), 0);
    const children = [limit("files", counted.length, filesMax), limit("lines", lines, linesMax)];
    const over = children.filter(({ status }) => status === "failed");
    const size = `${counted.length} file${counted.length === 1 ? "" : "s"} and ${lines} line${lines === 1 ? "" : "s"} changed`;
    const evidence = [{ label: "changed", value: size }];
    if (over.length === 0) return { name: "diff-size", status: "passed", reason: `${size}.`, evidence, children };
    return {
      name: "diff-size",
      status: "failed",
      reason: `Too large to review: ${over.map(({ reason }) => reason).join(", ")}. Split the change.`,
      evidence,
      children,
    };
  },
};

function limit(what: "files" | "lines", count: number, max: number | undefined): Verdict {
  const verdict = (status: Verdict["status"], reason: string): Verdict => ({
    name: what,
    status,
    reason,
    evidence: [],
    children: [],
  });
  if (max === undefined) return verdict("skipped", `${count} changed ${what}, no limit`);
  return verdict(count <= max ? "passed" : "failed", `${count} changed ${what}, limit ${max}`);
}
