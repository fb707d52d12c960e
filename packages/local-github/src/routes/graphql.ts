/**
 * The part of GitHub's GraphQL API that Baton uses: one operation per document, by its field.
 *
 * GQ1 Unknown fields are errors. An answer with errors is 200, as on GitHub.
 * Source: https://docs.github.com/en/graphql/guides/forming-calls-with-graphql and, for errors with a type,
 * https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */
import { z } from "zod";
import { type Actor, type Demand, type Doer, demand, doerOf } from "../access.ts";
import { ok, Refusal } from "../answer.ts";
import { enqueue, updateBranch } from "../deeds/merge.ts";
import { pullRange } from "../deeds/pulls.ts";
import { tellThread } from "../deeds/threads.ts";
import { demandWorkflowsToMerge } from "../deeds/workflow-files.ts";
import { selected, selectionOf, UnknownField } from "../graphql-selection.ts";
import { isPull, type PullThread } from "../resources/pull-request.ts";
import { bodyOf, type Context, route } from "../route.ts";
import { nodeId } from "../site.ts";
import type { Comment, Repository, ReviewComment } from "../state.ts";

const asked = z.object({ query: z.string().min(1), variables: z.record(z.string(), z.unknown()).default({}) });

interface Problem {
  type: "NOT_FOUND" | "FORBIDDEN" | "UNPROCESSABLE" | "ARGUMENT_LIMIT";
  message: string;
}

class GraphqlRefusal extends Error {
  readonly type: Problem["type"];

  constructor(type: Problem["type"], message: string) {
    super(message);
    this.type = type;
  }
}

type Input = Record<string, unknown>;

interface Mutation {
  /** Has every field of the answer. The selection is checked against it before anything changes, as on GitHub. */
  shape: object;
  perform(context: Context, input: Input): Promise<object> | object;
}

function mutation<T extends object>(
  shape: T,
  perform: (context: Context, input: Input) => Promise<NoInfer<T>> | NoInfer<T>,
): Mutation {
  return { shape, perform };
}

const textOf = (input: Input, name: string): string | null => {
  const value = input[name];
  return typeof value === "string" ? value : null;
};

/** Source: https://docs.github.com/en/graphql/guides/using-global-node-ids */
function named<T>(context: Context, id: unknown, found: (repository: Repository) => T | undefined): [Repository, T] {
  for (const repository of context.site.state.repositories.values()) {
    const one = found(repository);
    if (one !== undefined) return [repository, one];
  }
  throw new GraphqlRefusal("NOT_FOUND", `Could not resolve to a node with the global id of '${String(id)}'`);
}

function pullNamed(context: Context, input: Input): [Repository, PullThread] {
  const id = input["pullRequestId"];
  return named(context, id, (repository) =>
    [...repository.threads.values()].filter(isPull).find(({ pull }) => nodeId("PullRequest", pull.id) === id),
  );
}

function demandFor(context: Context, repository: Repository, wanted: Demand): Doer {
  try {
    demand(context.site.state, context.actor as Actor, { ...wanted, repository });
    if (repository.archived) throw new Refusal(403, "Repository was archived so is read-only.");
    return doerOf(context.actor);
  } catch (thrown) {
    if (thrown instanceof Refusal) throw new GraphqlRefusal("FORBIDDEN", thrown.message);
    throw thrown;
  }
}

const contents = { need: "contents:write", role: "write" } as const;
const pulls = { need: "pull_requests:write", role: "write" } as const;

const pullShape = { number: 1, isInMergeQueue: false, headRefOid: "", baseRefName: "" };

function partOf({ number, pull }: PullThread): typeof pullShape {
  return { number, isInMergeQueue: pull.queuedSha !== null, headRefOid: pull.headSha, baseRefName: pull.baseRef };
}

const minimizedShape: { minimizedComment: { isMinimized: boolean; minimizedReason: string | null } } = {
  minimizedComment: { isMinimized: true, minimizedReason: null },
};

/** Each mutation under its name. Source: https://docs.github.com/en/graphql/reference/mutations */
const mutations: Record<string, Mutation> = {
  enqueuePullRequest: mutation({ mergeQueueEntry: { position: 1, state: "QUEUED" } }, (context, input) => {
    const [repository, thread] = pullNamed(context, input);
    const doer = demandFor(context, repository, contents);
    enqueue(context.site, repository, { thread, sha: textOf(input, "expectedHeadOid"), doer });
    return { mergeQueueEntry: { position: 1, state: "QUEUED" } };
  }),
  updatePullRequestBranch: mutation({ pullRequest: pullShape }, async (context, input) => {
    const [repository, thread] = pullNamed(context, input);
    const doer = demandFor(context, repository, pulls);
    const sha = await updateBranch(context.site, repository, { thread, sha: textOf(input, "expectedHeadOid"), doer });
    return { pullRequest: { ...partOf(thread), headRefOid: sha } };
  }),
  enablePullRequestAutoMerge: mutation({ pullRequest: pullShape }, async (context, input) => {
    const [repository, thread] = pullNamed(context, input);
    const doer = demandFor(context, repository, contents);
    // Source: https://github.com/cli/cli/pull/14379 and https://github.com/atvirokodosprendimai/wgmesh/pull/173
    if (!repository.autoMerge)
      throw new GraphqlRefusal("UNPROCESSABLE", "Auto merge is not allowed for this repository");
    if (thread.pull.mergeable && !thread.pull.draft)
      throw new GraphqlRefusal("UNPROCESSABLE", "Pull request Pull request is in clean status");
    // Source: https://github.com/apple/pkl-project-commons/pull/63 (`enablePullRequestAutoMerge`)
    const { directory, from, to } = await pullRange(context.site, repository, thread.pull);
    await demandWorkflowsToMerge(directory, doer, { from, to });
    thread.pull.autoMergeBy = doer.accountId;
    tellThread(context.site, repository, { thread, action: "auto_merge_enabled", doer });
    return { pullRequest: partOf(thread) };
  }),
  minimizeComment: mutation(minimizedShape, (context, input) => {
    const id = input["subjectId"];
    // Source: https://docs.github.com/en/graphql/reference/interfaces#minimizable (comments and reviews)
    const [repository, comment] = named<Pick<Comment, "minimized">>(context, id, ({ comments, threads }) => {
      const reviews = [...threads.values()].filter(isPull).flatMap(({ pull }) => pull.reviews);
      return (
        [...comments.values()].find((one) => nodeId("IssueComment", one.id) === id) ??
        reviews.find((one) => nodeId("PullRequestReview", one.id) === id)
      );
    });
    demandFor(context, repository, { need: "issues:write", role: "write" });
    comment.minimized = textOf(input, "classifier");
    return { minimizedComment: { isMinimized: true, minimizedReason: comment.minimized?.toLowerCase() ?? null } };
  }),
  resolveReviewThread: mutation({ thread: { isResolved: true } }, (context, input) => {
    const id = input["threadId"];
    const [repository, first] = named(context, id, ({ threads }) =>
      [...threads.values()]
        .filter(isPull)
        .flatMap(({ pull }) => pull.reviewComments)
        .find((one) => nodeId("PullRequestReviewThread", one.id) === id),
    );
    demandFor(context, repository, contents);
    first.resolved = true;
    return { thread: { isResolved: true } };
  }),
};

function pullRequestState(context: Context, input: Input): object {
  const [repository, thread] = pullNamed(context, { pullRequestId: input["id"] });
  demandRead(context, repository);
  const { pull } = thread;
  return {
    __typename: "PullRequest",
    ...partOf(thread),
    reviewThreads: threadsOf(context, thread, textOf(input, "after")),
    // Source: https://docs.github.com/en/graphql/reference/objects#baserefchangedevent
    timelineItems: {
      nodes:
        pull.baseChangedAt === undefined ? [] : [{ __typename: "BaseRefChangedEvent", createdAt: pull.baseChangedAt }],
    },
  };
}

const threadsMax = 100;
const reactionNames = { "+1": "THUMBS_UP", "-1": "THUMBS_DOWN" } as Readonly<Record<string, string>>;

/**
 * One page of threads. A cursor is the number of threads before it.
 * Source: https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread
 */
function threadsOf({ site, actor }: Context, { pull }: PullThread, after: string | null): object {
  const viewer = actor.kind === "anonymous" ? null : doerOf(actor).accountId;
  const shown = new Set(
    pull.reviews.filter(({ state, authorId }) => state !== "PENDING" || authorId === viewer).map(({ id }) => id),
  );
  const firsts = pull.reviewComments.filter((one) => one.inReplyToId === null && shown.has(one.reviewId));
  const from = after === null ? 0 : Number(after);
  const some = firsts.slice(from, from + threadsMax);
  return {
    pageInfo: {
      hasNextPage: from + threadsMax < firsts.length,
      endCursor: some.length === 0 ? null : `${from + some.length}`,
    },
    nodes: some.map((first) => ({
      id: nodeId("PullRequestReviewThread", first.id),
      isResolved: first.resolved === true,
      // Only the first comment: documents ask for it alone.
      comments: { nodes: [threadComment(site, first)] },
    })),
  };
}

function threadComment(site: Context["site"], { authorId, body, reactions }: ReviewComment): object {
  const author = site.state.accounts.get(authorId);
  return {
    body,
    // The login of an App's bot has no `[bot]` in GraphQL.
    author:
      author === undefined
        ? null
        : {
            __typename: author.kind,
            login: author.kind === "Bot" ? author.login.replace(/\[bot\]$/, "") : author.login,
          },
    reactions: {
      nodes: reactions.map(({ content, userId }) => ({
        content: reactionNames[content] ?? content.toUpperCase(),
        user: { login: site.state.accounts.get(userId)?.login ?? "ghost" },
      })),
    },
  };
}

/** Source: https://github.com/sourcecred/sourcecred/pull/908 */
const nodesMax = 100;

/** A missing one is null, with an error of its own. Source: https://github.com/apache/devlake/issues/3491 */
function nodesNamed(context: Context, ids: unknown): { nodes: (object | null)[]; errors: object[] } {
  if (!Array.isArray(ids))
    throw new GraphqlRefusal("UNPROCESSABLE", "Variable $ids of type [ID!]! was provided invalid value");
  if (ids.length > nodesMax)
    throw new GraphqlRefusal(
      "ARGUMENT_LIMIT",
      `You may not provide more than ${nodesMax} node ids; you provided ${ids.length}.`,
    );
  const errors: object[] = [];
  const nodes = ids.map((id: unknown, index) => {
    try {
      return textNamed(context, id);
    } catch (thrown) {
      if (!(thrown instanceof GraphqlRefusal)) throw thrown;
      errors.push({ type: thrown.type, path: ["nodes", index], message: thrown.message });
      return null;
    }
  });
  return { nodes, errors };
}

/** Source: https://docs.github.com/en/graphql/reference/interfaces#comment */
function textNamed(context: Context, id: unknown): object {
  const [repository, [type, text]] = named(context, id, ({ comments, threads }) => {
    const comment = [...comments.values()].find((one) => nodeId("IssueComment", one.id) === id);
    if (comment !== undefined) return ["IssueComment", comment] as const;
    const issue = [...threads.values()].find((one) => one.pull === null && nodeId("Issue", one.id) === id);
    return issue === undefined ? undefined : (["Issue", issue] as const);
  });
  demandRead(context, repository, "issues:read");
  const { editedAt = null, createdAt, body } = text;
  return {
    __typename: type,
    id,
    body: body ?? "",
    createdAt,
    lastEditedAt: editedAt,
    includesCreatedEdit: editedAt !== null,
  };
}

function demandRead(context: Context, repository: Repository, need: Demand["need"] = "pull_requests:read"): void {
  try {
    demand(context.site.state, context.actor, { need, role: "read", repository });
  } catch (thrown) {
    if (thrown instanceof Refusal) throw new GraphqlRefusal("NOT_FOUND", "Could not resolve to a node.");
    throw thrown;
  }
}

function undefinedField(field: string, type: string): object {
  return {
    errors: [{ message: `Field '${field}' doesn't exist on type '${type}'`, extensions: { code: "undefinedField" } }],
  };
}

async function answer(context: Context): Promise<object> {
  const { query, variables } = bodyOf(context, asked);
  const [wanted] = selectionOf(query) ?? [];
  const field = wanted?.name ?? "";
  const isQuery = /^\s*(?:query\b|\{)/.test(query);
  const known = mutations[field];
  if (wanted === undefined || (isQuery ? !["node", "nodes"].includes(field) : known === undefined))
    return undefinedField(field, isQuery ? "Query" : "Mutation");
  try {
    if (!isQuery) selected(known?.shape, wanted.fields);
    if (field === "nodes") {
      const { nodes, errors } = nodesNamed(context, variables["ids"]);
      const data = { [field]: selected(nodes, wanted.fields) };
      return errors.length === 0 ? { data } : { data, errors };
    }
    const found = isQuery
      ? pullRequestState(context, variables)
      : await known?.perform(context, (variables["input"] ?? {}) as Input);
    return { data: { [field]: selected(found, wanted.fields) } };
  } catch (thrown) {
    if (thrown instanceof UnknownField) return undefinedField(thrown.field, field);
    const type = thrown instanceof GraphqlRefusal ? thrown.type : "UNPROCESSABLE";
    if (!(thrown instanceof GraphqlRefusal || thrown instanceof Refusal)) throw thrown;
    // `nodes` is never null, so its parent is.
    const data = field === "nodes" ? null : { [field]: null };
    return { data, errors: [{ type, path: [field], message: thrown.message }] };
  }
}

export const graphqlRoutes = [
  // Source: https://docs.github.com/en/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
  route("POST /graphql", "anyone", async (context) => {
    // Source: https://docs.github.com/en/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql
    if (context.actor.kind === "anonymous") throw new Refusal(401, "This endpoint requires you to be authenticated.");
    return ok(await answer(context));
  }),
];
