/**
 * Commands whose jobs never ran: a full concurrency group drops a job, and GitHub sends its event to nobody else.
 * The thread itself is the list of what was asked: whoever drives it reads again what is newer than what came in.
 *
 * MC1 A comment has one name however it is found, so that it is handled once (AE2).
 * MC2 What was edited is not executed: what it said when it was written is not known any more.
 */
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { Delivery, NewDelivery } from "../ports/store.ts";
import { toActionEvent } from "./event.ts";

/** Clocks differ, and an event may come in later than its comment was written. */
const slackMs = 10 * 60_000;
/** In a thread where nothing came in yet. */
const firstLookMs = 24 * 3_600_000;

export async function missedComments(given: {
  github: Github;
  repository: Repository;
  number: number;
  /** What came in before this job's own event. */
  known: Iterable<Delivery>;
  workflowRunId: string;
  now: number;
}): Promise<NewDelivery[]> {
  const { github, repository, number, workflowRunId, now } = given;
  const known = [...given.known];
  const names = new Set(known.map(({ guid }) => guid));
  const newest = Math.max(now - firstLookMs, ...known.map(({ receivedAt }) => receivedAt));
  const since = Math.floor((newest - slackMs) / 1_000) * 1_000;
  const comments = await github.comments(repository, number, new Date(since).toISOString());
  return comments
    .filter(({ createdAt, updatedAt }) => createdAt === updatedAt && Date.parse(createdAt) >= since)
    .flatMap(({ id, body, author }) => {
      const event = toActionEvent({
        name: "issue_comment",
        payload: {
          action: "created",
          comment: {
            id,
            body,
            user: { id: author.id, login: author.login, type: author.kind === "user" ? "User" : "Bot" },
          },
          issue: { number },
          repository: {
            id: repository.id,
            name: repository.name,
            default_branch: repository.defaultBranch,
            owner: { login: repository.owner },
          },
        },
        workflowRunId,
        now,
      });
      return event.kind === "thread" && !names.has(event.delivery.guid) ? [event.delivery] : [];
    });
}
