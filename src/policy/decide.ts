/**
 * The single entrance to policy: a request in, one verdict out. It lists every evaluated rule, so that `/baton why` can
 * show them.
 */
import { unreachable } from "../core/errors.ts";
import type { Verdict } from "../core/vocabulary.ts";
import { mayApprove } from "./approval.ts";
import { decideCommand } from "./decide-command.ts";
import { judge } from "./rule.ts";
import { type PolicyAction, type PolicyFacts, policyRules } from "./rules/index.ts";

export type PolicyRequest = { [Action in PolicyAction]: { action: Action; facts: PolicyFacts[Action] } }[PolicyAction];

export function decide(request: PolicyRequest): Verdict {
  switch (request.action) {
    case "command":
      return decideCommand(request.facts);
    case "approve":
      return mayApprove(request.facts);
    case "publish":
      return judge({
        name: "publish",
        rules: policyRules.publish,
        facts: request.facts,
        allowed: "The work may be published.",
      });
    case "merge":
      return judge({
        name: "merge",
        rules: policyRules.merge,
        facts: request.facts,
        allowed: `${request.facts.subjectSha.slice(0, 7)} may be merged.`,
        evidence: [{ label: "head", value: request.facts.headSha }],
      });
    case "budget":
      return judge({
        name: "budget",
        rules: policyRules.budget,
        facts: request.facts,
        allowed: "The budget may be raised.",
      });
    default:
      return unreachable(request);
  }
}
