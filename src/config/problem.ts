/** A problem of `baton.yaml`, at its place. */
export interface ConfigProblem {
  line: number;
  column: number;
  /** `budget.runUsd`. Empty: the whole file. */
  path: string;
  message: string;
  /** A guess of the intended key or value. */
  suggestion: string | null;
  severity: "error" | "warning";
}

export type ConfigPath = readonly (string | number)[];
