import { nodeId, type View } from "../site.ts";
import { type Activity, accountOf, atLeast, fullName, ownerOf, type Repository, type Role, roleOf } from "../state.ts";
import type { Schema } from "./schema.ts";
import { simpleUser } from "./user.ts";

export function repositoryUrl(view: View, repository: Repository): string {
  return `${view.apiUrl}/repos/${fullName(view.state, repository)}`;
}

export function repositoryPage(view: View, repository: Repository): string {
  return `${view.origin}/${fullName(view.state, repository)}`;
}

export function permissionFlags(role: Role) {
  return {
    admin: atLeast(role, "admin"),
    maintain: atLeast(role, "maintain"),
    push: atLeast(role, "write"),
    triage: atLeast(role, "triage"),
    pull: atLeast(role, "read"),
  };
}

function addresses(view: View, repository: Repository) {
  const url = repositoryUrl(view, repository);
  const page = repositoryPage(view, repository);
  return {
    html_url: page,
    url,
    archive_url: `${url}/{archive_format}{/ref}`,
    assignees_url: `${url}/assignees{/user}`,
    blobs_url: `${url}/git/blobs{/sha}`,
    branches_url: `${url}/branches{/branch}`,
    collaborators_url: `${url}/collaborators{/collaborator}`,
    comments_url: `${url}/comments{/number}`,
    commits_url: `${url}/commits{/sha}`,
    compare_url: `${url}/compare/{base}...{head}`,
    contents_url: `${url}/contents/{+path}`,
    contributors_url: `${url}/contributors`,
    deployments_url: `${url}/deployments`,
    downloads_url: `${url}/downloads`,
    events_url: `${url}/events`,
    forks_url: `${url}/forks`,
    git_commits_url: `${url}/git/commits{/sha}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    git_tags_url: `${url}/git/tags{/sha}`,
    issue_comment_url: `${url}/issues/comments{/number}`,
    issue_events_url: `${url}/issues/events{/number}`,
    issues_url: `${url}/issues{/number}`,
    keys_url: `${url}/keys{/key_id}`,
    labels_url: `${url}/labels{/name}`,
    languages_url: `${url}/languages`,
    merges_url: `${url}/merges`,
    milestones_url: `${url}/milestones{/number}`,
    notifications_url: `${url}/notifications{?since,all,participating}`,
    pulls_url: `${url}/pulls{/number}`,
    releases_url: `${url}/releases{/id}`,
    stargazers_url: `${url}/stargazers`,
    statuses_url: `${url}/statuses/{sha}`,
    subscribers_url: `${url}/subscribers`,
    subscription_url: `${url}/subscription`,
    tags_url: `${url}/tags`,
    teams_url: `${url}/teams`,
    trees_url: `${url}/git/trees{/sha}`,
    hooks_url: `${url}/hooks`,
  };
}

export function minimalRepository(view: View, repository: Repository) {
  return {
    id: repository.id,
    node_id: nodeId("Repository", repository.id),
    name: repository.name,
    full_name: fullName(view.state, repository),
    private: repository.private,
    owner: simpleUser(view, ownerOf(view.state, repository)),
    description: repository.description,
    fork: repository.parentId !== null,
    ...addresses(view, repository),
  } satisfies Schema<"minimal-repository">;
}

export function repositoryObject(view: View, repository: Repository) {
  const page = repositoryPage(view, repository);
  const openIssues = [...repository.threads.values()].filter((thread) => thread.state === "open").length;
  return {
    ...minimalRepository(view, repository),
    git_url: `git://${new URL(page).host}/${fullName(view.state, repository)}.git`,
    ssh_url: `git@${new URL(page).hostname}:${fullName(view.state, repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    homepage: null,
    mirror_url: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_pull_requests: true,
    pull_request_creation_policy: "all" as const,
    forks_count: 0,
    archived: repository.archived,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: repository.template,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? ("private" as const) : ("public" as const),
    forks: 0,
    open_issues: openIssues,
    watchers: 0,
    default_branch: repository.defaultBranch,
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
    pushed_at: repository.pushedAt,
  } satisfies Schema<"repository">;
}

/** The form of `GET /repositories/:id` and webhooks. `viewerId` null: an App, which has no role. */
export function fullRepository(view: View, repository: Repository, viewerId: number | null) {
  const parent = repository.parentId === null ? undefined : view.state.repositories.get(repository.parentId);
  const owner = ownerOf(view.state, repository);
  return {
    ...repositoryObject(view, repository),
    subscribers_count: 0,
    network_count: 0,
    temp_clone_token: null,
    allow_squash_merge: repository.mergeMethods.has("squash"),
    allow_merge_commit: repository.mergeMethods.has("merge"),
    allow_rebase_merge: repository.mergeMethods.has("rebase"),
    allow_auto_merge: repository.autoMerge,
    allow_update_branch: false,
    delete_branch_on_merge: false,
    use_squash_pr_title_as_default: false,
    squash_merge_commit_message: "COMMIT_MESSAGES" as const,
    squash_merge_commit_title: "COMMIT_OR_PR_TITLE" as const,
    merge_commit_message: "PR_TITLE" as const,
    merge_commit_title: "MERGE_MESSAGE" as const,
    permissions: permissionFlags(viewerId === null ? "none" : roleOf(view.state, repository, viewerId)),
    ...(owner.kind === "Organization" ? { organization: simpleUser(view, owner) } : {}),
    ...(parent === undefined ? {} : { parent: repositoryObject(view, parent), source: repositoryObject(view, parent) }),
  } satisfies Schema<"full-repository">;
}

const noSha = "0".repeat(40);

export function activity(view: View, one: Activity) {
  const { before, after } = one;
  return {
    id: one.id,
    node_id: nodeId("PUSH", one.id),
    before: before ?? noSha,
    after: after ?? noSha,
    ref: one.ref,
    timestamp: one.at,
    activity_type:
      before === null ? "branch_creation" : after === null ? "branch_deletion" : one.forced ? "force_push" : "push",
    actor: simpleUser(view, accountOf(view.state, one.actorId)),
  } satisfies Schema<"activity">;
}
