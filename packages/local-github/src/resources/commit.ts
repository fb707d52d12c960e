/** Commits, trees, files and branches as GitHub returns them. */
import type { CommitFacts, FileDifference, TreeEntry } from "../git-objects.ts";
import { nodeId, type View } from "../site.ts";
import { type Account, branchRef, type Repository } from "../state.ts";
import { repositoryPage, repositoryUrl } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { simpleUser } from "./user.ts";

/** GitHub's address for people who hide theirs. `<id>+<login>@users.noreply…` binds a commit to an account. */
export function noreplyAddress(account: Account): string {
  return `${account.id}+${account.login}@users.noreply.github.com`;
}

function accountByEmail(view: View, email: string): Account | undefined {
  const match = /^(\d+)\+.*@users\.noreply\.github\.com$/.exec(email);
  return match === null ? undefined : view.state.accounts.get(Number(match[1]));
}

function verificationOf(repository: Repository, sha: string) {
  const signed = repository.signedCommits.get(sha);
  if (signed === undefined)
    return { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };
  return {
    verified: true,
    reason: "valid",
    signature: signed.signature,
    payload: signed.payload,
    verified_at: signed.at,
  };
}

export function gitCommit(view: View, repository: Repository, commit: CommitFacts) {
  const url = `${repositoryUrl(view, repository)}/git`;
  const page = repositoryPage(view, repository);
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", commit.sha),
    url: `${url}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: `${url}/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${url}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
    verification: verificationOf(repository, commit.sha),
  } satisfies Schema<"git-commit">;
}

export function commitObject(view: View, repository: Repository, commit: CommitFacts) {
  const url = `${repositoryUrl(view, repository)}/commits/${commit.sha}`;
  const page = repositoryPage(view, repository);
  const author = accountByEmail(view, commit.author.email);
  const committer = accountByEmail(view, commit.committer.email);
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", commit.sha),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${repositoryUrl(view, repository)}/git/trees/${commit.tree}` },
      url: `${repositoryUrl(view, repository)}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: verificationOf(repository, commit.sha),
    },
    url,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    author: author === undefined ? null : simpleUser(view, author),
    committer: committer === undefined ? null : simpleUser(view, committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryUrl(view, repository)}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
  } satisfies Schema<"commit">;
}

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export function diffEntry(view: View, place: { repository: Repository; sha: string }, file: FileDifference) {
  const page = repositoryPage(view, place.repository);
  const path = encodePath(file.path);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${place.sha}/${path}`,
    raw_url: `${page}/raw/${place.sha}/${path}`,
    contents_url: `${repositoryUrl(view, place.repository)}/contents/${path}?ref=${place.sha}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
  } satisfies Schema<"diff-entry">;
}

/** `ref` is the caller's spelling. The addresses repeat it. */
export function contentEntry(
  view: View,
  place: { repository: Repository; ref: string; path: string },
  entry: TreeEntry,
) {
  const path = encodePath(place.path);
  const self = `${repositoryUrl(view, place.repository)}/contents/${path}?ref=${encodeURIComponent(place.ref)}`;
  const kind = entry.type === "tree" ? "trees" : "blobs";
  const git = `${repositoryUrl(view, place.repository)}/git/${kind}/${entry.sha}`;
  const page = repositoryPage(view, place.repository);
  const html = `${page}/${entry.type === "tree" ? "tree" : "blob"}/${encodePath(place.ref)}/${path}`;
  return {
    name: place.path.split("/").at(-1) ?? "",
    path: place.path,
    sha: entry.sha,
    size: entry.size ?? 0,
    url: self,
    html_url: html,
    git_url: git,
    download_url: entry.type === "blob" ? `${page}/raw/${encodePath(place.ref)}/${path}` : null,
    type: contentType(entry),
    _links: { self, git, html },
  };
}

function contentType(entry: TreeEntry): "file" | "dir" | "submodule" | "symlink" {
  if (entry.type === "tree") return "dir";
  if (entry.type === "commit") return "submodule";
  return entry.mode === "120000" ? "symlink" : "file";
}

export function gitRef(view: View, repository: Repository, given: { ref: string; sha: string }) {
  return {
    ref: given.ref,
    node_id: nodeId("Ref", `${repository.id}:${given.ref}`),
    url: `${repositoryUrl(view, repository)}/git/${given.ref.split("/").map(encodeURIComponent).join("/")}`,
    object: {
      type: "commit",
      sha: given.sha,
      url: `${repositoryUrl(view, repository)}/git/commits/${given.sha}`,
    },
  } satisfies Schema<"git-ref">;
}

function statusChecks(repository: Repository, branch: string) {
  const rules = repository.protections.get(branch) ?? [];
  return {
    enforcement_level: rules.length === 0 ? "off" : "non_admins",
    contexts: rules.map((rule) => rule.context),
    checks: rules.map((rule) => ({ context: rule.context, app_id: rule.appId })),
  };
}

export function isProtected(repository: Repository, branch: string): boolean {
  return repository.protections.has(branch) || repository.rulesets.has(branch);
}

export function shortBranch(view: View, repository: Repository, branch: string) {
  const sha = repository.refs.get(branchRef(branch)) ?? "";
  const url = repositoryUrl(view, repository);
  return {
    name: branch,
    commit: { sha, url: `${url}/commits/${sha}` },
    protected: isProtected(repository, branch),
    protection: {
      enabled: repository.protections.has(branch),
      required_status_checks: statusChecks(repository, branch),
    },
    protection_url: `${url}/branches/${encodeURIComponent(branch)}/protection`,
  } satisfies Schema<"short-branch">;
}

export function branchWithProtection(
  view: View,
  repository: Repository,
  given: { branch: string; commit: CommitFacts },
) {
  const url = `${repositoryUrl(view, repository)}/branches/${encodeURIComponent(given.branch)}`;
  return {
    ...shortBranch(view, repository, given.branch),
    commit: commitObject(view, repository, given.commit),
    _links: { self: url, html: `${repositoryPage(view, repository)}/tree/${encodePath(given.branch)}` },
  } satisfies Schema<"branch-with-protection">;
}
