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
  resolveThread:
    "mutation($input: ResolveReviewThreadInput!) { resolveReviewThread(input: $input) { thread { isResolved } } }",
  threads:
    "query($id: ID!, $after: String) { node(id: $id) { ... on PullRequest { reviewThreads(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { id isResolved comments(first: 1) { nodes { body author { __typename login } reactions(first: 20) { nodes { content user { login } } } } } } } } } }",
  queued: "query($id: ID!) { node(id: $id) { ... on PullRequest { isInMergeQueue } } }",
  // REST has only the time of the last change, in whole seconds. It may differ from the creation without any edit.
  // Source: https://github.com/palantir/policy-bot/pull/459
  edits:
    "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id lastEditedAt includesCreatedEdit } ... on Issue { id lastEditedAt includesCreatedEdit } } }",
  // REST has these events too, but only as all events of a pull request, oldest first.
  baseChanged:
    "query($id: ID!) { node(id: $id) { ... on PullRequest { timelineItems(last: 1, itemTypes: [BASE_REF_CHANGED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT]) { nodes { ... on BaseRefChangedEvent { createdAt } ... on AutomaticBaseChangeSucceededEvent { createdAt } } } } } }",
} as const;

export interface ThreadNode {
  id: string;
  isResolved: boolean;
  comments: {
    nodes:
      | ({
          body: string;
          /** null: the account is gone. The login of an App's bot has no `[bot]` here. */
          author: { __typename: string; login: string } | null;
          reactions: { nodes: ({ content: string; user: { login: string } | null } | null)[] | null };
        } | null)[]
      | null;
  };
}

interface ThreadsAnswer {
  node: {
    reviewThreads?: {
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
      nodes: (ThreadNode | null)[] | null;
    };
  } | null;
}

const threadPagesMax = 10;

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

    /** Source: https://docs.github.com/en/graphql/reference/mutations#resolvereviewthread */
    async resolveThread(threadId: string): Promise<void> {
      await mutate(documents.resolveThread, { threadId }, "edit");
    },

    /** Source: https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread */
    async threads(id: string): Promise<ThreadNode[]> {
      const found: ThreadNode[] = [];
      let after: string | null = null;
      for (let page = 1; page <= threadPagesMax; page += 1) {
        const answer: ThreadsAnswer = await requester.graphql<ThreadsAnswer>(documents.threads, { id, after }, false);
        const threads = answer.node?.reviewThreads;
        for (const node of threads?.nodes ?? []) if (node !== null) found.push(node);
        after = threads?.pageInfo.endCursor ?? null;
        if (threads?.pageInfo.hasNextPage !== true || after === null) break;
      }
      return found;
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
      }>(documents.edits, { ids }, false, { partial: true });
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
