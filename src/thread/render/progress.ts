/** How far a run is, in words: the same for comment, check run and command line. */
import type { Progress } from "../../core/progress.ts";
import { runsNeeded } from "../../core/progress.ts";
import { duration } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";

/** `now`: tells how old the last sign of life is; null where nothing that is shown may tick by itself. */
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
  if (left === null)
    return runs === 0 ? "no history yet" : `no history yet (${runs} of the ${runsNeeded} runs that it takes)`;
  const agents = by === null ? "" : by.agents.map(neutraliseLine).join(" and ");
  const whose =
    by === null
      ? `${runs} earlier runs`
      : by.runs === runs
        ? `${runs} earlier runs with ${agents}`
        : `${runs} earlier runs, ${by.runs} of them with ${agents}`;
  const basis = `by ${whose}, without people's time`;
  if (overdue) return `this stage takes longer than in any of ${whose}`;
  const [low, high] = [duration(left.lowMs), duration(left.highMs)];
  return low === high ? `about ${high} of work left (${basis})` : `about ${low} to ${high} of work left (${basis})`;
}

function growth({ grown }: Progress): string {
  return grown === 0 ? "" : `the plan grew by ${grown} step${grown === 1 ? "" : "s"}`;
}

function activityLine({ activity }: Progress, now: number | null): string {
  if (activity === null) return "";
  const turns = activity.turns === null || activity.turns === 0 ? "" : ` · turn ${activity.turns}`;
  const when = now === null ? `at ${clock(activity.at)} UTC` : `${duration(Math.max(0, now - activity.at))} ago`;
  return `Last sign of life ${when}: ${neutraliseLine(activity.note)}${turns}`;
}

function said(words: string): string {
  return words === "" ? "" : ` · ${words}`;
}

/** Time of day; the pure folders know no clock, and this needs none. */
function clock(at: number): string {
  const seconds = Math.floor(at / 1_000) % 86_400;
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
