import type { ApproverFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

/**
 * The requester asked for the work, the author answers for it, and the last pusher wrote the judged commit. "Two pairs
 * of eyes" means another person.
 */
export const notOwnWork: Rule<ApproverFacts> = {
  name: "not-own-work",
  summary:
    "Nobody approves a run that they started, a pull request that they wrote or a commit that they pushed, unless `approvals.self: allow`.",
  judge(facts) {
    const { approver, settings } = facts;
    const part = partIn(facts);
    if (part === null) return allow(`@${approver.login} has no part in this work.`);
    if (settings.self === "allow")
      return allow(
        `@${approver.login} approved their own run (they ${part}), which \`approvals.self: allow\` permits.`,
      );
    return deny(
      `@${approver.login} ${part}, and nobody approves their own request (\`approvals.self: deny\`). Somebody else with ${settings.permission} access can.`,
    );
  },
};

/** The approver's part in this work. null: there is none. A bot's pull request or push is nobody's own. */
export function partIn({
  approver,
  requester,
  authors = [],
  pullRequestAuthor,
  lastPusher,
}: ApproverFacts): string | null {
  if (approver.id === requester.id) return "started this run";
  if (authors.some(({ id }) => id === approver.id)) return "last changed the rule or the process of this run";
  if (pullRequestAuthor?.kind === "user" && approver.id === pullRequestAuthor.id) return "wrote this pull request";
  if (lastPusher?.kind === "user" && approver.id === lastPusher.id) return "pushed the commit that is judged";
  return null;
}
