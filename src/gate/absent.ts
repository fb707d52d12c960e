/** What was waited for and never came, as against what came and is red: nobody can repair it by changing the code. */
import type { Evidence, Verdict } from "../core/vocabulary.ts";

const label = "absent";

export function absence(what: string): Evidence {
  return { label, value: what };
}

/** Whether all that a verdict finds wrong is that something never appeared. */
export function isOnlyAbsence(verdict: Verdict): boolean {
  if (verdict.status !== "failed") return false;
  const wrong = verdict.children.filter(({ status }) => status !== "passed" && status !== "skipped");
  return wrong.length > 0 ? wrong.every(isOnlyAbsence) : verdict.evidence.some((one) => one.label === label);
}
