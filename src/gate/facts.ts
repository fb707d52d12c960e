/**
 * Facts that gates judge. The shell gathers them, as `needs` says. The shapes are those of `ports/github.ts` without
 * importing it: pure folders know no ports. `test/gate-facts.test.ts` keeps the two equal.
 */

/** A check run or a commit status, in one shape. */
export interface CheckFact {
  name: string;
  source: "check-run" | "status";
  /** GitHub App that reported the check. null: a status without an App. */
  appId: number | null;
  /** Suite of one push or event and one App. null for statuses, and in facts of an older Baton. */
  suiteId?: number | null;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  conclusion:
    | "success"
    | "failure"
    | "neutral"
    | "cancelled"
    | "skipped"
    | "timed_out"
    | "action_required"
    | "stale"
    | null;
  id: number;
  url: string | null;
  startedAt: string | null;
  /** Absent in facts of an older Baton. */
  completedAt?: string | null;
  /** The attempt of its workflow run. null: unreadable. Absent: there is none, or its name is unique. */
  attempt?: number | null;
  summary: string;
}

/** An App's report for one push, as a whole. */
export interface CheckSuiteFact {
  appId: number | null;
  appName: string;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  /** `action_required`: its workflows wait for approval by a person. Absent in facts of an older Baton. */
  conclusion?: string | null;
  /** 0: GitHub opened the suite, and it may stay empty. */
  checkRuns: number;
}

export interface RequiredCheckFact {
  name: string;
  /** null: any App may report it. */
  appId: number | null;
}

export interface FileFact {
  path: string;
  /** null for binary files. */
  added: number | null;
  removed: number | null;
}

export interface GateFacts {
  /** The commit to judge. */
  sha: string;
  /** When the gate was requested: milliseconds since the epoch. */
  since: number;
  checks?: CheckFact[];
  required?: RequiredCheckFact[];
  suites?: CheckSuiteFact[];
  /** Baton's own App, whose checks do not count as evidence. */
  ownAppId?: number;
  /** The changes of the work against its base, as git measured them. */
  files?: FileFact[];
}

/** Facts that a gate may need in addition to `sha` and `since`. */
export type FactName = Exclude<keyof GateFacts, "sha" | "since">;
