import type { ApproverFacts } from "../facts.ts";
import { atLeast } from "../permission.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const approverPermission: Rule<ApproverFacts> = {
  name: "approver-permission",
  summary: "An approver has at least `approvals.permission` on the repository.",
  judge({ approver, settings }) {
    const has = `@${approver.login} has the permission **${approver.permission}**`;
    if (atLeast(approver.permission, settings.permission))
      return allow(`${has}; **${settings.permission}** is needed (\`approvals.permission\`).`);
    return deny(
      `${has}; an approval needs **${settings.permission}** (\`approvals.permission\`). Somebody with ${settings.permission} access can approve.`,
    );
  },
};
