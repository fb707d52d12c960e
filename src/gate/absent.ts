/** What no change of the code can turn green: a check that never came, did not run, or waits for a person. No repair is bought for it. */
import type { Evidence, Verdict } from "../core/vocabulary.ts";

const labels: ReadonlySet<string> = new Set(["absent", "for people", "base is now"]);

/** It was waited for and never came. */
export function absence(what: string): Evidence {
  return { label: "absent", value: what };
}

/** It came, and only a person or a setting can change what it says. */
export function beyondRepair(what: string): Evidence {
  return { label: "for people", value: what };
}

/** Whether all that a verdict finds wrong is beyond repair. */
export function isOnlyAbsence(verdict: Verdict): boolean {
  if (verdict.status !== "failed") return false;
  const wrong = verdict.children.filter(({ status }) => status !== "passed" && status !== "skipped");
  return wrong.length > 0 ? wrong.every(isOnlyAbsence) : verdict.evidence.some(({ label }) => labels.has(label));
}

/** The verdict is for a branch that the pull request no longer goes to. */
export function otherBase(now: string): Evidence {
  return { label: "base is now", value: now };
}

/** The branch that the pull request goes to instead of the one that was judged; null: the same. */
export function baseNow(verdict: Verdict): string | null {
  return verdict.evidence.find(({ label }) => label === "base is now")?.value ?? null;
}
