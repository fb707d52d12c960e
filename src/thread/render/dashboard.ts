/** The dashboard issue of a repository: its schedules, when they run, what came of them, what they cost. */
import { showLocal } from "../../core/zone.ts";
import { cut } from "../../text/cut.ts";
import { cell, usd } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";

export interface DashboardSchedule {
  name: string;
  process: string;
  cron: string;
  timeZone: string;
  /** null: never, or it is paused. */
  next: number | null;
  /** Who paused it; null: nobody. */
  pausedBy: string | null;
  /** Why its last time did not start; null: it did, or there was none. */
  problem: string | null;
  last: DashboardRun | null;
}

export interface DashboardRun {
  at: number;
  runId: string;
  status: string;
  spentUsd: number;
}

export interface Dashboard {
  schedules: readonly DashboardSchedule[];
  /** What hinders all of them; null: nothing. */
  problem: string | null;
  /** What will hinder them soon; null: nothing. */
  notice: string | null;
  spentThisMonthUsd: number;
}

const introduction =
  "Baton keeps this issue up to date. Runs that start by the clock report here. Changes of this text are overwritten.";

/** Until the first look at the schedules. */
export const newDashboard = `${introduction}\n\nBaton reads \`baton.yaml\` and shows its schedules here.`;

export const dashboardTitle = "Baton dashboard";

/** Characters: GitHub's limit, less what marker and redaction need. */
const charactersMax = 60_000;

export function renderDashboard({ schedules, problem, notice, spentThisMonthUsd }: Dashboard): string {
  const parts = [introduction];
  if (problem !== null) parts.push(`⚠️ **No schedule runs.** ${neutraliseLine(problem)}`);
  if (notice !== null) parts.push(`⚠️ ${neutraliseLine(notice)}`);
  parts.push("## Schedules");
  if (schedules.length === 0) parts.push("`baton.yaml` has none.");
  else
    parts.push(
      [
        "| Schedule | When | Next | Last |",
        "| --- | --- | --- | --- |",
        ...schedules.map((one) => `| ${[nameOf(one), whenOf(one), nextOf(one), lastOf(one)].map(cell).join(" | ")} |`),
      ].join("\n"),
    );
  const halted = schedules.filter((one) => one.problem !== null);
  if (halted.length > 0)
    parts.push(
      [
        "**Needs attention**",
        ...halted.map(({ name, problem: why }) => `- \`${name}\`: ${neutraliseLine(why ?? "")}`),
      ].join("\n"),
    );
  parts.push(`Spent by Baton in this repository this month: ${usd(spentThisMonthUsd)}.`);
  parts.push(
    "<sub>`/baton schedule list` · `/baton schedule run NAME` · `/baton schedule pause NAME` · `/baton schedule resume NAME`</sub>",
  );
  return cut(parts.join("\n\n"), charactersMax);
}

/** The same as lines, for a reply or a terminal. */
export function scheduleLines(schedules: readonly DashboardSchedule[]): string {
  return schedules
    .map((one) => {
      const attention = one.problem === null ? "" : ` ${neutraliseLine(one.problem)}`;
      return `- ${nameOf(one)}: ${whenOf(one)}. Next: ${nextOf(one)}. Last: ${lastOf(one)}.${attention}`;
    })
    .join("\n");
}

function nameOf({ name, process }: DashboardSchedule): string {
  return `\`${name}\` (\`${neutraliseLine(process)}\`)`;
}

function whenOf({ cron, timeZone }: DashboardSchedule): string {
  return `\`${cron}\` ${timeZone}`;
}

function nextOf({ next, pausedBy, timeZone }: DashboardSchedule): string {
  if (pausedBy !== null) return `paused by ${neutraliseLine(pausedBy)}`;
  return next === null ? "never" : `${showLocal(next, timeZone)} (${timeZone})`;
}

function lastOf({ last, problem, timeZone }: DashboardSchedule): string {
  if (last === null) return problem === null ? "none yet" : "did not start";
  return `${showLocal(last.at, timeZone)}: ${last.status}, ${usd(last.spentUsd)}, \`${last.runId}\``;
}
