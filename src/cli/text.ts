/** Text for terminals. */
import type { RunSummary } from "../library.ts";

/** Columns as wide as they need. The last column gets no padding. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function threadOf({ thread: { repository, number } }: Pick<RunSummary, "thread">): string {
  return `${repository.owner}/${repository.name}#${number}`;
}
