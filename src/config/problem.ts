/** A problem of `baton.yaml`, at its place. */
export interface ConfigProblem {
  line: number;
  column: number;
  /** `budget.runUsd`; empty for the file. */
  path: string;
  message: string;
  /** What was probably meant: a key or a value. */
  suggestion: string | null;
  severity: "error" | "warning";
}

export type ConfigPath = readonly (string | number)[];
