/**
 * How long the result of a detector counts for the same files.
 *
 * SU1 A command may read more than the files, such as a list of known vulnerabilities. So its result counts for a day.
 * SU2 GitHub and a model are asked each time.
 */
const dayMs = 86_400_000;

const days: Readonly<Record<string, number>> = {
  pattern: 30,
  // The age of a note changes with the days.
  stale: 1,
  sarif: 1,
  command: 1,
  coverage: 1,
};

/** 0: the detector runs in each sweep. */
export function reuseMsOf({ use, reuse }: { use: string; reuse: boolean }): number {
  return reuse ? (days[use] ?? 0) * dayMs : 0;
}
