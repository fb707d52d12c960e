/** Figures as a table for people. Pure. */
import type { Outcome } from "./figure.ts";

const columns = ["figure", "value", "target", "", "baseline of the same run"] as const;

export function table({ figures, skipped }: Outcome): string {
  const rows = figures.map(({ name, unit, value, target, atLeast, ok, baseline }) => [
    name,
    quantity(value, unit),
    target === null ? "–" : `${atLeast === true ? "≥" : "≤"} ${quantity(target, unit)}`,
    target === null ? "told" : ok ? "pass" : "MISSED",
    baseline === undefined ? "" : `${baseline.name}: ${quantity(baseline.value, unit)} (${baseline.ratio}×)`,
  ]);
  const widths = columns.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? "")].map(({ length }) => length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(columns), ...rows.map(line), ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`)].join(
    "\n",
  );
}

export function detail({ figures }: Outcome): string {
  return figures
    .filter(({ samples }) => samples !== undefined)
    .map(
      ({ name, samples = {} }) =>
        `${name}: ${Object.entries(samples)
          .map(([key, value]) => `${key} ${value.toLocaleString("en")}`)
          .join(", ")}`,
    )
    .join("\n");
}

function quantity(value: number, unit: "ms" | "count" | "ratio"): string {
  const text = value.toLocaleString("en");
  return unit === "ms" ? `${text} ms` : text;
}
