/**
 * Turns a delivery's payload into its meaning for Baton. It reads and checks only the fields that it needs, and ignores
 * anything else with a reason. Nothing here throws: old, partial and hostile payloads get an answer too.
 */
import { z } from "zod";
import type { InstallationNews } from "../begin/onboard.ts";
import type { DashboardEdit } from "../begin/tick-dashboard.ts";
import { type Json, jsonSchema, type Repository, repositoryOf } from "../core/vocabulary.ts";
import { parseMarker } from "../text/marker.ts";
import { type TriggerEvent, triggerDelivery, triggerEventSchema } from "../trigger/event.ts";
import type { CommentEvent } from "./handle-comment.ts";

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
  comment: z.object({ id: z.number().int(), body: z.string(), user, created_at: z.string().optional() }),
});
const issuePayload = base.extend({
  action: z.string(),
  issue: z.object({ number: z.number().int(), body: z.string().nullable(), user, created_at: z.string().optional() }),
  sender: z.object({ id: z.number().int() }),
});
const closedPayload = z.object({
  action: z.literal("closed"),
  pull_request: z.object({ merged: z.boolean(), closed_at: z.string().nullish() }),
});
const editPayload = base.extend({
  issue: z.object({ number: z.number().int(), body: z.string().nullable(), updated_at: z.string() }),
  changes: z.object({ body: z.object({ from: z.string() }) }),
  sender: user,
});
const pullPayload = base.extend({
  action: z.string(),
  pull_request: z.object({ number: z.number().int(), head: z.object({ sha: z.string() }) }),
});
/** A person's words in a review. Baton reads them for commands, and drops them if a field is missing. */
const reviewSaid = z.object({
  action: z.literal("submitted"),
  review: z.object({ id: z.number().int(), body: z.string(), user, submitted_at: z.string().nullish() }),
});
const lineSaid = z.object({
  action: z.literal("created"),
  comment: z.object({
    id: z.number().int(),
    body: z.string(),
    user,
    created_at: z.string().optional(),
    path: z.string(),
    line: z.number().int().nullish(),
    diff_hunk: z.string().nullish(),
  }),
});
/** After these actions, the files or the base of a pull request may differ. */
const filesMayChange = new Set(["opened", "reopened", "synchronize", "edited"]);
const headSha = z.object({ head_sha: z.string() }).optional();
const checkPayload = base.extend({ check_run: headSha, check_suite: headSha, workflow_run: headSha });
const schedulePayload = base.extend({ dashboard: z.number().int(), notice: z.string().nullable() });
const triggerPayload = z.object({ event: triggerEventSchema, dashboard: z.number().int().nullable() });
const requestPayload = z.object({
  rule: z.string(),
  repository: z.string(),
  payload: z.record(z.string(), jsonSchema),
  key: z.string(),
});
/** Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation. GitHub may leave `repositories` out. */
const reached = z.array(z.object({ id: z.number().int(), name: z.string() }));
const installationPayload = z.object({
  action: z.string(),
  installation: z.object({ id: z.number().int(), account: z.object({ login: z.string().regex(/^[\w-]{1,100}$/) }) }),
  repositories: reached.optional(),
  repositories_added: reached.optional(),
  repositories_removed: reached.optional(),
});
const pushPayload = base.extend({ ref: z.string() });
const statusPayload = base.extend({ sha: z.string() });

/** Events that can matter. Baton does not ask again for missed deliveries of other events. */
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
  "push",
  "release",
  "repository_dispatch",
  "workflow_dispatch",
  "installation",
  "installation_repositories",
]);

export type ThreadEvent =
  | ({ kind: "comment" } & CommentEvent)
  /** Facts of these pull requests or commits changed. */
  | {
      kind: "facts";
      repositoryId: number;
      watches: string[];
      changed?: { repository: Repository; number: number };
      /** People merged or closed a pull request. */
      decided?: { repository: Repository; number: number; end: "merged" | "closed"; at: string | null };
      /** A review or a comment on a line. Baton reads it for commands as it reads any comment. */
      said?: CommentEvent;
    }
  /** The default branch moved. */
  | { kind: "pushed"; repository: Repository }
  /** The workflow woke a job of Actions, and a schedule may be due. */
  | { kind: "schedules"; repository: Repository; dashboard: number; notice: string | null }
  /** For rules of `triggers`, from a source other than a delivery by GitHub. */
  | { kind: "trigger"; event: TriggerEvent; dashboard: number | null }
  /** A signed request to the App's own address, for one rule. */
  | { kind: "requested"; owner: string; name: string; rule: string; payload: Record<string, Json>; key: string }
  /** The App reaches more or fewer repositories. */
  | { kind: "installation"; news: InstallationNews[] }
  /** Somebody edited an issue that was written as the dashboard. */
  | ({ kind: "ticked" } & DashboardEdit)
  | { kind: "ignored"; reason: string };

/** The event name under which Baton keeps a request to the App's own address. GitHub has no such event. */
export const requestDelivery = "baton.request";

/** The event name of a wake-up in Actions mode, in the inbox of the dashboard's thread. GitHub has no such event. */
export const scheduleEvent = "baton.schedule";

export function toThreadEvent(event: string, payload: unknown): ThreadEvent {
  switch (event) {
    case "issue_comment": {
      const parsed = commentPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { action, comment, issue, repository: found, installation } = parsed.data;
      // Baton never executes edits: a comment cannot become a command later.
      if (action !== "created") return { kind: "ignored", reason: `issue_comment.${action} is never executed` };
      return {
        kind: "comment",
        repository: repositoryOf(found, installation.id),
        number: issue.number,
        commentId: comment.id,
        body: comment.body,
        author: authorOf(comment.user),
        writtenAt: comment.created_at ?? null,
      };
    }
    case "issues": {
      const parsed = issuePayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { action, issue, sender, repository: found, installation } = parsed.data;
      if (action === "edited") return ticked(payload);
      if (action !== "opened") return { kind: "ignored", reason: `issues.${action} is never executed` };
      // GitHub opens a moved issue again here, with the text of another person.
      if (sender.id !== issue.user.id) return { kind: "ignored", reason: "an issue that its author did not open here" };
      return {
        kind: "comment",
        repository: repositoryOf(found, installation.id),
        number: issue.number,
        commentId: null,
        body: issue.body ?? "",
        author: authorOf(issue.user),
        writtenAt: issue.created_at ?? null,
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
        ...decidedIn(event, payload, { repository: repositoryOf(found, installation.id), number }),
        ...saidIn(event, payload, { repository: repositoryOf(found, installation.id), number }),
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
    case "push": {
      const parsed = pushPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { ref, repository: found, installation } = parsed.data;
      return ref === `refs/heads/${found.default_branch}`
        ? { kind: "pushed", repository: repositoryOf(found, installation.id) }
        : { kind: "ignored", reason: "a push to another branch than the default one" };
    }
    case "installation":
    case "installation_repositories": {
      const parsed = installationPayload.safeParse(payload);
      return parsed.success ? installationNews(event, parsed.data) : incomplete(event, parsed.error);
    }
    case scheduleEvent: {
      const parsed = schedulePayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const { repository: found, installation, dashboard, notice } = parsed.data;
      return { kind: "schedules", repository: repositoryOf(found, installation.id), dashboard, notice };
    }
    case triggerDelivery: {
      const parsed = triggerPayload.safeParse(payload);
      return parsed.success ? { kind: "trigger", ...parsed.data } : incomplete(event, parsed.error);
    }
    case requestDelivery: {
      const parsed = requestPayload.safeParse(payload);
      if (!parsed.success) return incomplete(event, parsed.error);
      const [owner = "", name = ""] = parsed.data.repository.split("/");
      return { kind: "requested", ...parsed.data, owner, name };
    }
    default:
      return { kind: "ignored", reason: `${event} is an event that Baton ignores` };
  }
}

/** GitHub sends an installation's first repositories with `installation`, later ones with `installation_repositories`. */
function installationNews(event: string, payload: z.infer<typeof installationPayload>): ThreadEvent {
  const { action, installation, repositories = null } = payload;
  const common = { account: installation.account.login, installationId: installation.id };
  const { repositories_added: added = [], repositories_removed: removed = [] } = payload;
  if (event === "installation_repositories") {
    const news: InstallationNews[] = [
      ...(added.length === 0 ? [] : [{ kind: "added" as const, ...common, repositories: added }]),
      ...(removed.length === 0 ? [] : [{ kind: "removed" as const, ...common, repositories: removed }]),
    ];
    return news.length === 0
      ? { kind: "ignored", reason: `${event} without repositories` }
      : { kind: "installation", news };
  }
  switch (action) {
    case "created":
      return { kind: "installation", news: [{ kind: "added", ...common, repositories }] };
    case "deleted":
      return { kind: "installation", news: [{ kind: "removed", ...common, repositories: null }] };
    case "unsuspend":
    case "new_permissions_accepted":
      return { kind: "installation", news: [{ kind: "allowed", ...common }] };
    default:
      return { kind: "ignored", reason: `${event}.${action} changes nothing` };
  }
}

function decidedIn(
  event: string,
  payload: unknown,
  where: { repository: Repository; number: number },
): Pick<Extract<ThreadEvent, { kind: "facts" }>, "decided"> {
  const parsed = closedPayload.safeParse(payload);
  if (event !== "pull_request" || !parsed.success) return {};
  const { merged, closed_at: at } = parsed.data.pull_request;
  return { decided: { ...where, end: merged ? "merged" : "closed", at: at ?? null } };
}

/** Only the dashboard issue has boxes. GitHub tells later whether it is the real one. */
function ticked(payload: unknown): ThreadEvent {
  const parsed = editPayload.safeParse(payload);
  const before = parsed.data?.changes.body.from ?? "";
  if (!parsed.success || parseMarker(before)?.startsWith("dashboard:") !== true)
    return { kind: "ignored", reason: "issues.edited is never executed" };
  const { issue, sender, repository: found, installation } = parsed.data;
  return {
    kind: "ticked",
    repository: repositoryOf(found, installation.id),
    number: issue.number,
    sender: authorOf(sender),
    before,
    after: issue.body ?? "",
    at: Date.parse(issue.updated_at) || 0,
  };
}

function authorOf({ id, login, type }: z.infer<typeof user>): CommentEvent["author"] {
  return { id, login, kind: type === "User" ? "user" : "bot" };
}

/** A review has its own text, and each of its comments comes with its own event. */
function saidIn(
  event: string,
  payload: unknown,
  where: Pick<CommentEvent, "repository" | "number">,
): { said?: CommentEvent } {
  if (event === "pull_request_review") {
    const parsed = reviewSaid.safeParse(payload);
    if (!parsed.success) return {};
    const { id, body, user: author, submitted_at: writtenAt } = parsed.data.review;
    const source = { kind: "review" as const, id };
    return {
      said: { ...where, commentId: null, source, body, author: authorOf(author), writtenAt: writtenAt ?? null },
    };
  }
  if (event !== "pull_request_review_comment") return {};
  const parsed = lineSaid.safeParse(payload);
  if (!parsed.success) return {};
  const { id, body, user: author, created_at: writtenAt, path, line, diff_hunk: hunk } = parsed.data.comment;
  const source = { kind: "line" as const, id, path, line: line ?? null, hunk: hunk ?? "" };
  return { said: { ...where, commentId: null, source, body, author: authorOf(author), writtenAt: writtenAt ?? null } };
}

function incomplete(event: string, error: z.ZodError): ThreadEvent {
  const fields = error.issues.slice(0, 3).map(({ path }) => path.join("."));
  return { kind: "ignored", reason: `${event} without ${fields.join(", ")}` };
}
