import type { CommandFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const forkHead: Rule<CommandFacts> = {
  name: "no-fork-head",
  summary: "No agent runs on the head of a fork.",
  judge({ headIsFork, worksOnHead }) {
    if (!headIsFork) return allow("The head is in this repository.");
    if (!worksOnHead) return allow("The head is in a fork, and this command does not work on it.");
    return deny(
      "This pull request comes from a fork. Baton never runs an agent on a fork's head: its files are not trusted, and the run would have model keys and a write token beside them. " +
        "A maintainer can push the branch to this repository and ask there.",
    );
  },
};
