import { BatonError } from "../core/errors.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { wholeCommit } from "./head-option.ts";

export const okToTest = defineCommand({
  name: "ok-to-test",
  usage: "ok-to-test <sha>",
  summary: "Start the repository's own workflows where they wait for approval, for exactly this commit of a fork.",
  // A whole commit name is too long for the help. The answer to another commit has the command to copy.
  examples: [],
  needs: "run",
  appliesTo: ["pull-request"],
  positional: [
    {
      name: "sha",
      summary: "The head commit that you read, all 40 characters.",
      required: true,
      schema: wholeCommit,
    },
  ],
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { dependencies, github, repository, pullRequest, issue, command, operationKey } = context;
  if (pullRequest === null) throw new BatonError("BATON_COMMAND_INVALID", "This is not a pull request.");
  const { headSha: sha } = pullRequest;
  const short = sha.slice(0, 12);
  if (sha !== command.positional[0])
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `The head is now \`${sha}\`. Read the new change, then write \`/baton ok-to-test ${sha}\`. Nothing was started.`,
    );
  if (pullRequest.headRepositoryId === repository.id)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      "This pull request does not come from a fork, and GitHub lets nobody approve its workflows by the API. Approve them on the page of the pull request.",
    );
  const runs = await github.waitingWorkflowRuns(repository, sha);
  if (runs === null)
    throw new BatonError(
      "BATON_GITHUB_DENIED",
      "Baton may not read workflow runs here: it needs the permission `actions: write`.",
    );
  if (runs.length === 0) return `No workflow of \`${short}\` waits for approval.`;
  await dependencies.store.write({
    outbox: [
      outboxRow({
        operationKey: `ok-to-test:${operationKey}`,
        repository,
        kind: "workflow-approval",
        payload: { number: issue.number, sha, runs },
        priority: 10,
      }),
    ],
  });
  return null;
}
