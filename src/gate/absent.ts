/**
 * Results that no code change can turn green. A check never came, did not run, or waits for a person. Baton pays for no
 * repair of it.
 */
import type { Evidence, Verdict } from "../core/vocabulary.ts";

const labels: ReadonlySet<string> = new Set(["absent", "for people", "base is now"]);

/** Baton waited for it, and it never came. */
export function absence(what: string): Evidence {
  return { label: "absent", value: what };
}

/** It came, but only a person or a setting can change its result. */
export function beyondRepair(what: string): Evidence {
  return { label: "for people", value: what };
}

/** Whether every problem in a verdict is beyond repair. */
export function isOnlyAbsence(verdict: Verdict): boolean {
  if (verdict.status !== "failed") return false;
  const wrong = verdict.children.filter(({ status }) => status !== "passed" && status !== "skipped");
  return wrong.length > 0 ? wrong.every(isOnlyAbsence) : verdict.evidence.some(({ label }) => labels.has(label));
}

/** The verdict is for a branch that is no longer the pull request's base. */
export function otherBase(now: string): Evidence {
  return { label: "base is now", value: now };
}

/** The pull request's base branch, if it differs from the judged one. null: it is the same. */
export function baseNow(verdict: Verdict): string | null {
  return verdict.evidence.find(({ label }) => label === "base is now")?.value ?? null;
}
