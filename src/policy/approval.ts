/**
 * Whose word passes a breakpoint: a person, permitted, not the one who asked for the run.
 *
 * V1 Nobody approves their own request, unless `approvals.self: allow`; then the reason says so.
 * V2 No bot approves.
 * V3 Rules compare ids; logins are only shown. Logins in the configuration are compared without case.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Verdict } from "../core/vocabulary.ts";
import { atLeast } from "./permission.ts";

export interface ApproverFacts {
  approver: Pick<Actor, "id" | "login" | "kind" | "permission">;
  requester: Pick<Actor, "id" | "login">;
  settings: Settings["approvals"];
}

export function mayApprove({ approver, requester, settings }: ApproverFacts): Verdict {
  const who = `@${approver.login}`;
  const answer = (ok: boolean, reason: string): Verdict => ({ name: "approver", status: ok ? "passed" : "failed", reason, evidence: [], children: [] });
  if (approver.kind !== "user") return answer(false, `${who} is a bot, and bots do not approve.`);
  if (!atLeast(approver.permission, settings.permission)) {
    return answer(false, `${who} has the permission **${approver.permission}**; an approval needs **${settings.permission}** (\`approvals.permission\`).`);
  }
  if (settings.people.length > 0 && !settings.people.some((login) => login.toLowerCase() === approver.login.toLowerCase())) {
    return answer(false, `${who} is not one of ${settings.people.map((login) => `@${login}`).join(", ")} (\`approvals.people\`).`);
  }
  if (approver.id === requester.id) {
    return settings.self === "allow"
      ? answer(true, `${who} approved their own run, which \`approvals.self: allow\` permits.`)
      : answer(false, `${who} started this run, and nobody approves their own request (\`approvals.self: deny\`). Somebody else with ${settings.permission} access can.`);
  }
  return answer(true, `${who} may approve.`);
}
