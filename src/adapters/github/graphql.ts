/**
 * Baton's requests to GitHub's GraphQL API, only where REST has no equivalent. Each is one operation with one field.
 *
 * Source: https://docs.github.com/en/graphql/reference/mutations and
 * https://docs.github.com/en/graphql/reference/queries#node
 */
import { BatonError, toBatonError } from "../../core/errors.ts";
import type { FoldReason } from "../../ports/github.ts";
import type { Write } from "./rate-budget.ts";
import type { Requester } from "./request.ts";

export const documents = {
  enqueue:
    "mutation($input: EnqueuePullRequestInput!) { enqueuePullRequest(input: $input) { mergeQueueEntry { position state } } }",
  updateBranch:
    "mutation($input: UpdatePullRequestBranchInput!) { updatePullRequestBranch(input: $input) { pullRequest { headRefOid } } }",
  minimize:
    "mutation($input: MinimizeCommentInput!) { minimizeComment(input: $input) { minimizedComment { isMinimized } } }",
  queued: "query($id: ID!) { node(id: $id) { ... on PullRequest { isInMergeQueue } } }",
  // REST has only the time of the last change, in whole seconds. It may differ from the creation without any edit.
  // Source: https://github.com/palantir/policy-bot/pull/459
  edits:
    "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id lastEditedAt includesCreatedEdit } ... on Issue { id lastEditedAt includesCreatedEdit } } }",
  // REST has these events too, but only as all events of a pull request, oldest first.
  baseChanged:
    "query($id: ID!) { node(id: $id) { ... on PullRequest { timelineItems(last: 1, itemTypes: [BASE_REF_CHANGED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT]) { nodes { ... on BaseRefChangedEvent { createdAt } ... on AutomaticBaseChangeSucceededEvent { createdAt } } } } } }",
} as const;

export type GraphqlClient = ReturnType<typeof graphqlClient>;

export function graphqlClient(requester: Pick<Requester, "graphql">) {
  const mutate = <T>(document: string, input: Record<string, unknown>, write: Write = true): Promise<T> =>
    requester.graphql<T>(document, { input }, write);
  return {
    /** The API accepts no message: https://docs.github.com/en/graphql/reference/input-objects#enqueuepullrequestinput */
    async enqueue(pullRequestId: string, expectedHeadOid: string): Promise<void> {
      try {
        await mutate(documents.enqueue, { pullRequestId, expectedHeadOid });
      } catch (thrown) {
        if (!/already (?:queued|in the queue)/i.test(toBatonError(thrown).message)) throw thrown;
      }
    },

    /** Source: https://docs.github.com/en/graphql/reference/enums#reportedcontentclassifiers */
    async minimize(subjectId: string, because: FoldReason): Promise<void> {
      await mutate(documents.minimize, { subjectId, classifier: because.toUpperCase() }, "edit");
    },

    async updateBranch(pullRequestId: string, expectedHeadOid: string): Promise<string> {
      const answer = await mutate<{ updatePullRequestBranch: { pullRequest: { headRefOid: string } | null } | null }>(
        documents.updateBranch,
        { pullRequestId, expectedHeadOid },
      );
      const sha = answer.updatePullRequestBranch?.pullRequest?.headRefOid;
      if (sha === undefined) throw new BatonError("BATON_GITHUB_CONFLICT", "GraphQL: the branch was not updated.");
      return sha;
    },

    async isInMergeQueue(id: string): Promise<boolean> {
      const answer = await requester.graphql<{ node: { isInMergeQueue?: boolean } | null }>(
        documents.queued,
        { id },
        false,
      );
      return answer.node?.isInMergeQueue === true;
    },

    /** Source: https://docs.github.com/en/graphql/reference/interfaces#comment */
    async unedited(ids: readonly string[]): Promise<string[]> {
      const { nodes } = await requester.graphql<{
        nodes: ({ id?: string; lastEditedAt?: string | null; includesCreatedEdit?: boolean } | null)[];
      }>(documents.edits, { ids }, false);
      return nodes.flatMap((one) =>
        one?.id !== undefined && one.lastEditedAt === null && one.includesCreatedEdit === false ? [one.id] : [],
      );
    },

    /** Source: https://docs.github.com/en/graphql/reference/objects#baserefchangedevent */
    async baseChangedAt(id: string): Promise<string | null> {
      const answer = await requester.graphql<{
        node: { timelineItems?: { nodes: ({ createdAt?: string } | null)[] | null } } | null;
      }>(documents.baseChanged, { id }, false);
      return answer.node?.timelineItems?.nodes?.at(-1)?.createdAt ?? null;
    },
  };
}
