/** Issues, comments, labels, reactions. */
import { z } from "zod";
import { created, noContent, notFound, ok, Refusal } from "../answer.ts";
import { isShown } from "../deeds/reviews.ts";
import {
  addComment,
  deleteComment,
  editComment,
  editThread,
  ensureLabel,
  openIssue,
  react,
  setLabels,
} from "../deeds/threads.ts";
import { issue, issueComment, label, labelsOf, reaction } from "../resources/thread.ts";
import { bodyOf, listed, type RepositoryContext, repositoryRoute, threadOf } from "../route.ts";
import { type Comment, findAccount, type Reaction, reactionContents, type Thread } from "../state.ts";
import { atLeastIn } from "./people.ts";

const read = "issues:read|pull_requests:read";
const write = "issues:write|pull_requests:write";

const labelName = z.union([z.string(), z.object({ name: z.string() })]);
const names = (labels: z.infer<typeof labelName>[] | undefined): string[] =>
  (labels ?? []).map((one) => (typeof one === "string" ? one : one.name));

const newIssue = z.object({
  title: z.union([z.string().min(1), z.number()]).transform(String),
  body: z.string().nullish(),
  labels: z.array(labelName).optional(),
  assignees: z.array(z.string()).optional(),
});

const issueChange = z.object({
  title: z
    .union([z.string().min(1), z.number()])
    .transform(String)
    .optional(),
  body: z.string().nullable().optional(),
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.enum(["completed", "not_planned", "duplicate", "reopened"]).nullable().optional(),
  labels: z.array(labelName).optional(),
  assignees: z.array(z.string()).optional(),
});

function accountIds(context: RepositoryContext, logins: string[] | undefined): number[] | undefined {
  return logins?.map((login) => {
    const account = findAccount(context.site.state, login);
    if (account === undefined)
      throw new Refusal(422, "Validation Failed", { errors: [{ field: "assignees", value: login }] });
    return account.id;
  });
}

function commentOf(context: RepositoryContext): Comment {
  const comment = context.repository.comments.get(Number(context.params["id"]));
  if (comment === undefined) throw notFound();
  return comment;
}

/** People change their own texts. Maintainers change any text. An App with the grant may, too. */
function demandAuthor(context: RepositoryContext, authorId: number): void {
  if (context.actor.kind !== "user" || context.doer.accountId === authorId) return;
  if (!atLeastIn(context, "write")) throw new Refusal(403, "Must have admin rights to Repository.");
}

/**
 * An App is not a collaborator, whatever grants it has.
 * Source: https://github.com/renovatebot/renovate/issues/6215 (403 and its words)
 */
function demandUnlocked(context: RepositoryContext, thread: Thread | undefined): void {
  if (thread?.locked !== true || (context.actor.kind === "user" && atLeastIn(context, "write"))) return;
  throw new Refusal(403, "Unable to create comment because issue is locked.");
}

/**
 * Nobody reacts in a locked thread, not even with write access. REST's words are in `test/github/unverified.md`.
 * Source: https://github.com/GitHawkApp/GitHawk/issues/2297 ("even if you have write access to the repository")
 */
function demandReactable(thread: Thread | undefined): void {
  if (thread?.locked === true) throw new Refusal(403, "Unable to create comment because issue is locked.");
}

function commentsOf(context: RepositoryContext, thread: Thread | null): Comment[] {
  const since = Date.parse(context.request.query.get("since") ?? "1970-01-01T00:00:00Z");
  return [...context.repository.comments.values()]
    .filter((one) => thread === null || one.threadNumber === thread.number)
    .filter((one) => Date.parse(one.updatedAt) >= since)
    .toSorted((a, b) => a.id - b.id)
    .toSorted(inOrder(context.request.query, "asc"));
}

/** `sort` and `direction` of a list. The sort is stable. Without `sort` the order does not change. */
function inOrder(query: URLSearchParams, otherwise: "asc" | "desc") {
  const sort = query.get("sort");
  const sign = (query.get("direction") ?? otherwise) === "asc" ? 1 : -1;
  const at = (one: { createdAt: string; updatedAt: string }): number =>
    sort === "updated" ? Date.parse(one.updatedAt) : sort === "created" ? Date.parse(one.createdAt) : 0;
  return (a: Parameters<typeof at>[0], b: Parameters<typeof at>[0]): number => sign * (at(a) - at(b));
}

function issuesOf(context: RepositoryContext): Thread[] {
  const { query } = context.request;
  const state = query.get("state") ?? "open";
  const wanted = (query.get("labels") ?? "").split(",").filter((one) => one !== "");
  const since = Date.parse(query.get("since") ?? "1970-01-01T00:00:00Z");
  const creator = query.get("creator");
  const author = creator === null ? null : findAccount(context.view.state, creator);
  return [...context.repository.threads.values()]
    .filter((one) => state === "all" || one.state === state)
    .filter((one) => Date.parse(one.updatedAt) >= since)
    .filter((one) => author === null || one.authorId === author?.id)
    .filter((one) => {
      const has = one.labelIds.map((id) => context.repository.labels.get(id)?.name);
      return wanted.every((name) => has.includes(name));
    })
    .toSorted((a, b) => (query.get("direction") === "asc" ? a.number - b.number : b.number - a.number))
    .toSorted(inOrder(query, "desc"));
}

const reactionBody = z.object({ content: z.enum(reactionContents) });

function addReaction(context: RepositoryContext, reactions: Reaction[]) {
  const { content } = bodyOf(context, reactionBody);
  const made = react(context.site, reactions, { content, doer: context.doer });
  const object = reaction(context.view, made.reaction);
  return made.isNew ? created(object) : ok(object);
}

function listReactions(context: RepositoryContext, reactions: Reaction[]) {
  const content = context.request.query.get("content");
  const some = reactions.filter((one) => content === null || one.content === content);
  return listed(context, some, (one) => reaction(context.view, one));
}

function removeReaction(context: RepositoryContext, reactions: Reaction[]) {
  const at = reactions.findIndex((one) => one.id === Number(context.params["reaction"]));
  const found = reactions[at];
  if (found === undefined) throw notFound();
  if (found.userId !== context.doer.accountId) throw new Refusal(403, "Must be the author of the reaction");
  reactions.splice(at, 1);
  return noContent;
}

function reviewCommentReactions(context: RepositoryContext): Reaction[] {
  for (const thread of context.repository.threads.values()) {
    const found = thread.pull?.reviewComments.find((one) => one.id === Number(context.params["id"]));
    const review = thread.pull?.reviews.find(({ id }) => id === found?.reviewId);
    if (found !== undefined && (review === undefined || isShown(review, context))) return found.reactions;
  }
  throw notFound();
}

const show = (context: RepositoryContext, thread: Thread) => issue(context.view, context.repository, thread);
const showComment = (context: RepositoryContext, one: Comment) => issueComment(context.view, context.repository, one);
const showLabels = (context: RepositoryContext, thread: Thread) => labelsOf(context.view, context.repository, thread);

const labelRoutes = [
  repositoryRoute("GET /labels", read, (context) =>
    listed(context, [...context.repository.labels.values()], (one) => label(context.view, context.repository, one)),
  ),
  // Source: https://docs.github.com/en/rest/issues/labels#create-a-label
  repositoryRoute("POST /labels", write, (context) => {
    const given = bodyOf(
      context,
      z.object({ name: z.string().min(1), color: z.string().optional(), description: z.string().nullish() }),
    );
    const taken = [...context.repository.labels.values()].some((one) => one.name === given.name);
    if (taken) {
      throw new Refusal(422, "Validation Failed", {
        errors: [{ resource: "Label", code: "already_exists", field: "name" }],
      });
    }
    const one = ensureLabel(context.site, context.repository, given.name);
    one.color = given.color ?? one.color;
    one.description = given.description ?? null;
    return created(label(context.view, context.repository, one));
  }),
  repositoryRoute("GET /issues/:number/labels", read, (context) =>
    listed(context, showLabels(context, threadOf(context)), (one) => one),
  ),
  // Source: https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue
  repositoryRoute(
    "POST /issues/:number/labels",
    write,
    (context) => {
      const thread = threadOf(context);
      const given = bodyOf(context, z.union([z.object({ labels: z.array(labelName) }), z.array(labelName)]));
      const added = names(Array.isArray(given) ? given : given.labels);
      const before = showLabels(context, thread).map((one) => one.name);
      setLabels(context.site, context.repository, { thread, names: [...before, ...added], doer: context.doer });
      return ok(showLabels(context, thread));
    },
    "triage",
  ),
  // Source: https://docs.github.com/en/rest/issues/labels#set-labels-for-an-issue
  repositoryRoute(
    "PUT /issues/:number/labels",
    write,
    (context) => {
      const thread = threadOf(context);
      const given = bodyOf(context, z.object({ labels: z.array(labelName).optional() }));
      setLabels(context.site, context.repository, { thread, names: names(given.labels), doer: context.doer });
      return ok(showLabels(context, thread));
    },
    "triage",
  ),
  // Source: https://docs.github.com/en/rest/issues/labels#remove-a-label-from-an-issue
  repositoryRoute(
    "DELETE /issues/:number/labels/:name",
    write,
    (context) => {
      const thread = threadOf(context);
      const before = showLabels(context, thread).map((one) => one.name);
      const name = context.params["name"] ?? "";
      if (!before.includes(name)) throw new Refusal(404, "Label does not exist");
      const left = before.filter((one) => one !== name);
      setLabels(context.site, context.repository, { thread, names: left, doer: context.doer });
      return ok(showLabels(context, thread));
    },
    "triage",
  ),
];

const reactionRoutes = [
  repositoryRoute("GET /issues/comments/:id/reactions", read, (context) =>
    listReactions(context, commentOf(context).reactions),
  ),
  // Source: https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment
  repositoryRoute(
    "POST /issues/comments/:id/reactions",
    write,
    (context) => {
      const comment = commentOf(context);
      demandReactable(context.repository.threads.get(comment.threadNumber));
      return addReaction(context, comment.reactions);
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/reactions/reactions#delete-an-issue-comment-reaction
  repositoryRoute(
    "DELETE /issues/comments/:id/reactions/:reaction",
    write,
    (context) => removeReaction(context, commentOf(context).reactions),
    "read",
  ),
  repositoryRoute("GET /issues/:number/reactions", read, (context) =>
    listReactions(context, threadOf(context).reactions),
  ),
  // Source: https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue
  repositoryRoute(
    "POST /issues/:number/reactions",
    write,
    (context) => {
      demandReactable(threadOf(context));
      return addReaction(context, threadOf(context).reactions);
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/reactions/reactions#delete-an-issue-reaction
  repositoryRoute(
    "DELETE /issues/:number/reactions/:reaction",
    write,
    (context) => removeReaction(context, threadOf(context).reactions),
    "read",
  ),
  repositoryRoute("GET /pulls/comments/:id/reactions", "pull_requests:read", (context) =>
    listReactions(context, reviewCommentReactions(context)),
  ),
  // Source: https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-a-pull-request-review-comment
  repositoryRoute(
    "POST /pulls/comments/:id/reactions",
    "pull_requests:write",
    (context) => addReaction(context, reviewCommentReactions(context)),
    "read",
  ),
];

const commentRoutes = [
  repositoryRoute("GET /issues/comments", read, (context) =>
    listed(context, commentsOf(context, null), (one) => showComment(context, one)),
  ),
  repositoryRoute("GET /issues/comments/:id", read, (context) => ok(showComment(context, commentOf(context)))),
  // Source: https://docs.github.com/en/rest/issues/comments#update-an-issue-comment
  repositoryRoute(
    "PATCH /issues/comments/:id",
    write,
    (context) => {
      const comment = commentOf(context);
      demandAuthor(context, comment.authorId);
      demandUnlocked(context, context.repository.threads.get(comment.threadNumber));
      const { body } = bodyOf(context, z.object({ body: z.string().min(1) }));
      editComment(context.site, context.repository, { comment, body, doer: context.doer });
      return ok(showComment(context, comment));
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment
  repositoryRoute(
    "DELETE /issues/comments/:id",
    write,
    (context) => {
      const comment = commentOf(context);
      demandAuthor(context, comment.authorId);
      deleteComment(context.site, context.repository, { comment, doer: context.doer });
      return noContent;
    },
    "read",
  ),
  repositoryRoute("GET /issues/:number/comments", read, (context) =>
    listed(context, commentsOf(context, threadOf(context)), (one) => showComment(context, one)),
  ),
  // Source: https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
  repositoryRoute(
    "POST /issues/:number/comments",
    write,
    (context) => {
      const thread = threadOf(context);
      demandUnlocked(context, thread);
      const { body } = bodyOf(context, z.object({ body: z.string().min(1) }));
      const comment = addComment(context.site, context.repository, { thread, body, doer: context.doer });
      return created(showComment(context, comment));
    },
    "read",
  ),
];

export const issueRoutes = [
  ...commentRoutes,
  ...reactionRoutes,
  ...labelRoutes,
  repositoryRoute("GET /issues", read, (context) => listed(context, issuesOf(context), (one) => show(context, one))),
  // Source: https://docs.github.com/en/rest/issues/issues#create-an-issue
  repositoryRoute(
    "POST /issues",
    "issues:write",
    (context) => {
      const given = bodyOf(context, newIssue);
      const thread = openIssue(context.site, context.repository, {
        title: given.title,
        body: given.body ?? null,
        doer: context.doer,
        labels: names(given.labels),
        assigneeIds: accountIds(context, given.assignees) ?? [],
      });
      return created(show(context, thread));
    },
    "read",
  ),
  repositoryRoute("GET /issues/:number", read, (context) => ok(show(context, threadOf(context)))),
  // Source: https://docs.github.com/en/rest/issues/issues#update-an-issue
  repositoryRoute(
    "PATCH /issues/:number",
    write,
    (context) => {
      const thread = threadOf(context);
      demandAuthor(context, thread.authorId);
      const given = bodyOf(context, issueChange);
      const { state_reason: reason } = given;
      editThread(context.site, context.repository, {
        thread,
        doer: context.doer,
        change: {
          title: given.title,
          body: given.body,
          state: given.state,
          stateReason: reason === "duplicate" ? "not_planned" : reason,
          labels: given.labels === undefined ? undefined : names(given.labels),
          assigneeIds: accountIds(context, given.assignees),
        },
      });
      return ok(show(context, thread));
    },
    "read",
  ),
];
