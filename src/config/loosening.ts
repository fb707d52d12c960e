/**
 * The direction of a change that loosens a rule. Every key of `baton.yaml` is here, and a test checks that. The author of a
 * new key decides.
 */
import type { Permission } from "../core/vocabulary.ts";

type Loosens = (from: unknown, to: unknown) => boolean;

const never: Loosens = () => false;
/** More money, time or tries. */
const more: Loosens = (from, to) => Number(to) > Number(from);
const less: Loosens = (from, to) => Number(to) < Number(from);
const becomes =
  (value: string): Loosens =>
  (from, to) =>
    to === value && from !== value;
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map((entry) => JSON.stringify(entry)) : []);
const loses: Loosens = (from, to) => list(from).some((entry) => !list(to).includes(entry));
const gains: Loosens = (from, to) => list(to).some((entry) => !list(from).includes(entry));
/** An empty list means everybody, so emptying it loosens most. */
const opens: Loosens = (from, to) => list(from).length > 0 && (list(to).length === 0 || gains(from, to));
/** From red through "does not count" to green. */
const milder: Loosens = (from, to) =>
  ["fail", "auto", "pass"].indexOf(String(to)) > ["fail", "auto", "pass"].indexOf(String(from));
const gateRank = (value: unknown): number => ["off", "advisory", "required"].indexOf(String(value));
const sandboxRank = (value: unknown): number => ["require", "prefer", "off"].indexOf(String(value));
const order: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];
const rank = (value: unknown): number => order.indexOf(value as Permission);
/** If one of the two is unset, the class of the command decides. That may loosen, so it counts as loosening. */
const lower: Loosens = (from, to) => from === undefined || to === undefined || rank(to) < rank(from);

export const loosening: Readonly<Record<string, Loosens>> = {
  version: never,
  process: never,
  "harness.default": never,
  "harness.model": never,
  "harness.models": opens,
  "harness.fallback": never,
  "harness.prefer": never,
  // Another profile may allow anything, so a change to it loosens. The entries below judge its own rules.
  "harness.profile": (from, to) => from !== to && from !== "full",
  // A program that runs on Baton's machine.
  "harness.command": (from, to) => list(from).join() !== list(to).join(),
  // Tools that agents did not have, or other programs with the same name.
  "mcp.*.command": (from, to) => list(from).join("\0") !== list(to).join("\0"),
  "mcp.*.environment.*": (from, to) => from !== to,
  "mcp.*.url": (from, to) => from !== to,
  "mcp.*.access": becomes("read-only"),
  "budget.runUsd": more,
  "budget.maxUsd": more,
  // Without it, there is no bound.
  "budget.dayUsd": (from, to) => from !== null && (to === null || more(from, to)),
  // With another time zone, a new day may begin now.
  "budget.timeZone": (from, to) => from !== to,
  // It divides a run's money and adds none.
  "budget.childShare": never,
  "budget.downgradeAt": more,
  "models.any": never,
  "models.plan": never,
  "models.implement": never,
  "models.repair": never,
  "models.address": never,
  "models.review": never,
  "models.verify": never,
  "tiers.*.fast": never,
  "tiers.*.standard": never,
  "tiers.*.strong": never,
  "profiles.*.access": becomes("write"),
  "profiles.*.roles": opens,
  "profiles.*.needs": loses,
  "profiles.*.harnesses": opens,
  "profiles.*.model": never,
  // Without a fraction, its warning does not come.
  "budget.warnAt": loses,
  "budget.unknownPrice": becomes("allow"),
  "prices.*.input": (from, to) => from === undefined || less(from, to),
  "prices.*.output": (from, to) => from === undefined || less(from, to),
  "prices.*.cacheRead": (from, to) => from === undefined || less(from, to),
  "prices.*.cacheWrite": (from, to) => from === undefined || less(from, to),
  "limits.attemptUsd": more,
  // Without it, there is no bound.
  "limits.attemptTokens": (from, to) => from !== null && (to === null || more(from, to)),
  "limits.turns": more,
  "limits.agentMinutes": more,
  "limits.silenceMinutes": more,
  "limits.repairAttempts": more,
  "limits.reviewRounds": more,
  "limits.parallel": more,
  "race.contestants": more,
  "race.checks": never,
  "gates.required": loses,
  "gates.ignore": gains,
  "gates.neutral": milder,
  "gates.skipped": milder,
  "gates.review": (from, to) => gateRank(to) < gateRank(from),
  "review.event": never,
  "review.comments": less,
  "review.nits": never,
  "review.secondLook": never,
  "review.secondLookUsd": more,
  "review.instructions": never,
  "gates.noChecks": becomes("pass"),
  // After too short a wait, Baton takes checks for absent.
  "gates.appearSeconds": less,
  "gates.timeoutMinutes": never,
  // A started workflow may do more than test.
  "gates.dispatch": gains,
  "approvals.self": becomes("allow"),
  "approvals.count": less,
  "approvals.people": opens,
  "approvals.permission": lower,
  "approvals.reviewers": never,
  "approvals.teams": never,
  "breakpoints.plan": becomes("auto"),
  "breakpoints.review": becomes("auto"),
  "breakpoints.protectedPaths": becomes("ask"),
  protectedPaths: loses,
  "merge.mode": becomes("auto"),
  "merge.method": never,
  "commits.signOff": never,
  "secrets.allow": gains,
  // Agents then run on Baton's own machine, not on a runner that ends with its job.
  executor: becomes("local"),
  // The list of modes goes from the strictest to the loosest. Without a mode, the operator decides.
  "sandbox.mode": (from, to) => to !== null && (from === null || sandboxRank(to) > sandboxRank(from)),
  "sandbox.network": gains,
  // A program that runs before the agent, with network.
  "sandbox.setup": gains,
  // Another workflow may then perform effects.
  runnerWorkflow: (from, to) => from !== to,
  branchPrefix: never,
  // Baton forgets past work earlier.
  "retention.compactDays": less,
  "retention.days": less,
  // Runs that nobody asks for at that time.
  schedules: gains,
  triggers: gains,
  // Programs that run in a worktree.
  "sweep.detectors": gains,
  "sweep.openPullRequests": more,
  "sweep.findings": more,
  "sweep.changedLines": more,
  "sweep.dayUsd": (from, to) => from !== null && (to === null || more(from, to)),
  "sweep.monthUsd": (from, to) => from !== null && (to === null || more(from, to)),
  dashboard: never,
  "commands.run": lower,
  "commands.steer": lower,
  "commands.allow.*": lower,
  "commands.bots": gains,
  "commands.mention": never,
};

/** An unknown key loosens, because nobody has decided about it. */
export function loosens(key: string, from: unknown, to: unknown): boolean {
  return loosening[key]?.(from, to) ?? true;
}
