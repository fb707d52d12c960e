/**
 * The permissions that the App requests, each with its reason and the functions that work without it. A test compares them
 * with `app.yml`. The check at the start names missing ones.
 *
 * Sources: https://docs.github.com/en/webhooks/webhook-events-and-payloads (which permission an event needs) and
 * https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps (names and endpoints).
 */
export type Access = "read" | "write";

export interface PermissionNeed {
  name: string;
  access: Access;
  reason: string;
  /** The functions that still work if an owner has not granted it. */
  without: string;
  /** Not in the manifest. An owner who wants it adds it. */
  optional?: true;
}

export interface EventNeed {
  name: string;
  /** The permission without which GitHub does not offer the event. */
  needs: string;
  reason: string;
  without: string;
}

export const permissions: readonly PermissionNeed[] = [
  { name: "metadata", access: "read", reason: "names and permissions of people who give commands", without: "nothing" },
  {
    name: "contents",
    access: "write",
    reason: "reads the base, pushes baton/* branches, merges approved changes",
    without: "nothing that changes files",
  },
  { name: "issues", access: "write", reason: "status comment, replies, reactions, labels", without: "nothing" },
  {
    name: "pull_requests",
    access: "write",
    reason: "opens pull requests, requests and reads reviews, comments on lines",
    without: "commands on issues",
  },
  {
    name: "checks",
    access: "write",
    reason: "Baton's own check run; reads the others",
    without: "runs whose CI reports commit statuses",
  },
  { name: "statuses", access: "read", reason: "CI that reports by commit status", without: "CI that reports checks" },
  {
    name: "actions",
    access: "write",
    reason: "logs of failed jobs, runs that wait for approval, runners of `executor: actions`",
    without: "agents on Baton's machine; repairs see no log",
  },
  {
    name: "merge_queues",
    access: "read",
    reason: "what a merge queue does with an approved pull request",
    without: "merges into branches without a queue",
  },
  {
    name: "members",
    access: "read",
    reason: "teams in code owners and in permissions",
    without: "rules that name people",
  },
  {
    name: "security_events",
    access: "read",
    reason: "code scanning alerts for sweeps that are to come; nothing reads them yet",
    without: "everything today",
  },
  {
    name: "vulnerability_alerts",
    access: "read",
    reason: "Dependabot alerts for sweeps that are to come; nothing reads them yet",
    without: "everything today",
  },
  {
    name: "secret_scanning_alerts",
    access: "read",
    reason: "secret scanning alerts for sweeps that are to come; nothing reads them yet",
    without: "everything today",
  },
  {
    name: "workflows",
    access: "write",
    reason: "pushes changes of workflow files",
    without: "everything but changes below .github/workflows, which people push",
    optional: true,
  },
];

export const events: readonly EventNeed[] = [
  { name: "issues", needs: "issues", reason: "a command in the text of a new issue", without: "commands in comments" },
  { name: "issue_comment", needs: "issues", reason: "commands in a thread", without: "the command line" },
  {
    name: "pull_request",
    needs: "pull_requests",
    reason: "the head moved, was closed or merged",
    without: "what a timer finds later",
  },
  {
    name: "pull_request_review",
    needs: "pull_requests",
    reason: "approvals and requests for changes",
    without: "what a timer finds later",
  },
  {
    name: "pull_request_review_comment",
    needs: "pull_requests",
    reason: "commands on a line",
    without: "commands in the thread",
  },
  { name: "check_run", needs: "checks", reason: "the repository's own CI", without: "what a timer finds later" },
  { name: "check_suite", needs: "checks", reason: "the end of a CI service", without: "what a timer finds later" },
  {
    name: "status",
    needs: "statuses",
    reason: "CI that reports by commit status",
    without: "what a timer finds later",
  },
  { name: "workflow_run", needs: "actions", reason: "workflows that wait or end", without: "what a timer finds later" },
  {
    name: "push",
    needs: "contents",
    reason: "triggers by push; a new baton.yaml",
    without: "triggers by other events",
  },
  { name: "release", needs: "contents", reason: "triggers by release", without: "triggers by other events" },
  {
    name: "repository_dispatch",
    needs: "contents",
    reason: "triggers by other programs",
    without: "triggers by other events",
  },
  {
    name: "workflow_dispatch",
    needs: "contents",
    reason: "triggers by workflows that people start",
    without: "triggers by other events",
  },
];

/** The comment in `app.yml`. @internal for tests */
export function commentOf({ reason, without }: { reason: string; without: string }): string {
  return `${reason}. Works without it: ${without}`;
}

export interface Granted {
  permissions: Readonly<Record<string, string>>;
  events: readonly string[];
}

export interface Missing {
  kind: "permission" | "event";
  /** `actions: write`, `push`. */
  name: string;
  reason: string;
  without: string;
}

/** The permissions that an App or one of its installations lacks. A higher level than needed is enough. */
export function missingFrom(granted: Granted): Missing[] {
  const levels = ["read", "write", "admin"];
  const has = (name: string, access: Access): boolean =>
    levels.indexOf(granted.permissions[name] ?? "") >= levels.indexOf(access);
  return [
    ...permissions
      .filter(({ name, access, optional }) => optional !== true && !has(name, access))
      .map(({ name, access, reason, without }) => ({
        kind: "permission" as const,
        name: `${name}: ${access}`,
        reason,
        without,
      })),
    ...events
      .filter(({ name }) => !granted.events.includes(name))
      .map(({ name, reason, without }) => ({ kind: "event" as const, name, reason, without })),
  ];
}
