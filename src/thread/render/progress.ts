/** How far a run is, in words: the same for comment, check run and command line. */
import type { Progress } from "../../core/progress.ts";
import { runsNeeded } from "../../core/progress.ts";
import { duration, timeOfDay } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";

/** `now`: tells how old the last sign of life is. null if shown text may not change with time alone. */
export function progressLine(progress: Progress, now: number | null): string {
  const { percent, step } = progress;
  const bar = "█".repeat(Math.floor(percent / 10)).padEnd(10, "░");
  const where = step === null ? "" : ` · step ${step.number} of ${step.of}: ${neutraliseLine(step.title)}`;
  return [
    `\`${bar}\` ${percent} %${where}${said(estimate(progress))}${said(growth(progress))}`,
    activityLine(progress, now),
  ]
    .filter((line) => line !== "")
    .join("\n");
}

/** Without Markdown. */
export function progressText(progress: Progress, now: number): string {
  const { percent, step } = progress;
  const where = step === null ? "" : `, step ${step.number} of ${step.of}: ${step.title}`;
  const life = activityLine(progress, now);
  return `${percent} %${where}${said(estimate(progress))}${said(growth(progress))}${life === "" ? "" : `\n${life}`}`;
}

function estimate({ step, left, overdue, runs, by }: Progress): string {
  if (step === null) return "";
  if (left === null) return runs === 0 ? "" : `an estimate needs ${runsNeeded} earlier runs (${runs} so far)`;
  const agents = by === null ? "" : by.agents.map(neutraliseLine).join(" and ");
  const whose =
    by === null
      ? `${runs} earlier runs`
      : by.runs === runs
        ? `${runs} earlier runs with ${agents}`
        : `${runs} earlier runs, ${by.runs} of them with ${agents}`;
  if (overdue) return `this stage takes longer than in any of ${whose}`;
  return `about ${rangeOf(duration(left.lowMs), duration(left.highMs))} left, based on ${whose}, without time waiting for people`;
}

/** "4–9 min", "50 s – 2 min". */
function rangeOf(low: string, high: string): string {
  if (low === high) return high;
  const [amount, unit, ...more] = low.split(" ");
  return more.length === 0 && unit !== undefined && high.split(" ").length === 2 && high.endsWith(` ${unit}`)
    ? `${amount}–${high}`
    : `${low} – ${high}`;
}

function growth({ grown }: Progress): string {
  return grown === 0 ? "" : `the plan grew by ${grown} step${grown === 1 ? "" : "s"}`;
}

function activityLine({ activity }: Progress, now: number | null): string {
  if (activity === null) return "";
  const turns = activity.turns === null || activity.turns === 0 ? "" : ` · turn ${activity.turns}`;
  const when = now === null ? `at ${timeOfDay(activity.at)} UTC` : `${duration(Math.max(0, now - activity.at))} ago`;
  return `Last activity ${when}: ${neutraliseLine(activity.note)}${turns}`;
}

function said(words: string): string {
  return words === "" ? "" : ` · ${words}`;
}
