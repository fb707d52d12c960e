/**
 * The table of a race, and its verdict for `/baton why`. Names and reasons come from commands and errors, so they are
 * neutralised.
 */
import { formatted, neutraliseLine, type Verdict } from "../../src/index.ts";
import type { Judged, Judgement } from "./judge.ts";

/** Columns for people in addition to the judged measures. */
export interface Shown {
  model: string;
  pullRequest: number | null;
}

const { usd } = formatted;
const cell = (text: string): string => formatted.cell(neutraliseLine(text));

export function raceTable(judgement: Judgement, shown: readonly Shown[]): string {
  const last = Number.MAX_SAFE_INTEGER;
  const rows = judgement.judged
    .map((one, index) => ({ one, of: shown[index] ?? { model: "", pullRequest: null } }))
    .sort((a, b) => (a.one.place ?? last) - (b.one.place ?? last))
    .map(({ one, of }) => row(one, of));
  return [
    "### The race",
    `${judgement.winner === null ? "❌" : green(judgement.winner) ? "🏆" : "⚠️"} ${cell(judgement.sentence)}`,
    ["| | Contestant | Model | CI | Diff | Cost | Why |", "|--:|---|---|---|--:|--:|---|", ...rows].join("\n"),
    ...(judgement.winner === null
      ? [
          "Nothing was pushed. `/baton retry` starts the race again. The status comment lists each agent's leftover work next to its step.",
        ]
      : []),
    "<sub>Judged by CI, then the smaller change, then the lower cost, then the order in which they were named.</sub>",
  ].join("\n\n");
}

function row({ entry, place, reason }: Judged, { model, pullRequest }: Shown): string {
  const { finish } = entry;
  const name = pullRequest === null ? cell(entry.name) : `${cell(entry.name)} (#${pullRequest})`;
  const ci =
    finish.state === "out"
      ? "–"
      : finish.green
        ? "✅ green"
        : `❌ ${finish.failedChecks || "no"} ${finish.failedChecks === 0 ? "proof" : "failed"}`;
  const diff = finish.state === "out" ? "–" : `${finish.lines} line${finish.lines === 1 ? "" : "s"}`;
  const cost = entry.costUsd === null ? "unknown" : usd(entry.costUsd);
  return `| ${place === null ? "out" : place === 1 ? "**1**" : place} | ${name} | ${cell(model) || "–"} | ${ci} | ${diff} | ${cost} | ${cell(reason)} |`;
}

function green({ entry }: Judged): boolean {
  return entry.finish.state === "judged" && entry.finish.green;
}

export function raceVerdict({ judged, winner, sentence }: Judgement): Verdict {
  return {
    name: "race",
    // Somebody won. The winner's own checks have their own verdict below, and Baton repairs them afterwards.
    status: winner === null ? "failed" : "passed",
    reason: sentence,
    evidence: winner?.entry.finish.state === "judged" ? [{ label: "head", value: winner.entry.finish.sha }] : [],
    children: judged.map(({ entry, place, reason }) => ({
      name: entry.name,
      status:
        place === 1 ? (winner !== null && green(winner) ? "passed" : "failed") : place === null ? "error" : "skipped",
      reason: `${place === null ? "out" : `place ${place}`}: ${reason}`,
      evidence: [
        ...(entry.finish.state === "judged"
          ? [
              { label: "CI", value: entry.finish.green ? "green" : "red" },
              { label: "lines changed", value: `${entry.finish.lines}` },
            ]
          : []),
        { label: "cost", value: entry.costUsd === null ? "unknown" : usd(entry.costUsd) },
      ],
      children: [],
    })),
  };
}
