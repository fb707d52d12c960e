/**
 * Whether an event starts a run of a rule: its condition, its paths, and the cause of the event.
 *
 * TJ1 A condition that Baton cannot evaluate is false, and the reason says so.
 * TJ2 An act by a person begins a chain. An act by a bot continues it. A chain has a bounded depth, and each rule once.
 * TJ4 The budgets of all runs that one act led to are together at most `budget.maxUsd`. Runs of every branch count. The
 *     last run gets the rest.
 * TJ3 Starts an hour are bounded, for each rule and for all rules together. So a storm costs a bounded number of runs.
 */
import { limits } from "../core/limits.ts";
import { type Json, shortRunId } from "../core/vocabulary.ts";
import { worthwhileUsd } from "../money/budget.ts";
import { belowGlobs, matchesAny } from "../policy/paths.ts";
import { evaluate, isTrue, parseExpression } from "../workflow/expression.ts";
import type { TriggerEvent, TriggerName } from "./event.ts";

export interface TriggerRule {
  name: string;
  on: TriggerName;
  if: string | null;
  /** For a push: files that start it. Empty: `paths`. */
  changed: readonly string[];
  /** Files that the run is about. */
  paths: readonly string[];
  maxPerHour: number;
}

/** Names in a condition. */
export const conditionNames = ["event", "actor"] as const;

export interface Condition {
  holds: boolean;
  reason: string;
}

/** The text of a condition without its braces, which are optional. */
export function conditionText(text: string): string {
  return /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(text)?.[1] ?? text;
}

export function judgeEvent(rule: TriggerRule, event: TriggerEvent): Condition {
  if (rule.on !== event.on) return { holds: false, reason: `It is about \`${rule.on}\`.` };
  if (event.rule !== null && event.rule !== rule.name)
    return { holds: false, reason: `The event is for \`${event.rule}\`.` };
  const wanted = startsFor(rule);
  if (wanted.length > 0 && rule.on === "push") {
    if (event.paths === null) return { holds: false, reason: "GitHub does not tell which files changed." };
    const key = rule.changed.length > 0 ? "changed" : "paths";
    const globs = belowGlobs(wanted);
    if (!event.paths.some((path) => matchesAny(path, globs)))
      return { holds: false, reason: `No changed file matches its \`${key}\`.` };
  }
  if (rule.if === null) return { holds: true, reason: "It has no condition." };
  const parsed = parseExpression(conditionText(rule.if), conditionNames, false);
  if (!parsed.ok) return { holds: false, reason: `Its condition cannot be read: ${parsed.problem.message}` };
  const scope = scopeOf(event);
  try {
    const value = evaluate(parsed.value, scope);
    return isTrue(value)
      ? { holds: true, reason: "Its condition holds." }
      : { holds: false, reason: `Its condition \`${rule.if.slice(0, 200)}\` is false.` };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : "unknown";
    return { holds: false, reason: `Its condition cannot be evaluated, so it counts as false: ${why}` };
  }
}

/** The files one of which a push must change. Empty: any. */
export function startsFor({ changed, paths }: Pick<TriggerRule, "changed" | "paths">): readonly string[] {
  return changed.length > 0 ? changed : paths;
}

/**
 * The values of `author_association` that `openTo.contributors` accepts. Somebody's first contribution has another one.
 * Source: https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
 */
const contributors = new Set(["CONTRIBUTOR", "COLLABORATOR", "MEMBER", "OWNER"]);

export function isOpenTo(
  { openTo }: { openTo: { contributors: boolean; bots: readonly number[] } },
  { sender, association }: Pick<TriggerEvent, "sender" | "association">,
): boolean {
  if (sender === null) return false;
  if (sender.kind === "bot") return openTo.bots.includes(sender.id);
  return openTo.contributors && contributors.has(association ?? "");
}

/** The part of an event that expressions of a rule see. */
export function scopeOf({ facts, sender }: Pick<TriggerEvent, "facts" | "sender">): Record<string, Json> {
  return { event: facts, actor: { login: sender?.login ?? "", kind: sender?.kind ?? "bot" } };
}

/** A run that a rule started. */
export interface PastStart {
  rule: string;
  runId: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** Number of its thread. null: the dashboard issue. */
  thread: number | null;
  /** Login of who caused the event. Empty: a signed request. */
  actor: string;
  depth: number;
  /** Run whose work caused the event. null: a person caused it. */
  parent: string | null;
  /** Absent in records of an older Baton. */
  budgetUsd?: number | undefined;
}

interface StartQuestion {
  rule: Pick<TriggerRule, "name" | "maxPerHour">;
  event: { thread: number | null; actor: string; byBot: boolean };
  /** Threads that belong to the event's own. For a pull request by Baton, its issue. */
  related: readonly number[];
  past: readonly PastStart[];
  now: number;
  /** The budget of the run, and the most that all runs of its chain may have. */
  money: { wantUsd: number; chainUsd: number };
}

type StartAnswer =
  | { start: true; depth: number; parent: string | null; budgetUsd: number }
  | { start: false; why: "loop" | "depth" | "rate" | "money"; reason: string };

const hourMs = 3_600_000;

export function judgeStart({ rule, event, related, past, now, money }: StartQuestion): StartAnswer {
  const lastHour = past.filter(({ at }) => at > now - hourMs);
  const ofRule = lastHour.filter((one) => one.rule === rule.name).length;
  if (ofRule >= rule.maxPerHour)
    return no(
      "rate",
      `\`${rule.name}\` started ${ofRule} run${ofRule === 1 ? "" : "s"} within an hour; its limit is ${rule.maxPerHour} (\`maxPerHour\`).`,
    );
  if (lastHour.length >= limits.triggerStartsPerHourMax)
    return no(
      "rate",
      `Triggers started ${lastHour.length} runs here within an hour; the limit is ${limits.triggerStartsPerHourMax}.`,
    );
  const { wantUsd, chainUsd } = money;
  const first = { start: true, depth: 0, parent: null, budgetUsd: wantUsd } as const;
  if (!event.byBot) return first;
  const chain = chainOf(event.thread, related, past, now);
  const [last] = chain;
  if (last === undefined) return first;
  const shown = [
    ...chain.toReversed().map((one) => `\`${one.rule}\` (${shortRunId(one.runId)}, by ${causeText(one.actor)})`),
    `\`${rule.name}\` (by ${causeText(event.actor)})`,
  ].join(" → ");
  if (chain.some((one) => one.rule === rule.name))
    return no("loop", `The chain comes back to a rule that it has: ${shown}.`);
  if (last.depth + 1 > limits.triggerDepthMax)
    return no("depth", `The chain is ${last.depth + 1} deep; the limit is ${limits.triggerDepthMax}: ${shown}.`);
  const leftUsd = chainUsd - wholeChain(chain, past).reduce((sum, { budgetUsd = 0 }) => sum + budgetUsd, 0);
  // TJ4: cents, because floating-point sums differ in the last digits.
  if (Math.round(leftUsd * 100) < Math.round(Math.min(worthwhileUsd, wantUsd) * 100))
    return no("money", `The runs of the chain have the whole $${chainUsd.toFixed(2)} of \`budget.maxUsd\`: ${shown}.`);
  return { start: true, depth: last.depth + 1, parent: last.runId, budgetUsd: Math.min(wantUsd, leftUsd) };
}

export function causeText(actor: string): string {
  return actor === "" ? "a signed request" : `@${actor}`;
}

/** Newest first: the newest start that may have caused the event, then the cause of that start, and so on. */
function chainOf(
  thread: number | null,
  related: readonly number[],
  past: readonly PastStart[],
  now: number,
): PastStart[] {
  const recent = past.filter(({ at }) => at > now - limits.triggerChainMs).toSorted((a, b) => b.at - a.at);
  // An event without a thread may come from any of them.
  const near = recent.filter((one) => thread === null || one.thread === thread || related.includes(one.thread ?? -1));
  // A run that a bot's dispatch or the like led to has no thread of its own, so a bot may go on in any.
  const [cause = recent.find((one) => one.thread === null && one.parent !== null)] = near;
  const chain: PastStart[] = [];
  for (let next = cause; next !== undefined && !chain.includes(next); ) {
    chain.push(next);
    const { parent } = next;
    next = parent === null ? undefined : recent.find(({ runId }) => runId === parent);
  }
  return chain;
}

/** The starts that have the same first cause, in any branch. */
function wholeChain(chain: readonly PastStart[], past: readonly PastStart[]): readonly PastStart[] {
  const of = new Set(chain.map(({ runId }) => runId));
  for (let before = -1; before < of.size; ) {
    before = of.size;
    for (const { runId, parent } of past) if (parent !== null && of.has(parent)) of.add(runId);
  }
  return past.filter(({ runId }) => of.has(runId));
}

function no(why: "loop" | "depth" | "rate" | "money", reason: string): StartAnswer {
  return { start: false, why, reason };
}
