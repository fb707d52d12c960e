/**
 * Reports from a job to the platform: outputs, summary, annotations, exit code. Pure except for the writing of the
 * files.
 */
import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import type { RunState } from "../core/state.ts";
import { shortRunId } from "../core/vocabulary.ts";
import { plural } from "../text/format.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { headline, pullRequestOf } from "../thread/render/headline.ts";
import { budgetLine, costTable, folded } from "../thread/render/parts.ts";
import { workTable } from "../thread/render/stage-table.ts";

/**
 * `waiting`: for people, CI or time; a later event continues. `elsewhere`: another job drives the thread.
 * `refused`: policy, permission or configuration rejected a request.
 */
export type JobVerdict =
  | "passed"
  | "failed"
  | "cancelled"
  | "skipped"
  | "waiting"
  | "refused"
  | "elsewhere"
  | "handed-over"
  | "nothing";

export interface JobReport {
  verdict: JobVerdict;
  /** One sentence for people. */
  reason: string;
  run: RunState | null;
  repositoryUrl: string;
  thread: number | null;
  /** For a job that only reads: whether the next one starts. */
  start?: boolean | undefined;
  /** For a job that only reads: false if the next one needs no agent. */
  agent?: boolean | undefined;
  /** The name under which a later step keeps the package caches. */
  cacheKey?: string | undefined;
  /** Its own check run, if the runner reports it. */
  check?: number | undefined;
  /** Writes that GitHub denied to the job's token, in GitHub's words. */
  denied?: readonly string[];
  /** Effects of the process that this job began, checked or ended. If none moved, one for each thread. */
  steps: number;
  /** All pushes below `refs/baton`: state, and kept work of agents. */
  statePushes: number;
  apiCalls: { reads: number; unchanged: number; writes: number };
}

/** Honest: a skipped, denied, cancelled or failed result is never green. */
const exitCodes: Record<JobVerdict, 0 | 1> = {
  passed: 0,
  waiting: 0,
  elsewhere: 0,
  "handed-over": 0,
  nothing: 0,
  failed: 1,
  cancelled: 1,
  skipped: 1,
  refused: 1,
};

export function exitCodeOf({ verdict }: JobReport): 0 | 1 {
  return exitCodes[verdict];
}

/** A finished run has its own verdict; any other run waits. */
export function verdictOf(run: RunState): { verdict: JobVerdict; reason: string } {
  if (run.outcome === null) {
    const waits = [...run.open].map((key) => run.effects.get(key)?.title ?? key);
    return {
      verdict: "waiting",
      reason: waits.length === 0 ? "The run is paused." : `The run waits for: ${waits.join(", ")}.`,
    };
  }
  const { verdict } = run.outcome;
  if (run.status === "cancelled") return { verdict: "cancelled", reason: verdict.reason };
  if (run.status === "failed") return { verdict: "failed", reason: verdict.reason };
  switch (verdict.status) {
    case "passed":
      return { verdict: "passed", reason: verdict.reason };
    case "skipped":
      return { verdict: "skipped", reason: verdict.reason };
    case "failed":
    case "pending":
    case "error":
      return { verdict: "failed", reason: verdict.reason };
  }
}

export function outputsOf({ run, verdict, start, agent = true, check, cacheKey }: JobReport): Record<string, string> {
  return {
    "run-id": run?.runId ?? "",
    verdict,
    "pull-request": `${run === null ? "" : (pullRequestOf(run) ?? "")}`,
    "cost-usd": run === null ? "0" : run.money.spentUsd.toFixed(4),
    "cache-key": cacheKey ?? "",
    ...(start === undefined ? {} : { start: `${start}`, agent: `${start && agent}`, check: `${check ?? ""}` }),
  };
}

const marks: Record<JobVerdict, string> = {
  passed: "✅",
  waiting: "⏳",
  nothing: "➖",
  elsewhere: "↪️",
  "handed-over": "🔁",
  cancelled: "⏹️",
  skipped: "⏭️",
  refused: "🚫",
  failed: "❌",
};

/** The result and its links, then the work and its cost. Information for operators comes last. */
export function summaryOf(report: JobReport): string {
  const { run, verdict } = report;
  const blocks = [`## ${marks[verdict]} Baton: ${verdict}`, sentenceOf(report)];
  if (report.denied !== undefined) blocks.push(`⚠️ ${neutraliseLine(deniedOf(report.denied))}`);
  const links = linksOf(report);
  if (links.length > 0) blocks.push(links.join(" · "));
  if (run !== null) {
    blocks.push(workTable(run), budgetLine(run));
    if (run.money.spentUsd > 0) blocks.push(folded("Cost by step", costTable(run)));
  }
  blocks.push(`<sub>This job: ${workOf(report)}</sub>`);
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** The exact reason for a run's wait is better than the general sentence. */
function sentenceOf({ run, verdict, reason }: JobReport): string {
  if (run === null || verdict !== "waiting") return neutraliseLine(reason);
  const { icon, sentence } = headline(run);
  return `${icon} ${sentence}\n\nWaiting needs no runner: a later event goes on.`;
}

function deniedOf(denied: readonly string[]): string {
  return `GitHub refused what the job wanted to write; see \`permissions\` of its workflow. ${denied.join(". ")}.`;
}

function linksOf({ run, repositoryUrl, thread }: JobReport): string[] {
  const pull = run === null ? null : pullRequestOf(run);
  return [
    ...(pull === null ? [] : [`[Pull request #${pull}](${repositoryUrl}/pull/${pull})`]),
    ...(thread === null || thread === pull ? [] : [`[Thread #${thread}](${repositoryUrl}/issues/${thread})`]),
    ...(run === null ? [] : [`run \`${shortRunId(run.runId)}\` (\`${neutraliseLine(run.process.name)}\`)`]),
  ];
}

/** The cost of a job for the repository, for its summary and its log. */
function workOf({ steps, statePushes, apiCalls: { reads, unchanged, writes } }: JobReport): string {
  const kinds =
    reads + writes === 0
      ? ""
      : ` (${plural(reads, "read")}, ${unchanged} of them unchanged; ${plural(writes, "write")})`;
  return `${plural(steps, "step")}, ${plural(statePushes, "state push", "state pushes")}, ${plural(reads + writes, "API call")}${kinds}`;
}

/** Workflow commands for the log: GitHub shows them next to the run. */
export function annotationsOf({ verdict, reason, denied }: JobReport): string[] {
  const level =
    exitCodes[verdict] === 1 ? "error" : verdict === "passed" || verdict === "handed-over" ? "notice" : null;
  return [
    ...(level === null ? [] : [`::${level} title=Baton: ${verdict}::${escapeData(reason)}`]),
    ...(denied === undefined ? [] : [`::warning title=Baton: permissions::${escapeData(deniedOf(denied))}`]),
  ];
}

export async function writeReport(
  report: JobReport,
  files: { summaryPath: string | null; outputPath: string | null },
  redact: (text: string) => string,
): Promise<void> {
  if (files.outputPath !== null) {
    const lines = Object.entries(outputsOf(report)).map(([name, value]) => output(name, redact(value)));
    await appendFile(files.outputPath, lines.join(""));
  }
  if (files.summaryPath !== null) await appendFile(files.summaryPath, redact(summaryOf(report)));
}

/** A value of several lines cannot begin its own output: its end marker is an unguessable word. */
export function output(name: string, value: string): string {
  const end = `end-${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

/** Text in a workflow command ends at a line break unless it is escaped. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
