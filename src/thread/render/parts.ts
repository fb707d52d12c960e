/**
 * Parts that the status comment, the final comment and the check run share. Baton computes facts here, and never reads them
 * from an agent's text.
 */
import type { AgentOutput } from "../../core/effect.ts";
import type { EffectPart, EffectState, RunState } from "../../core/state.ts";
import { stepVerdict } from "../../core/step-verdict.ts";
import { addTokens, shortRunId, type Verdict } from "../../core/vocabulary.ts";
import { selfReportingOf } from "../../money/self-reporting.ts";
import { cell, count, duration, oneLine, plural, totalTokens, usd } from "../../text/format.ts";
import { neutraliseLine } from "../../text/neutralise.ts";
import { icons } from "./icons.ts";
import { sandboxNote } from "./sandbox.ts";

type Child = Extract<EffectState, { kind: "subprocess" }>;

export function verdictOf(effect: EffectState): Verdict["status"] | null {
  return stepVerdict(effect)?.status ?? null;
}

export function stepsTable(state: RunState): string {
  const rows = [...state.effects.values()].map((effect) => {
    const tokens = effect.attempts.flatMap((attempt) => attempt.usage).map((used) => totalTokens(used.tokens));
    const spent = tokens.length === 0 ? "" : count(tokens.reduce((sum, one) => sum + one, 0));
    const tries = effect.attempts.length > 1 ? ` (attempt ${effect.attempts.length})` : "";
    const note = [cell(neutraliseLine(stepNote(effect))), transcriptOf(state, effect)].filter((part) => part !== "");
    return `| ${stepState(effect)} | ${cell(neutraliseLine(effect.title))}${tries} | ${note.join(" · ")} | ${spent} | ${costOf([effect])} |`;
  });
  return ["| State | Step | Result | Tokens | Cost |", "|---|---|---|--:|--:|", ...rows].join("\n");
}

/** The command that prints what the agent wrote and did. Empty: the step has no agent, or none has ended. */
function transcriptOf({ runId }: RunState, { kind, key, attempts, endedAt }: EffectState): string {
  if (kind !== "agent" || (endedAt === null && !attempts.some((attempt) => attempt.endedAt !== null))) return "";
  const step = /^[\w./#-]+$/.test(key) ? key : `'${key.replaceAll(/['|`]/g, "?")}'`;
  return `\`baton transcript ${shortRunId(runId)} ${step}\``;
}

/** Cost of steps, as a cell. Empty: they used nothing. */
export function costOf(effects: readonly EffectState[]): string {
  const usage = effects.flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.usage));
  if (usage.length === 0) return "";
  const unknown = usage.some(({ costUsd }) => costUsd === null);
  return `${unknown ? "≥ " : ""}${usd(usage.reduce((sum, used) => sum + (used.costUsd ?? 0), 0))}`;
}

/** A sign, and its word. */
function stepState(effect: EffectState): string {
  switch (effect.status) {
    case "succeeded": {
      const verdict = verdictOf(effect);
      const words = { passed: "done", failed: "no", pending: "open", skipped: "skipped", error: "error" } as const;
      return verdict === null ? `${icons.passed} done` : `${icons[verdict]} ${words[verdict]}`;
    }
    case "failed":
      return `${icons.failed} failed`;
    case "cancelled":
      return `${icons.skipped} cancelled`;
    case "stopped":
      return "💰 out of budget";
    case "running":
      return "🏃 running";
    case "retrying":
      return "🔁 again";
    case "requested":
      return `${icons.pending} open`;
  }
}

export function stepNote(effect: EffectState): string {
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
    : `+${sum(({ added }) => added)} −${sum(({ removed }) => removed)} in ${plural(files.length, "file")}, ${took}`;
}

const joined = (...parts: string[]): string => parts.filter((part) => part !== "").join(" · ");

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

/** Without a bar: a comment has one, of the progress. */
export function budgetLine(state: RunState): string {
  const { budgetUsd } = state.money;
  const { spentUsd, tokens, complete } = spentSoFar(state);
  const share = budgetUsd > 0 ? Math.min(1, spentUsd / budgetUsd) : 0;
  const warning = share >= 1 ? ", used up" : share >= 0.8 ? ", over 80 %" : share >= 0.5 ? ", over 50 %" : "";
  return `Cost: ${complete ? "" : "≥ "}${usd(spentUsd)} of ${usd(budgetUsd)}${warning} · ${count(totalTokens(tokens))} tokens`;
}

/** Where the budget is not exact, and why. Empty if every request passes through Baton. */
export function selfReportingLine(state: RunState): string {
  const names = selfReportingOf(state).map((name) => `\`${name}\``);
  if (names.length === 0) return "";
  const [verb, whose] = names.length === 1 ? ["reports", "its"] : ["report", "their"];
  return `<sub>${names.join(", ")} ${verb} ${whose} own usage. Between two reports it can exceed the budget. Baton charges at most one more reservation (\`limits.attemptUsd\`).</sub>`;
}

/** False: a table of costs would be empty. */
export function hasCosts({ effects }: RunState): boolean {
  return [...effects.values()].some(({ attempts }) => attempts.some(({ usage }) => usage.length > 0));
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

/** For the repair, for the headline, and of no use to people. */
const unshown: ReadonlySet<string> = new Set(["log", "needed", "App"]);
/** Commits and runs, by the beginning that people use. */
const longIds = /\b([0-9a-f]{7})[0-9a-f]{33}\b|\b(run_[0-9a-zA-Z]{8})[0-9a-zA-Z]+\b/g;

export function verdictTree(verdict: Verdict, depth = 0): string {
  const indent = "  ".repeat(depth);
  const evidence = verdict.evidence
    .filter(({ label }) => !unshown.has(label))
    .map(({ label, value, url }) => {
      const text = neutraliseLine(`${label} ${value.replaceAll(longIds, "$1$2")}`).trim();
      return url === undefined || !mayLink(text, url) ? text : `[${text}](${url})`;
    })
    .join(", ");
  const line = `${indent}- ${icons[verdict.status]} **${neutraliseLine(verdict.name)}**: ${neutraliseLine(oneLine(verdict.reason))}${evidence === "" ? "" : ` (${evidence})`}`;
  return [line, ...verdict.children.map((child) => verdictTree(child, depth + 1))].join("\n");
}

export function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
