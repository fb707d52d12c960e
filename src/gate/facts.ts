/**
 * What gates judge, gathered by the shell as `needs` tells. The shapes are those of `ports/github.ts` without importing it:
 * pure folders know no ports. `test/gate-facts.test.ts` holds the two together.
 */

/** A check run or a commit status, in one shape. */
export interface CheckFact {
  name: string;
  source: "check-run" | "status";
  /** GitHub App that reported it; null for statuses without one. */
  appId: number | null;
  /** Of one push or event and App; null for statuses, and in facts of an older Baton. */
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
  /** Which attempt of its workflow run it belongs to; null: that could not be read; absent: it has none, or its name is its own. */
  attempt?: number | null;
  summary: string;
}

/** What an App reports for one push, as a whole. */
export interface CheckSuiteFact {
  appId: number | null;
  appName: string;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  /** `action_required`: its workflows wait for a person to approve them. Absent in facts of an older Baton. */
  conclusion?: string | null;
  /** 0: opened by GitHub, and perhaps never filled. */
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
  /** The commit that is judged. */
  sha: string;
  /** When the gate was asked for: milliseconds since the epoch. */
  since: number;
  checks?: CheckFact[];
  required?: RequiredCheckFact[];
  suites?: CheckSuiteFact[];
  /** Baton's own App, whose checks are no evidence. */
  ownAppId?: number;
  /** What the work changes against its base, as git measured it. */
  files?: FileFact[];
}

/** Facts that a gate may ask for beside `sha` and `since`. */
export type FactName = Exclude<keyof GateFacts, "sha" | "since">;
