import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { type Verdict, verdictSchema } from "../../core/vocabulary.ts";
import { factsSchema } from "../facts.ts";
import { quoted } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

export const repair = defineTask({
  name: "repair",
  facts: factsSchema.extend({ plan: z.string(), /** Of the gate that is red. */ checks: verdictSchema }),
  write: ({ checks }) => [
    { name: "failures", heading: "What failed", body: failures(checks) },
    now(
      "The checks of the repository failed on your last commit. Find the cause and repair it. Never weaken, skip or delete a test to make it pass.",
    ),
    report,
  ],
});

function failures(checks: Verdict): string {
  return checks.children
    .filter(({ status }) => status === "failed")
    .map(({ name, reason, evidence }) => {
      const log = evidence.find(({ label }) => label === "log")?.value ?? "";
      return `Check ${quoted(name, 200)}\n${reason}${log === "" ? "" : `, the end of its log:\n${quoted(log, limits.ciLogBytesMax)}`}`;
    })
    .join("\n\n");
}
