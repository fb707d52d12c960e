import { fold } from "../../core/fold.ts";
import { type Comparison, compareRuns } from "../../summary/compare.ts";
import { duration, usd } from "../../text/format.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table } from "../text.ts";

export const runDiff: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("diff <run> <other>")
    .description("Compare two runs: inputs, the first step that differs, outcomes, cost.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (one: string, other: string, { git, json }: { git?: string; json?: true }) => {
      const compared = await readRuns(context, git, async (runs) =>
        compareRuns(fold(await runs.events(one)), fold(await runs.events(other))),
      );
      context.print(json === true ? JSON.stringify(compared, null, 2) : text(compared));
    });
};

function text({ one, other, inputs, sameSettings, firstDifference }: Comparison): string {
  const row = (label: string, value: (side: Comparison["one"]) => string): string[] => [
    label,
    value(one),
    value(other),
  ];
  const lines = inputs.map((field) => `input ${field.field}: ${field.one ?? "absent"} → ${field.other ?? "absent"}`);
  const found = firstDifference;
  return [
    table([
      ["", "ONE", "OTHER"],
      row("run", ({ runId }) => runId),
      row("process", ({ process }) => process),
      row("status", ({ status }) => status),
      row("cost", ({ spentUsd }) => usd(spentUsd)),
      row("took", ({ tookMs }) => duration(tookMs)),
      row("steps", ({ steps }) => `${steps}`),
      row("attempts", ({ attempts }) => `${attempts}`),
    ]),
    "",
    ...(lines.length === 0 ? ["The inputs are equal."] : lines),
    sameSettings ? "The settings are equal." : "The settings differ.",
    found === null
      ? "All steps are equal."
      : `The first difference is step ${found.index + 1}, ${found.key} (${found.what}): ${found.one ?? "absent"} → ${found.other ?? "absent"}`,
    ...[one, other].flatMap(({ runId, verdict }) =>
      verdict === null ? [] : [`${runId}: ${verdict.status}: ${verdict.reason}`],
    ),
  ].join("\n");
}
