import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { type Verdict, verdictSchema } from "../../core/vocabulary.ts";
import { factsSchema } from "../facts.ts";
import { inline, verbatim } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now, report } from "./report.ts";

export const repair = defineTask({
  name: "repair",
  facts: factsSchema.extend({ plan: z.string(), /** The verdict of the red gate. */ checks: verdictSchema }),
  write: ({ checks }) => [
    { name: "failures", heading: "What failed", body: failures(checks) },
    now(
      "Checks of the repository failed on the commit that you have here. Find the cause in the logs and the code, repair it, and run what failed again where you can. Never weaken, skip or delete a test to make it pass. Where the cause is not in this repository, change nothing and say what it is.",
    ),
    report,
  ],
});

function failures(checks: Verdict): string {
  return checks.children
    .filter(({ status }) => status === "failed")
    .map(({ name, reason, evidence }) => {
      const log = evidence.find(({ label }) => label === "log")?.value ?? "";
      const said = `The check "${inline(name)}": ${inline(reason, 500)}`;
      return log === "" ? said : `${said}\nThe end of its log:\n${verbatim(log, limits.ciLogBytesMax)}`;
    })
    .join("\n\n");
}
