import type { CommandFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

export const forkHead: Rule<CommandFacts> = {
  name: "no-fork-head",
  summary:
    "No agent writes on the head of a fork. `review`, `explore`, `verify` and `ask` read it in the sandbox, if a person names the commit with `--head`.",
  judge({ headIsFork, worksOnHead, lane }) {
    if (!headIsFork) return allow("The head is in this repository.");
    if (!worksOnHead) return allow("The head is in a fork, and this command does not work on it.");
    if (lane === undefined || lane.process === null)
      return deny(
        "This pull request comes from a fork. Baton never lets an agent change a fork's head: its files are not trusted, and the run would have model keys and a write token beside them. " +
          "`/baton run review`, `explore` and `verify` can read it. A maintainer can push the branch to this repository and ask there.",
      );
    const head = lane.headSha;
    if (lane.named === null)
      return deny(
        `This pull request comes from a fork. Read the change first. To let an agent read exactly \`${head}\`, in the sandbox and without network, write: \`${lane.again}\``,
      );
    if (head !== lane.named)
      return deny(
        `The head of this fork is now \`${head}\`, not \`${lane.named}\`. Read the new change, then write: \`${lane.again}\``,
      );
    return allow(`The head is in a fork, and the command lets an agent read exactly \`${head}\`.`);
  },
};
