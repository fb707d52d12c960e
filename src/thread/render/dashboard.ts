/**
 * The dashboard issue of a repository: its runs, its schedules with their times, results and costs, and its sweeps.
 *
 * DI1 The text never exceeds GitHub's limit. Findings go first, because the next sweep shows them again.
 */
import { type Priority, priorities, rankOf } from "../../core/priority.ts";
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

/** An active run. */
export interface DashboardWork {
  /** Number of its thread. */
  number: number;
  /** null: another job of Actions drives it, and this one sees only its thread. */
  run: {
    runId: string;
    process: string;
    /** Login of who asked for it. */
    by: string;
    priority: Priority;
    deadline: number | null;
    /** True: only people can move it. */
    needsPeople: boolean;
    /** Its step, and why it waits. */
    now: readonly string[];
    since: number;
  } | null;
}

export interface Dashboard {
  work: readonly DashboardWork[];
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
  "Baton keeps this issue up to date. Runs without a thread of their own report here. Other changes of this text are overwritten.";

/** The text until Baton first reads the schedules. */
export const newDashboard = `${introduction}\n\nBaton reads \`baton.yaml\` and shows its schedules here.`;

export const dashboardTitle = "Baton dashboard";

/** In characters: GitHub's limit, less the room for marker and redaction. */
const charactersMax = 60_000;
/** Runs in one section. */
const workMax = 20;

export function renderDashboard(dashboard: Dashboard): string {
  const all = dashboard.sweeps?.findings.length ?? 0;
  // DI1
  for (const shown of [all, 10, 5, 0]) {
    const text = textOf(dashboard, Math.min(shown, all));
    if (text.length <= charactersMax || shown === 0) return cut(text, charactersMax);
  }
  return "";
}

function textOf(
  { work, schedules, sweeps, problem, notice, spentThisMonthUsd }: Dashboard,
  findingsMax: number,
): string {
  const parts = [introduction];
  if (problem !== null) parts.push(`⚠️ **No schedule runs.** ${neutraliseLine(problem)}`);
  if (notice !== null) parts.push(`⚠️ ${neutraliseLine(notice)}`);
  const isWaiting = ({ run }: DashboardWork): boolean => run?.needsPeople === true;
  parts.push("## Waiting for people", workLines(work.filter(isWaiting), "Nothing waits for people."));
  parts.push(
    "## Running",
    workLines(
      work.filter((one) => !isWaiting(one)),
      "Nothing runs.",
    ),
  );
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
        ...halted.map(({ name, problem: why }) => `- \`${name}\`: ${neutraliseLineWithin(why ?? "", 250)}`),
      ].join("\n"),
    );
  if (sweeps != null) parts.push(...sweepParts(sweeps, findingsMax));
  parts.push("## Spent this month", `Baton spent ${usd(spentThisMonthUsd)} in this repository this month.`);
  parts.push(
    "<sub>`/baton schedule list` · `/baton schedule run NAME` · `/baton schedule pause NAME` · `/baton schedule resume NAME`</sub>",
  );
  return parts.join("\n\n");
}

/** In the order of priority, oldest first. */
function workLines(work: readonly DashboardWork[], none: string): string {
  if (work.length === 0) return none;
  const rank = ({ run }: DashboardWork): number => (run === null ? priorities.length : rankOf(run.priority));
  const sorted = work.toSorted((a, b) => rank(a) - rank(b) || (a.run?.since ?? 0) - (b.run?.since ?? 0));
  const more = sorted.length - workMax;
  return [
    ...sorted.slice(0, workMax).map(workLine),
    ...(more > 0 ? [`- ${more} further ${more === 1 ? "run is" : "runs are"} not shown.`] : []),
  ].join("\n");
}

function workLine({ number, run }: DashboardWork): string {
  if (run === null) return `- #${number}: a run is active. Its status comment has the details.`;
  const { process, by, priority, deadline, now, since } = run;
  const rush = priority === "normal" ? "" : `, priority ${priority}`;
  const until = deadline === null ? "" : `, due ${showLocal(deadline, "UTC")} (UTC)`;
  const says = now.map((one) => neutraliseLineWithin(one, 200)).join(" ");
  return `- #${number} \`${neutraliseLine(process)}\`, asked by ${neutraliseLine(`@${by}`)} at ${showLocal(since, "UTC")} (UTC)${rush}${until}. ${says}`.trimEnd();
}

function sweepParts(
  { detectors, open, openMax, leftTodayUsd, findings: all, more: notGiven, notes }: DashboardSweeps,
  findingsMax: number,
): string[] {
  const findings = all.slice(0, findingsMax);
  const more = notGiven + all.length - findings.length;
  const left = leftTodayUsd === null ? "" : ` Sweeps may still spend ${usd(leftTodayUsd)} today.`;
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
      ["**Needs attention**", ...notes.slice(0, 20).map((one) => `- ${neutraliseLineWithin(one, 300)}`)].join("\n"),
    );
  if (all.length === 0) return parts;
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
