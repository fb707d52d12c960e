/**
 * Decides whose answer passes a breakpoint: a person, permitted, with no part in the work.
 *
 * V1 Nobody approves their own request, unless `approvals.self: allow`. Then the reason says so.
 * V2 No bot approves.
 * V3 Rules compare ids; logins are only shown. Logins in the configuration are compared without case.
 */
import type { Verdict } from "../core/vocabulary.ts";
import type { ApproverFacts } from "./facts.ts";
import { judge } from "./rule.ts";
import { policyRules } from "./rules/index.ts";
import { notOwnWork, partIn } from "./rules/not-own-work.ts";

export type { ApproverFacts } from "./facts.ts";

export function mayApprove(facts: ApproverFacts): Verdict {
  // V1: for a person's own work, the verdict's sentence is the rule's.
  const allowed = partIn(facts) === null ? `@${facts.approver.login} may approve.` : notOwnWork.judge(facts).because;
  return judge({ name: "approver", rules: policyRules.approve, facts, allowed });
}
