/**
 * An event of a repository, as rules of `triggers` see it: from a delivery's payload, each field checked.
 *
 * TE1 GitHub's sender caused an event. An event about CI was caused by the person who pushed the commit.
 * TE2 Texts of an event are data: they reach conditions and keys, never an instruction.
 */
import { z } from "zod";
import { type Json, jsonSchema, repositoryOf, repositorySchema } from "../core/vocabulary.ts";

export const triggerEvents = [
  "issues.opened",
  "issues.labeled",
  "issues.assigned",
  "pull_request.opened",
  "pull_request.labeled",
  "pull_request_review.submitted",
  "push",
  "workflow_run.failed",
  "check_run.failed",
  "release.published",
  "repository_dispatch",
  "workflow_dispatch",
  "http",
] as const;
export type TriggerName = (typeof triggerEvents)[number];

export const triggerEventSchema = z.object({
  on: z.enum(triggerEvents),
  repository: repositorySchema,
  /** null: nobody on GitHub. The rule's author speaks for it. */
  sender: z.object({ id: z.number().int(), login: z.string(), kind: z.enum(["user", "bot"]) }).nullable(),
  /** GitHub's word for the sender in this repository, if the sender wrote the thread. Absent: GitHub does not say. */
  association: z.string().optional(),
  /** null: the event belongs to no thread. Its run reports in the dashboard issue. */
  thread: z.object({ number: z.number().int().positive(), kind: z.enum(["issue", "pull-request"]) }).nullable(),
  /** `event` in conditions and keys. */
  facts: z.record(z.string(), jsonSchema),
  /** Equal for the same fact: a rule starts one run for it. */
  key: z.string(),
  /** Changed files. null: the event has none, or does not tell. */
  paths: z.array(z.string()).nullable(),
  /** The commits between which files changed, if the event does not list the files. null: it lists them. */
  between: z.object({ before: z.string(), after: z.string() }).nullable(),
  /** The commit whose pusher caused it, if the sender did not. null: the sender did. */
  pushed: z.string().nullable(),
  /** The only rule that it is for. null: any rule about such events. */
  rule: z.string().nullable(),
});
export type TriggerEvent = z.infer<typeof triggerEventSchema>;

/** An event for rules that is not a delivery by GitHub: from a job of Actions, or the App's own address. */
export const triggerDelivery = "baton.trigger";

const user = z.object({ id: z.number().int(), login: z.string().min(1), type: z.string() });
const base = z.object({
  action: z.string().optional(),
  installation: z.object({ id: z.number().int() }),
  repository: z.object({
    id: z.number().int(),
    name: z.string(),
    default_branch: z.string(),
    owner: z.object({ login: z.string() }),
  }),
  sender: user,
});
const label = z.object({ name: z.string() });
const thread = z.object({
  number: z.number().int().positive(),
  title: z.string(),
  user: user.nullable(),
  labels: z.array(label).default([]),
  updated_at: z.string().default(""),
  author_association: z.string().optional(),
});
const issues = base.extend({ issue: thread, label: label.optional(), assignee: user.nullish() });
const pulls = base.extend({
  pull_request: thread.extend({
    base: z.object({ ref: z.string() }),
    head: z.object({ sha: z.string(), ref: z.string() }),
  }),
  label: label.optional(),
});
const commits = z.array(
  z.object({
    added: z.array(z.string()).optional(),
    modified: z.array(z.string()).optional(),
    removed: z.array(z.string()).optional(),
  }),
);
const review = pulls.extend({ review: z.object({ id: z.number().int(), state: z.string() }) });
const push = base.extend({
  ref: z.string(),
  before: z.string().default(""),
  after: z.string(),
  deleted: z.boolean().default(false),
  commits: commits.default([]),
});
const conclusion = z.string().nullable();
const workflowRun = base.extend({
  workflow_run: z.object({
    id: z.number().int(),
    name: z.string().nullable(),
    path: z.string().default(""),
    event: z.string(),
    head_branch: z.string().nullable(),
    head_sha: z.string(),
    conclusion,
    head_repository: z.object({ id: z.number().int() }).nullable(),
  }),
});
const checkRun = base.extend({
  check_run: z.object({
    name: z.string(),
    head_sha: z.string(),
    conclusion,
    check_suite: z.object({ head_branch: z.string().nullable() }),
  }),
});
const release = base.extend({
  release: z.object({
    id: z.number().int(),
    tag_name: z.string(),
    name: z.string().nullable(),
    prerelease: z.boolean(),
  }),
});
const dispatch = base.extend({ action: z.string(), client_payload: z.record(z.string(), jsonSchema).nullish() });
const workflowDispatch = base.extend({
  ref: z.string(),
  workflow: z.string().nullish(),
  inputs: z.record(z.string(), jsonSchema).nullish(),
});
/** The commit of a ref that did not exist before. */
const nowhere = /^0+$/;

/**
 * A delivery names at most this many commits. Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push.
 * A job's payload names no files:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#push
 */
const commitsTold = 2_048;
const failed = new Set<string | null>(["failure", "timed_out", "startup_failure"]);

/** null: no rule can be about it. `delivery`: its GUID, which names events without another name. */
export function toTriggerEvent(event: string, payload: unknown, delivery: string): TriggerEvent | null {
  const parsed = base.safeParse(payload);
  if (!parsed.success) return null;
  const { action, repository, installation, sender } = parsed.data;
  const common = {
    repository: repositoryOf(repository, installation.id),
    sender: { id: sender.id, login: sender.login, kind: sender.type === "User" ? ("user" as const) : ("bot" as const) },
    thread: null,
    paths: null,
    between: null,
    pushed: null,
    rule: null,
  };
  switch (`${event}.${action ?? ""}`) {
    case "issues.opened":
    case "issues.labeled":
    case "issues.assigned": {
      const read = issues.safeParse(payload);
      if (!read.success) return null;
      const { issue, label: added, assignee } = read.data;
      // GitHub opens a moved issue again here, with the text of another person.
      if (action === "opened" && issue.user?.id !== sender.id) return null;
      const on = `issues.${action}` as TriggerName;
      const detail = added?.name ?? assignee?.login ?? "";
      return {
        ...common,
        ...associationOf(issue, sender.id),
        on,
        thread: { number: issue.number, kind: "issue" },
        facts: { ...factsOf(issue), label: added?.name ?? null, assignee: assignee?.login ?? null },
        key: action === "opened" ? `${issue.number}` : `${issue.number}:${detail}:${issue.updated_at}`,
      };
    }
    case "pull_request.opened":
    case "pull_request.labeled": {
      const read = pulls.safeParse(payload);
      if (!read.success) return null;
      const { pull_request: pull, label: added } = read.data;
      return {
        ...common,
        ...associationOf(pull, sender.id),
        on: `pull_request.${action}` as TriggerName,
        thread: { number: pull.number, kind: "pull-request" },
        facts: {
          ...factsOf(pull),
          label: added?.name ?? null,
          base: pull.base.ref,
          branch: pull.head.ref,
          sha: pull.head.sha,
        },
        key: action === "opened" ? `${pull.number}` : `${pull.number}:${added?.name ?? ""}:${pull.updated_at}`,
      };
    }
    case "pull_request_review.submitted": {
      const read = review.safeParse(payload);
      if (!read.success) return null;
      const { pull_request: pull, review: given } = read.data;
      return {
        ...common,
        on: "pull_request_review.submitted",
        thread: { number: pull.number, kind: "pull-request" },
        facts: {
          ...factsOf(pull),
          state: given.state.toLowerCase(),
          reviewer: sender.login,
          base: pull.base.ref,
          branch: pull.head.ref,
          sha: pull.head.sha,
        },
        key: `${given.id}`,
      };
    }
    case "push.": {
      const read = push.safeParse(payload);
      if (!read.success || read.data.deleted || read.data.ref !== `refs/heads/${repository.default_branch}`)
        return null;
      const { before, after, commits: all } = read.data;
      const told = all.map(({ added, modified, removed }) =>
        (added ?? modified ?? removed) === undefined
          ? undefined
          : [...(added ?? []), ...(modified ?? []), ...(removed ?? [])],
      );
      // A job's payload has no files, and a long push does not list all its commits.
      const isWhole = !told.includes(undefined) && all.length < commitsTold;
      return {
        ...common,
        on: "push",
        facts: { sha: after, branch: repository.default_branch },
        key: after,
        paths: isWhole ? [...new Set(told.flatMap((files) => files ?? []))] : null,
        between: isWhole || nowhere.test(before) || before === "" ? null : { before, after },
      };
    }
    case "workflow_run.completed": {
      const read = workflowRun.safeParse(payload);
      if (!read.success) return null;
      const run = read.data.workflow_run;
      // A fork's run says nothing about the default branch, and neither does a pull request's run.
      if (!failed.has(run.conclusion) || run.head_branch !== repository.default_branch) return null;
      if (run.head_repository?.id !== repository.id || run.event.startsWith("pull_request")) return null;
      return {
        ...common,
        on: "workflow_run.failed",
        facts: {
          workflow: run.name ?? "",
          path: run.path,
          sha: run.head_sha,
          branch: run.head_branch,
          conclusion: run.conclusion,
        },
        key: `${run.head_sha}:${run.name ?? ""}`,
        pushed: run.head_sha,
      };
    }
    case "check_run.completed": {
      const read = checkRun.safeParse(payload);
      if (!read.success) return null;
      const run = read.data.check_run;
      if (!failed.has(run.conclusion) || run.check_suite.head_branch !== repository.default_branch) return null;
      return {
        ...common,
        on: "check_run.failed",
        facts: { check: run.name, sha: run.head_sha, branch: repository.default_branch, conclusion: run.conclusion },
        key: `${run.head_sha}:${run.name}`,
        pushed: run.head_sha,
      };
    }
    case "release.published": {
      const read = release.safeParse(payload);
      if (!read.success) return null;
      const { id, tag_name: tag, name, prerelease } = read.data.release;
      return { ...common, on: "release.published", facts: { tag, name: name ?? "", prerelease }, key: `${id}` };
    }
    case "workflow_dispatch.": {
      const read = workflowDispatch.safeParse(payload);
      if (!read.success) return null;
      const { ref, workflow, inputs } = read.data;
      const facts = { workflow: workflow ?? "", branch: ref.replace(/^refs\/heads\//, ""), inputs: inputs ?? {} };
      return { ...common, on: "workflow_dispatch", facts, key: delivery };
    }
    default: {
      if (event !== "repository_dispatch") return null;
      const read = dispatch.safeParse(payload);
      if (!read.success) return null;
      const { action: type, client_payload: given } = read.data;
      return { ...common, on: "repository_dispatch", facts: { type, payload: given ?? {} }, key: delivery };
    }
  }
}

function associationOf(
  { user: author, author_association: association }: z.infer<typeof thread>,
  senderId: number,
): { association?: string } {
  return author?.id === senderId && association !== undefined ? { association } : {};
}

function factsOf({ number, title, user: author, labels }: z.infer<typeof thread>): Record<string, Json> {
  return { number, title, author: author?.login ?? null, labels: labels.map(({ name }) => name) };
}
