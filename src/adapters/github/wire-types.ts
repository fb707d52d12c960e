/**
 * The fields of GitHub's answers that Baton reads, and no others. Names and nullability come from GitHub's own
 * description (`@octokit/openapi-types`, types only). Baton therefore cannot read a field that GitHub does not send.
 */
import type { components } from "@octokit/openapi-types";

type Schemas = components["schemas"];
/** Parsed JSON. The description allows big integers for ids. */
type Parsed<T> = { [K in keyof T]: Exclude<T[K], bigint> };
type Fields<Name extends keyof Schemas, Read extends keyof Schemas[Name]> = Parsed<Pick<Schemas[Name], Read>>;
/** The description promises these fields, but older servers omit them. */
type Optional<Name extends keyof Schemas, Read extends keyof Schemas[Name]> = Partial<Fields<Name, Read>>;

export type User = Fields<"simple-user", "id" | "login" | "type">;
type ById = { id: number } | null;

export type CheckSuite = Fields<"check-suite", "head_sha" | "status" | "latest_check_runs_count"> &
  Optional<"check-suite", "conclusion"> & {
    app: Pick<NonNullable<Schemas["check-suite"]["app"]>, "id" | "name"> | null;
  };

/** One movement of a ref. */
export type Activity = Fields<"activity", "after"> & { actor: User | null };

export type Issue = Fields<"issue", "number" | "title" | "state" | "labels" | "html_url"> & {
  body: NonNullable<Schemas["issue"]["body"]> | null;
  user: User | null;
} & Optional<"issue", "pull_request">;

export type Comment = Fields<"issue-comment", "id" | "node_id" | "body" | "created_at" | "updated_at" | "html_url"> & {
  user: User | null;
  performed_via_github_app?: ById;
};

export type ThreadComment = Comment & Fields<"issue-comment", "issue_url">;

export type ListedCommit = Fields<"commit", "sha"> & { commit: Pick<Schemas["commit"]["commit"], "message"> };

export type NewIssue = Issue & Fields<"issue", "id" | "node_id" | "created_at" | "updated_at">;

export type PullRequest = Fields<
  "pull-request",
  "number" | "title" | "body" | "state" | "updated_at" | "node_id" | "html_url"
> &
  Optional<
    "pull-request",
    "merged" | "merged_at" | "merge_commit_sha" | "draft" | "mergeable" | "mergeable_state" | "locked"
  > & {
    user: User | null;
    head: Pick<Schemas["pull-request"]["head"], "sha" | "ref"> & { repo: ById };
    base: Pick<Schemas["pull-request"]["base"], "sha" | "ref">;
  };

export type Review = Fields<
  "pull-request-review",
  "id" | "node_id" | "state" | "commit_id" | "submitted_at" | "html_url"
> & {
  body: string | null;
  user: User | null;
};

export type ReviewComment = Fields<
  "pull-request-review-comment",
  "id" | "path" | "line" | "body" | "pull_request_review_id" | "html_url"
> &
  Optional<"pull-request-review-comment", "in_reply_to_id"> & { user: User | null };

export type CheckRun = Fields<
  "check-run",
  "id" | "name" | "head_sha" | "external_id" | "status" | "conclusion" | "html_url" | "started_at" | "completed_at"
> &
  Optional<"check-run", "details_url"> & {
    output?: Pick<Schemas["check-run"]["output"], "title" | "summary" | "text">;
    app: ById;
    check_suite?: ById;
  };

export type CheckAnnotation = Fields<
  "check-annotation",
  "path" | "start_line" | "annotation_level" | "title" | "message"
>;

/** A job has the same id as its check run. */
export type Job = Fields<"job", "id"> & Optional<"job", "run_attempt">;

export type Status = Fields<
  "status",
  "id" | "context" | "state" | "description" | "target_url" | "created_at" | "updated_at"
>;

/** One rule of any kind, with the parameters that Baton reads. */
export interface BranchRule {
  type: NonNullable<Schemas["repository-rule-detailed"]["type"]>;
  parameters?: Partial<
    Pick<NonNullable<Schemas["repository-rule-required-status-checks"]["parameters"]>, "required_status_checks"> &
      Pick<
        NonNullable<Schemas["repository-rule-commit-message-pattern"]["parameters"]>,
        "operator" | "pattern" | "negate"
      > &
      Pick<NonNullable<Schemas["repository-rule-pull-request"]["parameters"]>, "allowed_merge_methods">
  >;
}

export type RepositorySettings = Optional<
  "full-repository",
  "archived" | "allow_merge_commit" | "allow_squash_merge" | "allow_rebase_merge"
> & { permissions?: Partial<Pick<NonNullable<Schemas["full-repository"]["permissions"]>, "push">> };

export interface Branch {
  protection?: {
    required_status_checks?: Partial<
      Pick<NonNullable<Schemas["branch-protection"]["required_status_checks"]>, "contexts">
    > & { checks?: { context: string; app_id?: number | null }[] };
  };
}

export type FolderEntry = Pick<Schemas["content-directory"][number], "type" | "name">;

/** A file. A folder or a link has no content. */
export type Content = { type: string } & Optional<"content-file", "content">;

/** The answer to a `workflow_dispatch` with `return_run_details`. */
export type StartedWorkflow = Fields<"workflow-dispatch-response", "workflow_run_id" | "html_url">;

export interface GitCommit extends Fields<"git-commit", "sha"> {
  verification: Pick<Schemas["git-commit"]["verification"], "verified" | "reason">;
}
