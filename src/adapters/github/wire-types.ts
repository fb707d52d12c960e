/** The fields of GitHub's answers that Baton reads, and no others. */
export interface User {
  id: number;
  login: string;
  type: string;
}

export interface CheckSuite {
  app: { id: number; name: string } | null;
  head_sha: string;
  status: string | null;
  conclusion?: string | null;
  latest_check_runs_count: number;
}

/** One movement of a ref. */
export interface Activity {
  after: string;
  actor: User | null;
}

export interface Issue {
  number: number;
  title: string;
  body: string | null;
  state: string;
  user: User | null;
  pull_request?: unknown;
  labels: (string | { name?: string })[];
  html_url: string;
}

export interface Comment {
  id: number;
  body?: string | null;
  user: User | null;
  performed_via_github_app?: { id: number } | null;
  created_at: string;
  updated_at: string;
  html_url: string;
}

export interface ThreadComment extends Comment {
  issue_url: string;
}

export interface NewIssue extends Issue {
  id: number;
  created_at: string;
  updated_at: string;
}

export interface PullRequest {
  number: number;
  title: string;
  body: string | null;
  state: string;
  merged?: boolean;
  merged_at?: string | null;
  merge_commit_sha?: string | null;
  draft?: boolean;
  user: User | null;
  head: { sha: string; ref: string; repo: { id: number } | null };
  base: { sha: string; ref: string };
  mergeable?: boolean | null;
  mergeable_state?: string;
  updated_at: string;
  locked?: boolean;
  node_id: string;
  html_url: string;
}

export interface Review {
  id: number;
  user: User | null;
  state: string;
  commit_id: string | null;
  body: string | null;
  submitted_at?: string;
}

export interface ReviewComment {
  pull_request_review_id: number | null;
  path: string;
  line?: number | null;
  body: string;
}

export interface CheckRun {
  id: number;
  name: string;
  head_sha: string;
  external_id: string | null;
  status: string;
  conclusion: string | null;
  html_url: string | null;
  started_at: string | null;
  completed_at: string | null;
  output?: { title: string | null; summary: string | null; text: string | null };
  app: { id: number } | null;
  check_suite?: { id: number } | null;
}

export interface CheckAnnotation {
  path: string;
  start_line: number;
  annotation_level: string | null;
  title: string | null;
  message: string | null;
}

export interface Status {
  id: number;
  context: string;
  state: string;
  description: string | null;
  target_url: string | null;
  created_at: string;
  updated_at: string;
}

export interface BranchRule {
  type: string;
  parameters?: {
    required_status_checks?: { context: string; integration_id?: number }[];
    operator?: string;
    pattern?: string;
    negate?: boolean;
    allowed_merge_methods?: ("merge" | "squash" | "rebase")[];
  };
}

export interface RepositorySettings {
  archived?: boolean;
  allow_merge_commit?: boolean;
  allow_squash_merge?: boolean;
  allow_rebase_merge?: boolean;
  permissions?: { push?: boolean };
}

export interface Branch {
  protection?: {
    required_status_checks?: { contexts?: string[]; checks?: { context: string; app_id?: number | null }[] };
  };
}

export interface FolderEntry {
  type: string;
  name: string;
}

export interface Content {
  type: string;
  content?: string;
}

/** Of a `workflow_dispatch` with `return_run_details`. */
export interface StartedWorkflow {
  workflow_run_id: number;
  html_url: string;
}

export interface GitCommit {
  sha: string;
  verification: { verified: boolean; reason: string };
}
