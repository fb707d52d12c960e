/**
 * Parts that the status comment, the final comment and the check run share. Baton computes facts here, and never reads them
 * from an agent's text.
 */
import type { AgentOutput } from "../../core/effect.ts";
import type { EffectPart, EffectState, RunState } from "../../core/state.ts";
import { stepVerdict } from "../../core/step-verdict.ts";
import { addTokens, type Verdict } from "../../core/vocabulary.ts";
import { selfReportingOf } from "../../money/self-reporting.ts";
import { type WaitingFor, waitingFor } from "../../summary/waiting.ts";
import { cell, count, duration, oneLine, timeOfDay, totalTokens, usd } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { sandboxNote } from "./sandbox.ts";

type Child = Extract<EffectState, { kind: "subprocess" }>;

const icons = { passed: "✅", failed: "❌", pending: "⏳", skipped: "⏹️", error: "⚠️" } as const;

export function headline(state: RunState): { icon: string; sentence: string } {
  if (state.outcome !== null) {
    if (state.status === "cancelled")
      return { icon: icons.skipped, sentence: `**Cancelled.** ${neutraliseLine(state.outcome.verdict.reason)}` };
    const words = {
      passed: "Done",
      failed: "Not done",
      error: "Stopped",
      skipped: "Skipped",
      pending: "Unfinished",
    } as const;
    return {
      icon: icons[state.outcome.verdict.status],
      sentence: `**${words[state.outcome.verdict.status]}.** ${neutraliseLine(oneLine(state.outcome.verdict.reason))}`,
    };
  }
  const waits = waitingFor(state);
  const wait =
    waits.find(({ kind }) => kind === "money") ??
    waits.find(({ kind }) => kind === "people") ??
    waits.find(({ kind }) => kind === "worker") ??
    waits[0];
  if (state.cancelRequested !== null)
    return { icon: icons.pending, sentence: `**Cancelling**, as @${state.cancelRequested.by.login} asked.` };
  if (wait === undefined) return { icon: icons.pending, sentence: "**Starting.**" };
  const icon =
    wait.kind === "people" ? "🙋" : wait.kind === "money" ? "💰" : wait.kind === "worker" ? "🏃" : icons.pending;
  return { icon, sentence: `**${neutraliseLine(news(state, wait))}.** ${neutraliseLine(wait.sentence)}`.trim() };
}

/** The news by itself, as the subject of an e-mail would say it. */
function news(state: RunState, { kind, key, title }: WaitingFor): string {
  const effect = [...state.effects.values()].find((one) => one.key === key);
  if (effect?.kind === "breakpoint" && kind === "people") {
    const { kind: asked, subject } = effect.input;
    const place = subject.pullRequest === undefined ? "The work" : `#${subject.pullRequest}`;
    // Baton reads the checks again while it waits. They are a part of its reason only if they are no longer green.
    if (asked === "review" && effect.observed?.verdict.children.some(({ name: part }) => part === "checks"))
      return `${place} is no longer green`;
    if (asked === "review") return `${place} ${isGreen(state, subject.sha) ? "is green and needs" : "needs"} a review`;
    return asked === "merge" ? `GitHub does not merge ${place} yet` : `Needs approval: ${title}`;
  }
  if (effect?.status === "retrying" && effect.observed === null)
    return `${title} is tried again${effect.retryAt === null ? "" : ` at ${timeOfDay(effect.retryAt)} UTC`}`;
  switch (kind) {
    case "people":
      return effect?.kind === "ask" ? `Needs an answer: ${title}` : key === "" ? title : `Needs people: ${title}`;
    case "money":
      return `Out of budget: ${title}`;
    case "worker":
      return `${effect?.status === "running" ? "Running" : "Starting"}: ${title}`;
    default:
      return `Waiting: ${title}`;
  }
}

/** True if the last reading of this commit's checks found green ones. A commit without any check is not green. */
function isGreen(state: RunState, sha: string | undefined): boolean {
  for (const effect of [...state.effects.values()].toReversed())
    if (effect.kind === "gate" && effect.input.gate === "checks-green" && effect.input.sha === sha)
      return effect.output?.status === "passed" && effect.output.children.some(({ status }) => status === "passed");
  return false;
}

/** The plan: every stage of the process with its state. */
export function stages(state: RunState): string {
  return state.process.stages
    .map((stage) => {
      const effects = [...state.effects.values()].filter((effect) => effect.stage === stage);
      return `${stageIcon(state, effects)} ${neutraliseLine(stage)}`;
    })
    .join(" → ");
}

function stageIcon(state: RunState, effects: EffectState[]): string {
  if (effects.length === 0) return state.outcome === null ? "▫️" : "➖";
  if (effects.some(({ key }) => state.open.has(key))) return "▶️";
  const last = effects.at(-1) as EffectState;
  if (last.status === "cancelled") return icons.skipped;
  // After a repair without a later check, the stage stays as the last check found it.
  const judged = effects.findLast((effect) => verdictOf(effect) !== null);
  const failed = last.status === "failed" || (judged !== undefined && verdictOf(judged) === "failed");
  return failed ? icons.failed : icons.passed;
}

function verdictOf(effect: EffectState): Verdict["status"] | null {
  return stepVerdict(effect)?.status ?? null;
}

export function stepsTable(state: RunState): string {
  const rows = [...state.effects.values()].map((effect) => {
    const usage = effect.attempts.flatMap((attempt) => attempt.usage);
    const tokens = usage.reduce((sum, used) => sum + totalTokens(used.tokens), 0);
    const cost = usage.reduce((sum, used) => sum + (used.costUsd ?? 0), 0);
    const unknown = usage.some(({ costUsd }) => costUsd === null);
    const spent = usage.length === 0 ? ["", ""] : [count(tokens), `${unknown ? "≥ " : ""}${usd(cost)}`];
    const tries = effect.attempts.length > 1 ? ` (attempt ${effect.attempts.length})` : "";
    return `| ${stepIcon(effect)} | ${cell(neutraliseLine(effect.title))}${tries} | ${cell(neutraliseLine(stepNote(effect)))} | ${spent[0]} | ${spent[1]} |`;
  });
  return ["| State | Step | Result | Tokens | Cost |", "|---|---|---|--:|--:|", ...rows].join("\n");
}

function stepIcon(effect: EffectState): string {
  switch (effect.status) {
    case "succeeded": {
      const verdict = verdictOf(effect);
      return verdict === null ? icons.passed : icons[verdict];
    }
    case "failed":
      return icons.failed;
    case "cancelled":
      return icons.skipped;
    case "stopped":
      return "💰";
    case "running":
      return "🏃";
    case "retrying":
      return "🔁";
    case "requested":
      return icons.pending;
  }
}

function stepNote(effect: EffectState): string {
  if (effect.error !== null && effect.status !== "succeeded")
    return joined(
      `${effect.error.code}: ${effect.error.message}`.slice(0, 200),
      sandboxNote(effect.attempts.at(-1)?.kept?.sandbox),
    );
  const took = effect.endedAt === null ? "" : duration(effect.endedAt - effect.requestedAt);
  if (effect.kind === "agent" && effect.output !== undefined)
    return joined(agentNote(effect.output, took), sandboxNote(effect.output.sandbox));
  if (effect.kind === "gate") return (effect.output ?? effect.observed?.verdict)?.reason.slice(0, 200) ?? "";
  if (effect.kind === "breakpoint" && effect.output !== undefined) {
    const { decision, by } = effect.output;
    const words = decision.replaceAll("-", " ");
    return by === null ? words : `${words} by @${by.login}`;
  }
  if (effect.kind === "subprocess") return childNote(effect, took);
  return effect.progress?.note.slice(0, 120) ?? took;
}

/** An agent's changes, by git. */
function agentNote({ files, headSha, discarded = [] }: AgentOutput, took: string): string {
  const sum = (of: (file: { added: number | null; removed: number | null }) => number | null): number =>
    files.reduce((total, file) => total + (of(file) ?? 0), 0);
  return headSha === null
    ? joined(took, discardedNote(discarded))
    : `+${sum(({ added }) => added)} −${sum(({ removed }) => removed)} in ${files.length} file${files.length === 1 ? "" : "s"}, ${took}`;
}

const joined = (...parts: string[]): string => parts.filter((part) => part !== "").join("; ");

/** A child run: its progress and the used part of its share while it runs, then its verdict. */
function childNote(
  { observed, output, endedAt }: EffectPart<"observed" | "output" | "endedAt", Child>,
  took: string,
): string {
  const verdict = output?.verdict;
  if (verdict !== undefined) return `${verdict.reason.slice(0, 200)} ${took}`.trim();
  if (endedAt !== null || observed === null) return took;
  const spent = observed.verdict.evidence.find(({ label }) => label === "spent")?.value;
  return `${observed.verdict.reason.slice(0, 200)}${spent === undefined ? "" : ` (${spent})`}`;
}

/** Changes that a read-only step wrote, and that Baton discarded. */
function discardedNote(paths: readonly string[]): string {
  const [first, ...more] = paths;
  if (first === undefined) return "";
  return `read-only step: Baton discarded its changes (${first.slice(0, 80)}${more.length === 0 ? "" : ` and ${more.length} more`})`;
}

/** Booked costs, and the use so far of running attempts: the sum of the table's rows. */
export function spentSoFar({ money, effects }: RunState): Pick<RunState["money"], "tokens" | "spentUsd" | "complete"> {
  const attempts = [...effects.values()].flatMap((effect) => effect.attempts);
  const live = attempts.filter(({ endedAt }) => endedAt === null).flatMap(({ usage }) => usage);
  return {
    tokens: live.reduce((sum, used) => addTokens(sum, used.tokens), money.tokens),
    spentUsd: live.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), money.spentUsd),
    complete: money.complete && live.every(({ costUsd }) => costUsd !== null),
  };
}

export function budgetLine(state: RunState): string {
  const { budgetUsd } = state.money;
  const { spentUsd, tokens, complete } = spentSoFar(state);
  const share = budgetUsd > 0 ? Math.min(1, spentUsd / budgetUsd) : 0;
  const bar = "█".repeat(Math.round(share * 10)).padEnd(10, "░");
  const warning = share >= 1 ? " — used up" : share >= 0.8 ? " — over 80 %" : share >= 0.5 ? " — over 50 %" : "";
  return `\`${bar}\` ${complete ? "" : "≥ "}${usd(spentUsd)} of ${usd(budgetUsd)}${warning} · ${count(totalTokens(tokens))} tokens`;
}

/** Where the budget is not exact, and why. Empty if every request passes through Baton. */
export function selfReportingLine(state: RunState): string {
  const names = selfReportingOf(state).map((name) => `\`${name}\``);
  if (names.length === 0) return "";
  const [verb, whose] = names.length === 1 ? ["reports", "its"] : ["report", "their"];
  return `<sub>${names.join(", ")} ${verb} ${whose} own usage. Between two reports it can exceed the budget. Baton charges at most one more reservation (\`limits.attemptUsd\`).</sub>`;
}

export function costTable(state: RunState): string {
  const rows: string[] = [];
  for (const effect of state.effects.values()) {
    for (const attempt of effect.attempts) {
      for (const used of attempt.usage) {
        const { input, output, cacheRead, cacheWrite } = used.tokens;
        const fees = used.feesUsd === undefined ? "" : ` (${usd(used.feesUsd)} for searches)`;
        const cost = used.costUsd === null ? "unknown" : `${usd(used.costUsd)}${fees}`;
        rows.push(
          `| ${cell(neutraliseLine(effect.title))} | ${attempt.attempt} | ${cell(neutraliseLine(used.harness))} | ${cell(neutraliseLine(used.model))} | ${count(input)} | ${count(output)} | ${count(cacheRead)} | ${count(cacheWrite)} | ${cost} |`,
        );
      }
    }
  }
  if (rows.length === 0) return "Nothing was spent.";
  const { tokens, spentUsd, complete } = spentSoFar(state);
  const total = `| **Total** | | | | ${count(tokens.input)} | ${count(tokens.output)} | ${count(tokens.cacheRead)} | ${count(tokens.cacheWrite)} | **${complete ? "" : "≥ "}${usd(spentUsd)}** |`;
  return [
    "| Step | Attempt | Harness | Model | Input | Output | Cache read | Cache write | Cost |",
    "|---|--:|---|---|--:|--:|--:|--:|--:|",
    ...rows,
    total,
  ].join("\n");
}

/** Other characters could end the link, or lead out of the browser. */
const plainAddress = /^https?:\/\/[\w/.~%?&=#+:,;$-]+$/;

/** GitHub adds a note to a thread that a link names. */
const threadAddress = /\/(?:issues|pull|pulls|discussions|commit)(?:\/|%2f)/i;

/** A text that looks like an address must not lead to another address. A check's own address must not reach another thread. */
function mayLink(text: string, url: string): boolean {
  if (!plainAddress.test(url) || /:\/\/|\bwww\./i.test(text)) return false;
  return !threadAddress.test(decodedOf(url));
}

function decodedOf(url: string): string {
  return url.replaceAll(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

export function verdictTree(verdict: Verdict, depth = 0): string {
  const indent = "  ".repeat(depth);
  const evidence = verdict.evidence
    .filter(({ label }) => label !== "log")
    .map(({ label, value, url }) => {
      const text = neutraliseLine(`${label} ${value}`).trim();
      return url === undefined || !mayLink(text, url) ? text : `[${text}](${url})`;
    })
    .join(", ");
  const line = `${indent}- ${icons[verdict.status]} **${neutraliseLine(verdict.name)}**: ${neutraliseLine(oneLine(verdict.reason))}${evidence === "" ? "" : ` (${evidence})`}`;
  return [line, ...verdict.children.map((child) => verdictTree(child, depth + 1))].join("\n");
}

export function decisions(state: RunState): string {
  if (state.decisions.length === 0) return "Nothing has been asked of this run yet.";
  return state.decisions.map(({ verdict }) => verdictTree(verdict)).join("\n");
}

export function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
