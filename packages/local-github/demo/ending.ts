/**
 * How the demo ended. Pure.
 *
 * DE1 The verdict is `passed` if and only if the story ended as it should, and the exit code is 0 only then.
 */
import type { Verdict } from "../../../src/core/vocabulary.ts";

type VerdictStatus = Verdict["status"];

/** As shells count: 128 and the signal's number. */
export const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type Interruption = keyof typeof signalCodes;

export interface Ended {
  /** The run's verdict. null: the run has none. */
  run: VerdictStatus | null;
  /** Why the story did not end as it should, although its run passed. null: it did. */
  missing: string | null;
  /** The demo itself failed. */
  failed: boolean;
  /** Before the story had ended. */
  interruption: Interruption | null;
}

export function endingOf({ run, missing, failed, interruption }: Ended): {
  verdict: VerdictStatus | null;
  exitCode: number;
} {
  if (interruption !== null) return { verdict: null, exitCode: signalCodes[interruption] };
  if (failed || run === null) return { verdict: run === null ? null : "failed", exitCode: 1 };
  if (run === "passed" && missing === null) return { verdict: "passed", exitCode: 0 };
  return { verdict: run === "passed" ? "failed" : run, exitCode: 1 };
}
