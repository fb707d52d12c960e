/** Actions of people and Apps in issues, and in the conversation of pull requests. */
import type { Doer } from "../access.ts";
import { invalid } from "../answer.ts";
import { isPull, pullRequest } from "../resources/pull-request.ts";
import { issue, issueComment, label } from "../resources/thread.ts";
import { userById } from "../resources/user.ts";
import type { Site } from "../site.ts";
import {
  type Comment,
  type Label,
  type Reaction,
  type ReactionContent,
  type Repository,
  type Thread,
  takeId,
} from "../state.ts";

/** GitHub refuses longer bodies. */
const bodyCharactersMax = 65_536;

export function checkBody(resource: string, body: string | null | undefined): void {
  if (body != null && body.length > bodyCharactersMax) {
    throw invalid(resource, "body", "custom", `body is too long (maximum is ${bodyCharactersMax} characters)`);
  }
}

export function newThread(
  site: Site,
  repository: Repository,
  given: { title: string; body: string | null; doer: Doer; labels?: string[]; assigneeIds?: number[] },
): Thread {
  const now = site.timestamp();
  const thread: Thread = {
    id: takeId(site.state),
    number: repository.nextNumber++,
    title: given.title,
    body: given.body,
    state: "open",
    stateReason: null,
    authorId: given.doer.accountId,
    appId: given.doer.appId,
    labelIds: (given.labels ?? []).map((name) => ensureLabel(site, repository, name).id),
    assigneeIds: given.assigneeIds ?? [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedById: null,
    reactions: [],
    locked: false,
    pull: null,
  };
  repository.threads.set(thread.number, thread);
  return thread;
}

export function openIssue(
  site: Site,
  repository: Repository,
  given: { title: string; body: string | null; doer: Doer; labels?: string[]; assigneeIds?: number[] },
): Thread {
  checkBody("Issue", given.body);
  const thread = newThread(site, repository, given);
  tellThread(site, repository, { thread, action: "opened", doer: given.doer });
  return thread;
}

/** `issues.*` for an issue, `pull_request.*` for a pull request. */
export function tellThread(
  site: Site,
  repository: Repository,
  given: { thread: Thread; action: string; doer: Doer; more?: object },
): void {
  const { thread } = given;
  const subject = isPull(thread)
    ? { number: thread.number, pull_request: pullPayload(site, repository, thread) }
    : { issue: issuePayload(site, repository, thread) };
  site.post({
    event: thread.pull === null ? "issues" : "pull_request",
    action: given.action,
    repository,
    senderId: given.doer.accountId,
    payload: { ...subject, ...given.more },
  });
}

/**
 * Only the API's answer names the person who closed the issue. The same goes for the client id of the App that wrote it.
 */
function issuePayload(site: Site, repository: Repository, thread: Thread): object {
  const { closed_by: _closedBy, performed_via_github_app: app, ...payload } = issue(site, repository, thread);
  if (app === null) return { ...payload, performed_via_github_app: null };
  const { client_id: _clientId, ...told } = app;
  return { ...payload, performed_via_github_app: told };
}

function pullPayload(site: Site, repository: Repository, thread: Thread) {
  if (!isPull(thread)) return null;
  // GitHub has not computed it when it sends the event.
  const full = { ...pullRequest(site, repository, thread), mergeable: null, rebaseable: null };
  return thread.state === "open" ? { ...full, mergeable_state: "unknown" } : full;
}

export interface ThreadChange {
  title?: string | undefined;
  body?: string | null | undefined;
  state?: "open" | "closed" | undefined;
  stateReason?: "completed" | "not_planned" | "reopened" | null | undefined;
  labels?: string[] | undefined;
  assigneeIds?: number[] | undefined;
}

export function editThread(
  site: Site,
  repository: Repository,
  given: { thread: Thread; change: ThreadChange; doer: Doer },
): void {
  const { thread, change, doer } = given;
  checkBody("Issue", change.body);
  const changes: Record<string, { from: string }> = {};
  if (change.title !== undefined && change.title !== thread.title) {
    changes["title"] = { from: thread.title };
    thread.title = change.title;
  }
  if (change.body !== undefined && change.body !== thread.body) {
    changes["body"] = { from: thread.body ?? "" };
    thread.body = change.body;
    thread.editedAt = site.timestamp();
  }
  thread.updatedAt = site.timestamp();
  if (Object.keys(changes).length > 0)
    tellThread(site, repository, { thread, action: "edited", doer, more: { changes } });
  if (change.labels !== undefined) setLabels(site, repository, { thread, names: change.labels, doer });
  if (change.assigneeIds !== undefined) setAssignees(site, repository, { thread, ids: change.assigneeIds, doer });
  if (change.state !== undefined && change.state !== thread.state) {
    if (change.state === "closed") closeThread(site, repository, { thread, doer, reason: change.stateReason });
    else reopenThread(site, repository, { thread, doer });
  }
}

/**
 * An admin deletes an issue in the browser. No route of REST does it. The number stays taken.
 * Sources: https://docs.github.com/en/issues/tracking-your-work-with-issues/administering-issues/deleting-an-issue and
 * https://docs.github.com/en/rest/issues/issues#get-an-issue (status 410 of a deleted issue)
 */
export function deleteIssue(site: Site, repository: Repository, given: { thread: Thread; doer: Doer }): void {
  const { thread, doer } = given;
  repository.threads.delete(thread.number);
  repository.deletedIssues.add(thread.number);
  for (const [id, { threadNumber }] of repository.comments)
    if (threadNumber === thread.number) repository.comments.delete(id);
  tellThread(site, repository, { thread, action: "deleted", doer });
}

/** Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues (`locked`, `unlocked`) */
export function lockThread(
  site: Site,
  repository: Repository,
  given: { thread: Thread; locked: boolean; doer: Doer },
): void {
  const { thread, locked, doer } = given;
  if (thread.locked === locked) return;
  thread.locked = locked;
  thread.updatedAt = site.timestamp();
  tellThread(site, repository, { thread, action: locked ? "locked" : "unlocked", doer });
}

export function closeThread(
  site: Site,
  repository: Repository,
  given: { thread: Thread; doer: Doer; reason?: Thread["stateReason"] | undefined },
): void {
  const { thread, doer } = given;
  const now = site.timestamp();
  thread.state = "closed";
  thread.stateReason = thread.pull === null ? (given.reason ?? "completed") : null;
  thread.closedAt = now;
  thread.updatedAt = now;
  thread.closedById = doer.accountId;
  tellThread(site, repository, { thread, action: "closed", doer });
}

export function reopenThread(site: Site, repository: Repository, given: { thread: Thread; doer: Doer }): void {
  const { thread, doer } = given;
  thread.state = "open";
  thread.stateReason = thread.pull === null ? "reopened" : null;
  thread.closedAt = null;
  thread.closedById = null;
  thread.updatedAt = site.timestamp();
  tellThread(site, repository, { thread, action: "reopened", doer });
}

export function ensureLabel(site: Site, repository: Repository, name: string): Label {
  for (const one of repository.labels.values()) if (one.name.toLowerCase() === name.toLowerCase()) return one;
  const made: Label = { id: takeId(site.state), name, color: "ededed", description: null };
  repository.labels.set(made.id, made);
  return made;
}

export function setLabels(
  site: Site,
  repository: Repository,
  given: { thread: Thread; names: string[]; doer: Doer },
): void {
  const { thread, doer } = given;
  const wanted = given.names.map((name) => ensureLabel(site, repository, name));
  const before = thread.labelIds;
  thread.labelIds = [...new Set(wanted.map((one) => one.id))];
  thread.updatedAt = site.timestamp();
  const tell = (id: number, action: string): void => {
    const one = repository.labels.get(id);
    if (one === undefined) return;
    tellThread(site, repository, { thread, action, doer, more: { label: label(site, repository, one) } });
  };
  for (const id of thread.labelIds) if (!before.includes(id)) tell(id, "labeled");
  for (const id of before) if (!thread.labelIds.includes(id)) tell(id, "unlabeled");
}

function setAssignees(site: Site, repository: Repository, given: { thread: Thread; ids: number[]; doer: Doer }): void {
  const { thread, doer } = given;
  const before = thread.assigneeIds;
  thread.assigneeIds = given.ids;
  const tell = (id: number, action: string): void =>
    tellThread(site, repository, { thread, action, doer, more: { assignee: userById(site, id) } });
  for (const id of given.ids) if (!before.includes(id)) tell(id, "assigned");
  for (const id of before) if (!given.ids.includes(id)) tell(id, "unassigned");
}

function tellComment(
  site: Site,
  repository: Repository,
  given: { comment: Comment; action: string; doer: Doer; more?: object },
): void {
  const thread = repository.threads.get(given.comment.threadNumber);
  if (thread === undefined) return;
  site.post({
    event: "issue_comment",
    action: given.action,
    repository,
    senderId: given.doer.accountId,
    payload: {
      issue: issuePayload(site, repository, thread),
      comment: issueComment(site, repository, given.comment),
      ...given.more,
    },
  });
}

export function addComment(
  site: Site,
  repository: Repository,
  given: { thread: Thread; body: string; doer: Doer },
): Comment {
  checkBody("IssueComment", given.body);
  const now = site.timestamp();
  const comment: Comment = {
    id: takeId(site.state),
    threadNumber: given.thread.number,
    authorId: given.doer.accountId,
    appId: given.doer.appId,
    body: given.body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
  };
  repository.comments.set(comment.id, comment);
  given.thread.updatedAt = now;
  tellComment(site, repository, { comment, action: "created", doer: given.doer });
  return comment;
}

export function editComment(
  site: Site,
  repository: Repository,
  given: { comment: Comment; body: string; doer: Doer },
): void {
  checkBody("IssueComment", given.body);
  const { comment } = given;
  const changes = { body: { from: comment.body } };
  comment.body = given.body;
  comment.updatedAt = site.timestamp();
  comment.editedAt = comment.updatedAt;
  tellComment(site, repository, { comment, action: "edited", doer: given.doer, more: { changes } });
}

export function deleteComment(site: Site, repository: Repository, given: { comment: Comment; doer: Doer }): void {
  repository.comments.delete(given.comment.id);
  tellComment(site, repository, { ...given, action: "deleted" });
}

/** A repeated reaction of the same person counts once. */
export function react(
  site: Site,
  reactions: Reaction[],
  given: { content: ReactionContent; doer: Doer },
): { reaction: Reaction; isNew: boolean } {
  const existing = reactions.find((one) => one.userId === given.doer.accountId && one.content === given.content);
  if (existing !== undefined) return { reaction: existing, isNew: false };
  const made: Reaction = {
    id: takeId(site.state),
    userId: given.doer.accountId,
    content: given.content,
    createdAt: site.timestamp(),
  };
  reactions.push(made);
  return { reaction: made, isNew: true };
}
