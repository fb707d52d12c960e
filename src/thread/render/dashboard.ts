/** The dashboard issue of a repository: its schedules with their times, results and costs, and its sweeps. */
import { shortRunId } from "../../core/vocabulary.ts";
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
  /** null: never, or somebody paused it. */
  next: number | null;
  /** The person who paused it. null: nobody. */
  pausedBy: string | null;
  /** Why its last occurrence did not start. null: it started, or there was none. */
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
  /** Proposals that wait for people's decision. */
  open: number;
  openMax: number;
  /** null: the day has no budget of its own. */
  leftTodayUsd: number | null;
  /** The first of the findings that a sweep could propose. */
  findings: readonly {
    fingerprint: string;
    rule: string;
    place: string;
    message: string;
    /** The person who ticked it for a proposal. null: nobody. */
    wanted: string | null;
  }[];
  /** The number of further findings. */
  more: number;
  /** Problems of detectors. */
  notes: readonly string[];
}

export interface Dashboard {
  schedules: readonly DashboardSchedule[];
  /** null: `baton.yaml` names no detector. */
  sweeps?: DashboardSweeps | null;
  /** A problem that stops all schedules. null: none. */
  problem: string | null;
  /** A problem that will stop schedules soon. null: none. */
  notice: string | null;
  spentThisMonthUsd: number;
}

const introduction =
  "Baton keeps this issue up to date. Runs that start by the clock report here. Other changes of this text are overwritten.";

/** The text until Baton first reads the schedules. */
export const newDashboard = `${introduction}\n\nBaton reads \`baton.yaml\` and shows its schedules here.`;

export const dashboardTitle = "Baton dashboard";

/** In characters: GitHub's limit, less the room for marker and redaction. */
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

/** The same contents as lines, for a reply or a terminal. */
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
  return `${showLocal(last.at, timeZone)}: ${last.status}, ${usd(last.spentUsd)}, \`${shortRunId(last.runId)}\``;
}
