import type { ApproverFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

/** The only place that compares logins, because people write logins: without case, as GitHub does. */
export const approverListed: Rule<ApproverFacts> = {
  name: "approver-listed",
  summary: "Where `approvals.people` lists somebody, only they approve.",
  judge({ approver, settings: { people } }) {
    if (people.length === 0) return allow("`approvals.people` lists nobody, so everybody permitted may approve.");
    if (people.some((login) => login.toLowerCase() === approver.login.toLowerCase()))
      return allow(`\`approvals.people\` lists @${approver.login}.`);
    return deny(
      `@${approver.login} is not one of ${people.map((login) => `@${login}`).join(", ")}, who can approve (\`approvals.people\`).`,
    );
  },
};
