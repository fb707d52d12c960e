/**
 * A person's actions in a browser or a terminal, as plain calls. Each has the same consequences and webhooks as the
 * same action through the API.
 */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Doer } from "./access.ts";
import {
  type AppOptions,
  createAccount,
  createApp,
  createUserToken,
  install,
  personOf,
  reached,
  tellInstallation,
  tellRepositories,
} from "./deeds/accounts.ts";
import { addStatus, tellRun } from "./deeds/checks.ts";
import { approveRuns, rerunJob } from "./deeds/ci.ts";
import { endQueue, mergePull } from "./deeds/merge.ts";
import { openPull, retarget } from "./deeds/pulls.ts";
import { changeRef, refsChanged } from "./deeds/refs.ts";
import { addReview, dismissReview, type ReviewEvent } from "./deeds/reviews.ts";
import {
  addComment,
  closeThread,
  deleteIssue,
  editComment,
  editThread,
  lockThread,
  openIssue,
  reopenThread,
  setLabels,
  tellThread,
} from "./deeds/threads.ts";
import { commitFiles, createBareRepository, type FileChanges, git, updateRef } from "./git.ts";
import { isPull, type PullThread } from "./resources/pull-request.ts";
import type { MergeMethod, RuleSet } from "./rules.ts";
import { flowOf } from "./sign-in.ts";
import { gitDirectory, type Site } from "./site.ts";
import {
  type Account,
  branchRef,
  type CiSettings,
  type CommitStatus,
  findAccount,
  findRepository,
  type Installation,
  type ReactionContent,
  type Repository,
  type RequiredCheckRule,
  type ReviewComment,
  type Role,
  type Thread,
  takeId,
} from "./state.ts";

export interface Place {
  /** `owner/name`. */
  repository: string;
  number: number;
  /** Login of the person who acts. */
  as: string;
}

export interface RepositoryOptions {
  /** An existing account. */
  owner: string;
  name: string;
  private?: boolean;
  description?: string;
  defaultBranch?: string;
  /** Files of the first commit. Without files the repository stays empty. */
  files?: FileChanges;
  /** Replaces `files`: everything below a directory, without `.git` and `node_modules`. */
  directory?: string;
  ci?: CiSettings | null;
  template?: boolean;
}

export type People = ReturnType<typeof createPeople>;

export function createPeople(site: Site) {
  const { state } = site;

  function account(login: string): Account {
    const found = findAccount(state, login);
    if (found === undefined) throw new Error(`The local GitHub has no account "${login}".`);
    return found;
  }

  function repositoryNamed(fullName: string): Repository {
    const [owner = "", name = ""] = fullName.split("/");
    const found = findRepository(state, owner, name);
    if (found === undefined) throw new Error(`The local GitHub has no repository "${fullName}".`);
    return found;
  }

  const doer = (login: string): Doer => {
    const found = account(login);
    return { accountId: found.id, appId: found.appId };
  };

  function threadAt(place: { repository: string; number: number }): { repository: Repository; thread: Thread } {
    const repository = repositoryNamed(place.repository);
    const thread = repository.threads.get(place.number);
    if (thread === undefined) throw new Error(`${place.repository} has no thread ${place.number}.`);
    return { repository, thread };
  }

  function pullAt(place: { repository: string; number: number }): { repository: Repository; thread: PullThread } {
    const { repository, thread } = threadAt(place);
    if (!isPull(thread)) throw new Error(`${place.repository}#${place.number} is not a pull request.`);
    return { repository, thread };
  }

  function reviewCommentAt(options: Place & { commentId: number }): ReviewComment {
    const found = pullAt(options).thread.pull.reviewComments.find(({ id }) => id === options.commentId);
    if (found === undefined) throw new Error(`There is no comment ${options.commentId} on a line.`);
    return found;
  }

  async function push(options: {
    repository: string;
    as: string;
    branch: string;
    files: FileChanges;
    message?: string;
    /** The start of a new branch. The default branch if absent. */
    from?: string;
    force?: boolean;
  }): Promise<string> {
    const repository = repositoryNamed(options.repository);
    return site.locked(repository.id, async () => {
      const ref = branchRef(options.branch);
      const before = repository.refs.get(ref) ?? null;
      const start = options.from ?? repository.defaultBranch;
      const parent =
        options.force === true || before === null ? (repository.refs.get(branchRef(start)) ?? start) : before;
      const isEmpty = repository.refs.size === 0;
      const directory = gitDirectory(site, repository.id);
      const to = await commitFiles(directory, {
        parents: isEmpty ? [] : [parent],
        files: options.files,
        message: options.message ?? "Change",
        author: personOf(site, account(options.as).id),
        date: site.now(),
      });
      await updateRef(directory, ref, { to });
      await refsChanged(site, repository, { changes: [{ ref, from: before, to }], doer: doer(options.as) });
      return to;
    });
  }

  async function addRepository(options: RepositoryOptions & { parent?: Repository }): Promise<Repository> {
    const owner = account(options.owner);
    if (findRepository(state, options.owner, options.name) !== undefined) {
      throw new Error(`${options.owner}/${options.name} exists.`);
    }
    const now = site.timestamp();
    const repository: Repository = {
      id: takeId(state),
      ownerId: owner.id,
      name: options.name,
      description: options.description ?? null,
      private: options.private ?? true,
      freePlan: false,
      defaultBranch: options.defaultBranch ?? "main",
      createdAt: now,
      updatedAt: now,
      pushedAt: now,
      parentId: options.parent?.id ?? null,
      roles: new Map(),
      refs: new Map(),
      nextNumber: 1,
      threads: new Map(),
      deletedIssues: new Set(),
      comments: new Map(),
      labels: new Map(),
      checkRuns: new Map(),
      checkSuites: new Map(),
      statuses: [],
      rulesets: new Map(),
      protections: new Map(),
      strictBranches: new Set(),
      ruleSets: [],
      mergeMethods: new Set(["merge", "squash", "rebase"]),
      autoMerge: false,
      archived: false,
      template: options.template ?? false,
      disabledWorkflows: new Set(),
      signedCommits: new Map(),
      secrets: new Map(),
      ci: options.ci ?? null,
      alerts: { codeScanning: null, dependabot: null, secretScanning: null },
      jobLogs: new Map(),
      activities: [],
    };
    await createBareRepository(gitDirectory(site, repository.id), repository.defaultBranch);
    state.repositories.set(repository.id, repository);
    return repository;
  }

  return {
    createUser(options: { login: string; name?: string }): { id: number; login: string; token: string } {
      const made = createAccount(site, { login: options.login, kind: "User", name: options.name ?? null });
      return { id: made.id, login: made.login, token: createUserToken(site, made.id).value };
    },

    createOrganization(options: { login: string; members?: string[] }): { id: number; login: string } {
      const made = createAccount(site, { login: options.login, kind: "Organization" });
      made.memberIds = (options.members ?? []).map((login) => account(login).id);
      return { id: made.id, login: made.login };
    },

    async createRepository(options: RepositoryOptions): Promise<{
      id: number;
      owner: string;
      name: string;
      fullName: string;
      cloneUrl: string;
      headSha: string | null;
    }> {
      const repository = await addRepository(options);
      const files = options.directory === undefined ? options.files : await filesBelow(options.directory);
      const fullName = `${options.owner}/${options.name}`;
      // The person who owns it makes the first commit. An organization uses its first member.
      const owner = account(options.owner);
      const author = owner.kind === "User" ? owner : state.accounts.get(owner.memberIds[0] ?? owner.id);
      const branch = repository.defaultBranch;
      const as = author?.login ?? options.owner;
      const headSha =
        files === undefined ? null : await push({ repository: fullName, as, branch, files, message: "First commit" });
      const cloneUrl = `${site.origin}/${fullName}.git`;
      return { id: repository.id, owner: options.owner, name: options.name, fullName, cloneUrl, headSha };
    },

    async forkRepository(options: { repository: string; owner: string }): Promise<{ id: number; fullName: string }> {
      const parent = repositoryNamed(options.repository);
      const { name, defaultBranch } = parent;
      const fork = await addRepository({ owner: options.owner, name, private: parent.private, defaultBranch, parent });
      const source = gitDirectory(site, parent.id);
      await git(gitDirectory(site, fork.id), ["fetch", "-q", source, "refs/heads/*:refs/heads/*"]);
      for (const [ref, sha] of parent.refs) if (ref.startsWith("refs/heads/")) fork.refs.set(ref, sha);
      return { id: fork.id, fullName: `${options.owner}/${name}` };
    },

    /** The fork is gone. Its pull requests stay, with `head.repo` null. */
    deleteRepository(options: { repository: string }): void {
      const repository = repositoryNamed(options.repository);
      state.repositories.delete(repository.id);
      for (const other of state.repositories.values()) {
        for (const thread of other.threads.values()) {
          if (thread.pull?.headRepositoryId === repository.id) thread.pull.headRepositoryId = null;
        }
      }
    },

    createApp(options: AppOptions) {
      const { app, privateKey } = createApp(site, options);
      const bot = state.accounts.get(app.botId);
      return {
        id: app.id,
        clientId: app.clientId,
        clientSecret: app.clientSecret,
        slug: app.slug,
        privateKey,
        bot: { id: app.botId, login: bot?.login ?? "" },
      };
    },

    /** The person whose browser opens GitHub's pages. Null: nobody is signed in there. */
    signIn(options: { login: string | null }): void {
      flowOf(site).userId = options.login === null ? null : account(options.login).id;
    },

    /** Confirms the page that a manifest opens. Returns the code that GitHub adds to `redirect_url`. */
    registerManifest(options: {
      as: string;
      manifest: {
        name: string;
        hook_attributes: { url: string };
        default_permissions: Record<string, string>;
        default_events: string[];
      };
    }): { code: string; appId: number } {
      const { manifest } = options;
      const secret = randomBytes(20).toString("hex");
      const { app, privateKey } = createApp(site, {
        slug: manifest.name.toLowerCase().replaceAll(/\W+/g, "-"),
        name: manifest.name,
        ownerLogin: options.as,
        grants: manifest.default_permissions as AppOptions["grants"],
        events: manifest.default_events,
        webhook: { url: manifest.hook_attributes.url, secret },
      });
      const code = randomBytes(20).toString("hex");
      state.manifestCodes.set(code, { appId: app.id, privateKey, secret });
      return { code, appId: app.id };
    },

    /** The App's webhook address. Null stops its webhooks. */
    setWebhook(options: { appId: number; webhook: { url: string; secret: string } | null }): void {
      const app = state.apps.get(options.appId);
      if (app === undefined) throw new Error(`The local GitHub has no App ${options.appId}.`);
      app.webhook = options.webhook;
    },

    installApp(options: { appId: number; account: string; repositories?: string[]; as?: string }): { id: number } {
      const app = state.apps.get(options.appId);
      if (app === undefined) throw new Error(`The local GitHub has no App ${options.appId}.`);
      const owner = account(options.account);
      const repositories = options.repositories?.map((name) => repositoryNamed(name));
      const senderId = account(options.as ?? options.account).id;
      const made = install(site, {
        app,
        account: owner,
        senderId,
        ...(repositories === undefined ? {} : { repositories }),
      });
      return { id: made.id };
    },

    suspendInstallation(options: { installationId: number; as: string; suspended: boolean }): void {
      const one = installationAt(site, options.installationId);
      one.suspendedAt = options.suspended ? site.timestamp() : null;
      const action = options.suspended ? "suspend" : "unsuspend";
      tellInstallation(site, one, { action, senderId: account(options.as).id });
    },

    uninstallApp(options: { installationId: number; as: string }): void {
      const one = installationAt(site, options.installationId);
      tellInstallation(site, one, { action: "deleted", senderId: account(options.as).id });
      state.installations.delete(one.id);
      for (const token of state.tokens.values()) {
        if (token.installationId === one.id) state.tokens.delete(token.value);
      }
    },

    setInstallationRepositories(options: { installationId: number; as: string; repositories: string[] }): void {
      const one = installationAt(site, options.installationId);
      const before = reached(site, one);
      const after = options.repositories.map((name) => repositoryNamed(name));
      one.selection = "selected";
      one.repositoryIds = after.map((repository) => repository.id);
      const senderId = account(options.as).id;
      const added = after.filter((repository) => !before.includes(repository));
      const removed = before.filter((repository) => !after.includes(repository));
      if (added.length > 0) tellRepositories(site, one, { added, removed: [], senderId });
      if (removed.length > 0) tellRepositories(site, one, { added: [], removed, senderId });
    },

    /** The repository's bare git directory, for reading. */
    gitDirectory(fullName: string): string {
      return gitDirectory(site, repositoryNamed(fullName).id);
    },

    setPermission(options: { repository: string; login: string; permission: Role }): void {
      repositoryNamed(options.repository).roles.set(account(options.login).id, options.permission);
    },

    /** By ruleset unless set otherwise. An empty list removes the rule. */
    setRequiredChecks(options: {
      repository: string;
      branch: string;
      checks: (string | RequiredCheckRule)[];
      by?: "ruleset" | "protection";
    }): void {
      const repository = repositoryNamed(options.repository);
      const rules = options.by === "protection" ? repository.protections : repository.rulesets;
      const checks = options.checks.map((one) => (typeof one === "string" ? { context: one, appId: null } : one));
      if (checks.length === 0) rules.delete(options.branch);
      else rules.set(options.branch, checks);
    },

    /** Further rules, by glob of branches. The list replaces the previous one. */
    setRules(options: { repository: string; ruleSets: RuleSet[] }): void {
      repositoryNamed(options.repository).ruleSets = options.ruleSets;
    },

    /** Required checks of this branch require a head that contains all of the branch. */
    requireUpToDate(options: { repository: string; branch: string }): void {
      repositoryNamed(options.repository).strictBranches.add(options.branch);
    },

    setMerging(options: { repository: string; methods?: MergeMethod[]; autoMerge?: boolean }): void {
      const repository = repositoryNamed(options.repository);
      if (options.methods !== undefined) repository.mergeMethods = new Set(options.methods);
      if (options.autoMerge !== undefined) repository.autoMerge = options.autoMerge;
    },

    /** Makes it a private repository of an owner on the free plan. */
    onFreePlan(options: { repository: string }): void {
      Object.assign(repositoryNamed(options.repository), { private: true, freePlan: true });
    },

    archive(options: { repository: string; archived?: boolean }): void {
      repositoryNamed(options.repository).archived = options.archived ?? true;
    },

    deleteIssue(options: Place): void {
      const { repository, thread } = threadAt(options);
      deleteIssue(site, repository, { thread, doer: doer(options.as) });
    },

    lock(options: Place & { locked?: boolean }): void {
      const { repository, thread } = threadAt(options);
      lockThread(site, repository, { thread, locked: options.locked ?? true, doer: doer(options.as) });
    },

    /** The queue of the base branch finishes: the pull request is merged, or removed for a reason. */
    async endQueue(options: Place & { merged: boolean }): Promise<void> {
      const { repository, thread } = pullAt(options);
      await endQueue(site, repository, { thread, merged: options.merged, doer: doer(options.as) });
    },

    setSecret(options: { repository: string; name: string }): void {
      repositoryNamed(options.repository).secrets.set(options.name, site.now().toISOString());
    },

    setCi(options: { repository: string; ci: CiSettings | null }): void {
      repositoryNamed(options.repository).ci = options.ci;
    },

    /** A person re-runs a job of the CI by its check run. */
    rerunJob(options: { repository: string; checkRunId: number }): void {
      const repository = repositoryNamed(options.repository);
      const run = repository.checkRuns.get(options.checkRunId);
      if (run === undefined) throw new Error(`There is no check run ${options.checkRunId}.`);
      rerunJob(site, repository, run);
    },

    approveWorkflows(options: { repository: string; sha: string }): void {
      approveRuns(site, repositoryNamed(options.repository), options.sha);
    },

    openIssue(options: { repository: string; as: string; title: string; body?: string; labels?: string[] }): {
      id: number;
      number: number;
    } {
      const thread = openIssue(site, repositoryNamed(options.repository), {
        title: options.title,
        body: options.body ?? null,
        doer: doer(options.as),
        labels: options.labels ?? [],
      });
      return { id: thread.id, number: thread.number };
    },

    comment(options: Place & { body: string }): { id: number } {
      const { repository, thread } = threadAt(options);
      return { id: addComment(site, repository, { thread, body: options.body, doer: doer(options.as) }).id };
    },

    editComment(options: { repository: string; commentId: number; as: string; body: string }): void {
      const repository = repositoryNamed(options.repository);
      const comment = repository.comments.get(options.commentId);
      if (comment === undefined) throw new Error(`${options.repository} has no comment ${options.commentId}.`);
      editComment(site, repository, { comment, body: options.body, doer: doer(options.as) });
    },

    editThread(options: Place & { title?: string; body?: string }): void {
      const { repository, thread } = threadAt(options);
      const change = { title: options.title, body: options.body };
      editThread(site, repository, { thread, change, doer: doer(options.as) });
    },

    label(options: Place & { labels: string[] }): void {
      const { repository, thread } = threadAt(options);
      setLabels(site, repository, { thread, names: options.labels, doer: doer(options.as) });
    },

    /** Also closes a pull request. */
    closeIssue(options: Place): void {
      const { repository, thread } = threadAt(options);
      closeThread(site, repository, { thread, doer: doer(options.as) });
    },

    reopenIssue(options: Place): void {
      const { repository, thread } = threadAt(options);
      reopenThread(site, repository, { thread, doer: doer(options.as) });
    },

    push,

    async deleteBranch(options: { repository: string; as: string; branch: string }): Promise<void> {
      const repository = repositoryNamed(options.repository);
      await changeRef(site, repository, { ref: branchRef(options.branch), to: null, doer: doer(options.as) });
    },

    async openPullRequest(options: {
      repository: string;
      as: string;
      title: string;
      body?: string;
      head: string;
      base?: string;
      draft?: boolean;
    }): Promise<{ id: number; number: number }> {
      const repository = repositoryNamed(options.repository);
      const thread = await openPull(site, repository, {
        title: options.title,
        body: options.body ?? null,
        head: options.head,
        base: options.base ?? repository.defaultBranch,
        draft: options.draft ?? false,
        doer: doer(options.as),
      });
      return { id: thread.pull.id, number: thread.number };
    },

    /** A person chooses another base branch for a pull request. */
    async retarget(options: Place & { base: string }): Promise<void> {
      const { repository, thread } = pullAt(options);
      await retarget(site, repository, { thread, base: options.base, doer: doer(options.as) });
    },

    markReady(options: Place): void {
      const { repository, thread } = pullAt(options);
      thread.pull.draft = false;
      tellThread(site, repository, { thread, action: "ready_for_review", doer: doer(options.as) });
    },

    review(
      options: Place & {
        event: ReviewEvent;
        body?: string;
        /** The head of the pull request by default. */
        sha?: string;
        comments?: { path: string; line?: number; body: string }[];
      },
    ): { id: number } {
      const { repository, thread } = pullAt(options);
      const comments = (options.comments ?? []).map((one) => ({
        path: one.path,
        line: one.line ?? null,
        body: one.body,
        diffHunk: "@@ -1 +1 @@",
      }));
      const made = addReview(site, repository, {
        thread,
        event: options.event,
        body: options.body ?? "",
        sha: options.sha ?? null,
        comments,
        doer: doer(options.as),
      });
      return { id: made.id };
    },

    /** The thread that begins with this comment. */
    resolveThread(options: Place & { commentId: number }): void {
      reviewCommentAt(options).resolved = true;
    },

    reactToLine(options: Place & { commentId: number; content: ReactionContent }): void {
      const { content } = options;
      reviewCommentAt(options).reactions.push({
        id: takeId(state),
        userId: account(options.as).id,
        content,
        createdAt: site.timestamp(),
      });
    },

    deleteReviewComment(options: Place & { commentId: number }): void {
      const { pull } = pullAt(options).thread;
      pull.reviewComments = pull.reviewComments.filter(({ id }) => id !== options.commentId);
    },

    /** The button below a suggestion: a commit on the head branch. */
    async applySuggestion(options: Place & { commentId: number }): Promise<string> {
      const { repository, thread } = pullAt(options);
      const { path, line, startLine, side, body } = reviewCommentAt(options);
      const [, , text = null] = /^(`{3,})suggestion\n([\s\S]*?)^\1\s*$/m.exec(body) ?? [];
      if (text === null || line === null || side !== "RIGHT") throw new Error("There is no suggestion to apply.");
      const directory = gitDirectory(site, repository.id);
      const lines = (await git(directory, ["show", `${thread.pull.headSha}:${path}`])).split("\n");
      const from = startLine ?? line;
      lines.splice(from - 1, line - from + 1, ...(text === "" ? [] : text.replace(/\n$/, "").split("\n")));
      return push({
        repository: options.repository,
        as: options.as,
        branch: thread.pull.headRef,
        files: { [path]: lines.join("\n") },
        message: `Update ${path}`,
      });
    },

    dismissReview(options: Place & { reviewId: number }): void {
      const { repository, thread } = pullAt(options);
      const review = thread.pull.reviews.find((one) => one.id === options.reviewId);
      if (review === undefined) throw new Error(`There is no review ${options.reviewId}.`);
      dismissReview(site, repository, { thread, review, doer: doer(options.as) });
    },

    async merge(options: Place & { method?: "merge" | "squash" | "rebase" }): Promise<string> {
      const { repository, thread } = pullAt(options);
      const method = options.method ?? "merge";
      return mergePull(site, repository, {
        thread,
        method,
        sha: null,
        title: null,
        message: null,
        doer: doer(options.as),
      });
    },

    async setStatus(options: {
      repository: string;
      as: string;
      sha: string;
      state: CommitStatus["state"];
      context: string;
      description?: string;
      targetUrl?: string;
    }): Promise<void> {
      const { sha, state: value, context } = options;
      await addStatus(site, repositoryNamed(options.repository), {
        sha,
        state: value,
        context,
        description: options.description ?? null,
        targetUrl: options.targetUrl ?? null,
        doer: doer(options.as),
      });
    },

    /** A person presses "Re-run" (or a button of the App's own) on a check run. */
    async requestCheck(options: {
      repository: string;
      as: string;
      checkRunId: number;
      action?: string;
    }): Promise<void> {
      const repository = repositoryNamed(options.repository);
      const run = repository.checkRuns.get(options.checkRunId);
      if (run === undefined) throw new Error(`There is no check run ${options.checkRunId}.`);
      const { action } = options;
      await tellRun(site, repository, {
        run,
        action: action === undefined ? "rerequested" : "requested_action",
        senderId: account(options.as).id,
        ...(action === undefined ? {} : { more: { requested_action: { identifier: action } } }),
      });
    },
  };
}

function installationAt(site: Site, id: number): Installation {
  const found = site.state.installations.get(id);
  if (found === undefined) throw new Error(`The local GitHub has no installation ${id}.`);
  return found;
}

async function filesBelow(directory: string): Promise<FileChanges> {
  const files: FileChanges = {};
  const skipped = new Set([".git", "node_modules"]);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = relative(directory, join(entry.parentPath, entry.name));
    if (!entry.isFile() || path.split("/").some((part) => skipped.has(part))) continue;
    files[path] = await readFile(join(directory, path));
  }
  return files;
}
