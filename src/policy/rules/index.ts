/** Every rule, by its subject: one line each. Documentation and tests read this registry. */
import type { ApproverFacts, BudgetFacts, CommandFacts, MergeFacts, PublishFacts } from "../facts.ts";
import type { Rule } from "../rule.ts";
import { approverListed } from "./approver-listed.ts";
import { approverPermission } from "./approver-permission.ts";
import { approverPerson } from "./approver-person.ts";
import { budgetMaximum } from "./budget-maximum.ts";
import { commandPermission } from "./command-permission.ts";
import { forkHead } from "./fork-head.ts";
import { listedBots } from "./listed-bots.ts";
import {
  mergeApproved,
  mergeConfigured,
  mergeGreen,
  mergeOwnHead,
  mergeSameBase,
  mergeSameHead,
} from "./merge-allowed.ts";
import { notOwnWork } from "./not-own-work.ts";
import { ownApp } from "./own-app.ts";
import { protectedPaths } from "./protected-paths.ts";

export interface PolicyFacts {
  command: CommandFacts;
  approve: ApproverFacts;
  publish: PublishFacts;
  merge: MergeFacts;
  budget: BudgetFacts;
}
export type PolicyAction = keyof PolicyFacts;

export const policyRules: { readonly [Action in PolicyAction]: readonly Rule<PolicyFacts[Action]>[] } = {
  command: [ownApp, listedBots, commandPermission, forkHead],
  approve: [approverPerson, approverPermission, approverListed, notOwnWork],
  publish: [protectedPaths],
  merge: [mergeConfigured, mergeOwnHead, mergeSameHead, mergeSameBase, mergeGreen, mergeApproved],
  budget: [budgetMaximum],
};
