/** The commit of a pull request that a person lets Baton read, and no later one. For a fork it is required. */
import { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { OptionGrammar } from "../thread/grammar.ts";
import type { CommandContext } from "./command.ts";

export const headOption: OptionGrammar = {
  value: "SHA",
  summary: "The head that you read, so that Baton reads exactly it. Required for a pull request of a fork.",
  schema: z.string().regex(/^[0-9a-f]{7,64}$/, "the head commit, at least 7 characters of it"),
};

/** The policy judges forks (`policy/rules/fork-head.ts`). An option never goes unheard elsewhere. */
export function demandHead({ command, pullRequest }: Pick<CommandContext, "command" | "pullRequest">): void {
  const named = command.options["head"];
  if (named === undefined || pullRequest?.headSha.startsWith(String(named)) === true) return;
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    pullRequest === null
      ? "`--head` names the head of a pull request, and this is an issue."
      : `The head is now \`${pullRequest.headSha.slice(0, 12)}\`, not \`${named}\`. Nothing was started.`,
  );
}
