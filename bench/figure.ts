/**
 * The result of a benchmark: figures by name, each with its target.
 *
 * A target is a bound from the project's own requirements. A figure without a target is only shown, never judged.
 * A figure that could not be measured is `skipped` with its reason: never a pass.
 */

export interface Figure {
  name: string;
  unit: "ms" | "count" | "ratio";
  value: number;
  /** The most that the value may be, or the least with `atLeast`. null: only shown. */
  target: number | null;
  atLeast?: true;
  ok: boolean;
  /** The parts of the value: single repeats, sizes, percentiles. */
  samples?: Record<string, number>;
  /**
   * The same work by the obvious means, in the same run on the same machine. `ratio`: baseline divided by Baton's value.
   * Above 1, Baton is faster.
   */
  baseline?: { name: string; value: number; ratio: number };
}

export interface Skipped {
  name: string;
  reason: string;
}

export interface Outcome {
  figures: Figure[];
  skipped: Skipped[];
}

export interface BenchContext {
  /** Few and small repeats: they show that the benchmark works, and say little about speed. */
  quick: boolean;
  /** A server that allows new databases. null: PostgreSQL is skipped. */
  postgresUrl: string | null;
  /** The reason why this machine is too busy to measure times. null: it is quiet. */
  busy: string | null;
  /** An empty directory of this benchmark, removed after it. */
  directory: string;
  /** A line of progress for people. */
  say(text: string): void;
}

export interface Bench {
  /** The name for `--only`. */
  name: string;
  summary: string;
  /** All its figures. */
  figures: readonly string[];
  /** It measures a PostgreSQL server where there is one, and refuses one that is not durable. */
  usesPostgres?: true;
  run(context: BenchContext): Promise<Outcome>;
}

export function figure(options: Omit<Figure, "ok" | "value"> & { value: number }): Figure {
  const value = rounded(options.value);
  return { ...options, value, ok: isMet(value, options) };
}

export function isMet(value: number, { target, atLeast }: Pick<Figure, "target" | "atLeast">): boolean {
  return target === null || (atLeast === true ? value >= target : value <= target);
}

export function against(name: string, baseline: number, ours: number): { name: string; value: number; ratio: number } {
  return { name, value: rounded(baseline), ratio: rounded(baseline / ours) };
}

/** Nearest rank: a value that really occurred. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export function spread(values: readonly number[]): Record<string, number> {
  return {
    min: rounded(Math.min(...values)),
    p50: rounded(percentile(values, 0.5)),
    max: rounded(Math.max(...values)),
    count: values.length,
  };
}

export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
}
