import type { ApproverFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

/** No setting relaxes this: an approval is the decision of a person. */
export const approverPerson: Rule<ApproverFacts> = {
  name: "people-approve",
  summary: "No bot approves, listed or not.",
  judge: ({ approver }) =>
    approver.kind === "user"
      ? allow(`@${approver.login} is a person.`)
      : deny(`@${approver.login} is a bot, and bots do not approve. A person can.`),
};
