/**
 * A delivery's payload to what it means for Baton. Only the fields needed, each checked; anything else is ignored with a reason.
 * Nothing here throws: old, partial and hostile payloads are answers too.
 */
import { z } from "zod";
import type { CommentEvent } from "../commands/handle-comment.ts";
import { type Repository, repositoryOf } from "../core/vocabulary.ts";

const user = z.object({ id: z.number().int(), login: z.string().min(1), type: z.string() });
const repository = z.object({
  id: z.number().int(),
  name: z.string(),
  default_branch: z.string(),
  owner: z.object({ login: z.string() }),
});
const base = z.object({ installation: z.object({ id: z.number().int() }), repository });
const commentPayload = base.extend({
  action: z.string(),
  issue: z.object({ number: z.number().int() }),
  comment: z.object({ id: z.number().int(), body: z.string(), user }),
});
const issuePayload = base.extend({
  action: z.string(),
  issue: z.object({ number: z.number().int(), body: z.string().nullable(), user }),
  sender: z.object({ id: z.number().int() }),
});
const pullPayload = base.extend({
  action: z.string(),
  pull_request: z.object({ number: z.number().int(), head: z.object({ sha: z.string() }) }),
});
/** After these the files of a pull request, or what they are compared with, may be others. */
const filesMayChange = new Set(["opened", "reopened", "synchronize", "edited"]);
const headSha = z.object({ head_sha: z.string() }).optional();
const checkPayload = base.extend({ check_run: headSha, check_suite: headSha, workflow_run: headSha });
const statusPayload = base.extend({ sha: z.string() });

/** Events that can mean something; for others a missed delivery is not asked for again. */
export const meaningfulEvents: ReadonlySet<string> = new Set([
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "check_run",
  "check_suite",
  "workflow_run",
  "status",
]);

export type ThreadEvent =
  | ({ kind: "comment" } & CommentEvent)
  /** Facts of these pull requests or commits changed. */
  | { kind: "facts"; repositoryId: number; watches: string[]; changed?: { repository: Repository; number: number } }
  | { kind: "ignored"; reason: string };

export function toThreadEvent(event: string, payload: unknown): ThreadEvent {
  switch (event) {
    case "issue_comment": {
      const parsed = commentPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { action, comment, issue, repository: found, installation } = parsed.data;
      // A comment cannot become a command after the fact: edits are never executed.
      if (action !== "created") return { kind: "ignored", reason: `issue_comment.${action} is never executed` };
      return {
        kind: "comment",
        repository: repositoryOf(found, installation.id),
        number: issue.number,
        commentId: comment.id,
        body: comment.body,
        author: { id: comment.user.id, login: comment.user.login, kind: comment.user.type === "User" ? "user" : "bot" },
      };
    }
    case "issues": {
      const parsed = issuePayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { action, issue, sender, repository: found, installation } = parsed.data;
      if (action !== "opened") return { kind: "ignored", reason: `issues.${action} is never executed` };
      // An issue that somebody moves here is opened anew, with the text of another.
      if (sender.id !== issue.user.id) return { kind: "ignored", reason: "an issue that its author did not open here" };
      return {
        kind: "comment",
        repository: repositoryOf(found, installation.id),
        number: issue.number,
        commentId: null,
        body: issue.body ?? "",
        author: { id: issue.user.id, login: issue.user.login, kind: issue.user.type === "User" ? "user" : "bot" },
      };
    }
    case "pull_request":
    case "pull_request_review":
    case "pull_request_review_comment": {
      const parsed = pullPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { action, installation, repository: found } = parsed.data;
      const { number, head } = parsed.data.pull_request;
      return {
        kind: "facts",
        repositoryId: found.id,
        watches: [`pull:${found.id}/${number}`, `sha:${head.sha}`],
        ...(event === "pull_request" && filesMayChange.has(action)
          ? { changed: { repository: repositoryOf(found, installation.id), number } }
          : {}),
      };
    }
    case "check_run":
    case "check_suite":
    case "workflow_run": {
      const parsed = checkPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const sha =
        parsed.data.check_run?.head_sha ?? parsed.data.check_suite?.head_sha ?? parsed.data.workflow_run?.head_sha;
      return sha === undefined
        ? { kind: "ignored", reason: `${event} without a commit` }
        : { kind: "facts", repositoryId: parsed.data.repository.id, watches: [`sha:${sha}`] };
    }
    case "status": {
      const parsed = statusPayload.safeParse(payload);
      return parsed.success
        ? { kind: "facts", repositoryId: parsed.data.repository.id, watches: [`sha:${parsed.data.sha}`] }
        : incomplete(event, parsed.error);
    }
    default:
      return { kind: "ignored", reason: `${event} means nothing to Baton` };
  }
}

function incomplete(event: string, error: z.ZodError): ThreadEvent {
  const fields = error.issues.slice(0, 3).map(({ path }) => path.join("."));
  return { kind: "ignored", reason: `${event} without ${fields.join(", ")}` };
}
