/** The dashboard issue of a repository: its schedules, when they run, what came of them, what they cost; its sweeps. */
import { showLocal } from "../../core/zone.ts";
import { cut } from "../../text/cut.ts";
import { cell, usd } from "../../text/format.ts";
import { neutraliseLine, neutraliseLineWithin } from "../../text/neutralise.ts";
import { renderBox } from "../dashboard-ticks.ts";

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

export interface DashboardSweeps {
  detectors: readonly { name: string; rate: number; reason: string }[];
  /** Proposals that people have not decided. */
  open: number;
  openMax: number;
  /** null: the day has no budget of its own. */
  leftTodayUsd: number | null;
  /** The first of those that could be proposed. */
  findings: readonly {
    fingerprint: string;
    rule: string;
    place: string;
    message: string;
    /** Who ticked it to be proposed; null: nobody. */
    wanted: string | null;
  }[];
  /** Further ones. */
  more: number;
  /** What detectors could not do. */
  notes: readonly string[];
}

export interface Dashboard {
  schedules: readonly DashboardSchedule[];
  /** null: `baton.yaml` names no detector. */
  sweeps?: DashboardSweeps | null;
  /** What hinders all of them; null: nothing. */
  problem: string | null;
  /** What will hinder them soon; null: nothing. */
  notice: string | null;
  spentThisMonthUsd: number;
}

const introduction =
  "Baton keeps this issue up to date. Runs that start by the clock report here. Other changes of this text are overwritten.";

/** Until the first look at the schedules. */
export const newDashboard = `${introduction}\n\nBaton reads \`baton.yaml\` and shows its schedules here.`;

export const dashboardTitle = "Baton dashboard";

/** Characters: GitHub's limit, less what marker and redaction need. */
const charactersMax = 60_000;

export function renderDashboard({ schedules, sweeps, problem, notice, spentThisMonthUsd }: Dashboard): string {
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
  if (sweeps != null) parts.push(...sweepParts(sweeps));
  parts.push(`Spent by Baton in this repository this month: ${usd(spentThisMonthUsd)}.`);
  parts.push(
    "<sub>`/baton schedule list` · `/baton schedule run NAME` · `/baton schedule pause NAME` · `/baton schedule resume NAME`</sub>",
  );
  return cut(parts.join("\n\n"), charactersMax);
}

function sweepParts({ detectors, open, openMax, leftTodayUsd, findings, more, notes }: DashboardSweeps): string[] {
  const left = leftTodayUsd === null ? "" : ` Left of today's budget: ${usd(leftTodayUsd)}.`;
  const parts = ["## Sweeps", `${open} of ${openMax} pull requests are open.${left}`];
  parts.push(detectors.map(({ reason }) => `- ${neutraliseLine(reason)}`).join("\n"));
  const slow = detectors.filter(({ rate }) => rate < 1);
  if (slow.length > 0)
    parts.push(
      slow
        .map(({ name }) =>
          renderBox({ action: "resume", id: name }, `Resume \`${name}\`: earlier decisions count no more`),
        )
        .join("\n"),
    );
  if (notes.length > 0)
    parts.push(
      ["**Needs attention**", ...notes.slice(0, 20).map((one) => `- ${neutraliseLineWithin(one, 500)}`)].join("\n"),
    );
  if (findings.length === 0) return parts;
  parts.push(
    "## Findings",
    "Tick a box to propose a change now, or to never propose one. It counts with the permission for `/baton run`.",
    findings
      .flatMap(({ fingerprint, rule, place, message, wanted }) => [
        `- **${neutraliseLineWithin(rule, 120)}** ${place === "" ? "" : `\`${place.replaceAll("`", "'").slice(0, 200)}\` `}${neutraliseLineWithin(message, 300)}${wanted === null ? "" : ` (${neutraliseLine(wanted)} asked for it)`}`,
        `  ${renderBox({ action: "propose", id: fingerprint }, "Propose a change")}`,
        `  ${renderBox({ action: "ignore", id: fingerprint }, "Ignore it")}`,
      ])
      .join("\n"),
  );
  if (more > 0) parts.push(`${more} further ${more === 1 ? "finding is" : "findings are"} not shown.`);
  return parts;
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
