/**
 * The commit of a pull request that a person lets Baton read, and no later one. For a fork it is required.
 *
 * HO1 The whole name counts. Somebody who writes both commits finds two with the same first twelve characters within
 *     seconds, and shows one to people.
 */
import { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { OptionGrammar } from "../thread/grammar.ts";
import type { CommandContext } from "./command.ts";

/** HO1 */
export const wholeCommit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "the whole head commit, 40 characters");

export const headOption: OptionGrammar = {
  value: "SHA",
  summary: "The head that you read, so that Baton reads exactly it. Required for a pull request of a fork.",
  schema: wholeCommit,
};

/** The policy judges forks (`policy/rules/fork-head.ts`). An option never goes unheard elsewhere. */
export function demandHead({ command, pullRequest }: Pick<CommandContext, "command" | "pullRequest">): void {
  const named = command.options["head"];
  if (named === undefined || pullRequest?.headSha === named) return;
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    pullRequest === null
      ? "`--head` names the head of a pull request, and this is an issue."
      : `The head is now \`${pullRequest.headSha}\`, not \`${named}\`. Nothing was started.`,
  );
}
