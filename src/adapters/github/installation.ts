/** GitHub as one installation sees it. Reads return plain facts (github.G3). Each write is an *ensure*. */
import { BatonError, hasCode, toBatonError } from "../../core/errors.ts";
import {
  type Actor,
  type GithubRepository,
  type Json,
  type Permission,
  permissionSchema,
  type Repository,
  repositoryOf,
} from "../../core/vocabulary.ts";
import type {
  AlertFacts,
  BranchRuleFacts,
  ChangeFacts,
  CheckFacts,
  CheckRunContent,
  CheckSuiteFacts,
  CommentFacts,
  FoldReason,
  Github,
  GithubUser,
  IssueFacts,
  MergeMethod,
  NewReview,
  OwnThreadFacts,
  PostedComment,
  PostedReview,
  PullRequestFacts,
  RequiredCheck,
  ReviewFacts,
  WorkflowRun,
} from "../../ports/github.ts";
import { alertSources } from "../../ports/github.ts";
import type { RepositorySetup } from "../../ports/repository-setup.ts";
import type { Liveness } from "../../schedule/disabled.ts";
import { failureText } from "../../text/failure-text.ts";
import { logExcerpt } from "../../text/log-excerpt.ts";
import { parseMarker, withMarker } from "../../text/marker.ts";
import { rulesOf } from "./branch-rules.ts";
import {
  annotationOf,
  checkOf,
  commentOf,
  issueOf,
  pullOf,
  reviewOf,
  sharedNames,
  statusOf,
  suiteOf,
  triesOf,
  userOf,
  workflowRunOf,
  writtenComment,
  writtenIssue,
} from "./facts.ts";
import { type GraphqlClient, graphqlClient } from "./graphql.ts";
import { editReview, ensureReply, ensureReview, resolveThread, retireReview } from "./pull-reviews.ts";
import { repositorySetup } from "./repository-setup.ts";
import { deniedIsNull, type Requester } from "./request.ts";
import type * as wire from "./wire-types.ts";

export interface InstallationOptions {
  requester: Requester;
  identity(): Promise<{ appId: number; bot: GithubUser }>;
  webUrl: string;
  repositoryToken(repositoryId: number, access: "read" | "write"): Promise<string>;
  granted: Github["granted"];
}

/** For changes in a repository: items per page, and pages per look. */
const changedPageItems = 100;
const changedPagesMax = 10;
/** Source: https://github.com/sourcecred/sourcecred/pull/908 ("You may not provide more than 100 node ids") */
const nodesMax = 100;

/** Per list. This is more than successive sweeps will ever propose. */
const alertsMax = 100;

/** A comparison lists no more files than this. */
const comparedFilesMax = 300;

interface FoundPermission {
  permission: string;
  role_name?: string;
  user?: wire.User | null;
}

/** `role_name` tells triage and maintain apart. A custom role falls back to its base permission. */
function permissionOf(found: FoundPermission | null): Permission {
  const role = permissionSchema.safeParse(found?.role_name);
  const base = permissionSchema.safeParse(found?.permission);
  return role.success ? role.data : base.success ? base.data : "none";
}

export class InstallationGithub implements Github {
  readonly #requester: Requester;
  readonly #options: InstallationOptions;
  readonly #graphql: GraphqlClient;

  constructor(options: InstallationOptions) {
    this.#requester = options.requester;
    this.#options = options;
    this.#graphql = graphqlClient(options.requester);
  }

  async repository(repositoryId: number): Promise<Repository> {
    return repositoryOf(
      await this.#requester.get<GithubRepository>("/repositories/{repository_id}", { repository_id: repositoryId }),
    );
  }

  async permission(repository: Repository, login: string): Promise<Permission> {
    return permissionOf(await this.#permissionOf(repository, login));
  }

  async person(repository: Repository, login: string): Promise<Actor | null> {
    const found = await this.#permissionOf(repository, login);
    return found?.user == null ? null : { ...userOf(found.user), permission: permissionOf(found) };
  }

  #permissionOf(repository: Repository, login: string): Promise<FoundPermission | null> {
    return this.#requester.find<FoundPermission>("/repos/{owner}/{repo}/collaborators/{username}/permission", {
      ...at(repository),
      username: login,
    });
  }

  async actor(repository: Repository, user: GithubUser): Promise<Actor> {
    return { ...user, permission: await this.permission(repository, user.login) };
  }

  async collaborators(repository: Repository): Promise<Actor[]> {
    const found = await this.#requester.list<wire.User & { role_name?: string }>(
      "/repos/{owner}/{repo}/collaborators",
      at(repository),
    );
    return found.map((user) => ({ ...userOf(user), permission: permissionSchema.catch("read").parse(user.role_name) }));
  }

  async issue(repository: Repository, number: number): Promise<IssueFacts> {
    const found = await this.#requester.get<wire.Issue>("/repos/{owner}/{repo}/issues/{issue_number}", {
      ...at(repository),
      issue_number: number,
    });
    return issueOf(found);
  }

  async comments(repository: Repository, number: number, since?: string): Promise<CommentFacts[]> {
    const found = await this.#requester.list<wire.Comment>("/repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at(repository),
      issue_number: number,
      ...(since === undefined ? {} : { since }),
    });
    return found.map(commentOf);
  }

  async written(repository: Pick<Repository, "owner" | "name">, since: string) {
    const place = at(repository);
    const ofIssues = { ...place, state: "all" };
    const [comments, issues] = await Promise.all([
      this.#changedSince<wire.ThreadComment>("/repos/{owner}/{repo}/issues/comments", place, since),
      this.#changedSince<wire.NewIssue>("/repos/{owner}/{repo}/issues", ofIssues, since),
    ]);
    const untils = [comments.until, issues.until].filter((until) => until !== null);
    return {
      written: [
        ...comments.items.flatMap((comment) => writtenComment(comment) ?? []),
        ...issues.items.flatMap((issue) => writtenIssue(issue) ?? []),
      ],
      until: untils.sort()[0] ?? null,
    };
  }

  async unedited(nodeIds: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (let at = 0; at < nodeIds.length; at += nodesMax)
      for (const id of await this.#graphql.unedited(nodeIds.slice(at, at + nodesMax))) found.add(id);
    return found;
  }

  /**
   * Lists the oldest change first. Each page starts where the previous one ended. An item that changes meanwhile moves
   * to the end. Numbered pages would omit the item that moves into its place.
   */
  async #changedSince<T extends { id: number; updated_at: string }>(
    route: string,
    parameters: Record<string, unknown>,
    since: string,
  ): Promise<{ items: T[]; until: string | null }> {
    const items = new Map<number, T>();
    let from = since;
    for (let page = 1; page <= changedPagesMax; page += 1) {
      const found = await this.#requester.get<T[]>(route, {
        ...parameters,
        sort: "updated",
        direction: "asc",
        since: from,
        per_page: changedPageItems,
      });
      for (const item of found) items.set(item.id, item);
      if (found.length < changedPageItems) return { items: [...items.values()], until: null };
      const last = found.at(-1)?.updated_at ?? from;
      // All items of the page changed in one second. GitHub offers no way to ask for the rest of that second.
      from = Date.parse(last) === Date.parse(from) ? new Date(Date.parse(last) + 1_000).toISOString() : last;
    }
    return { items: [...items.values()], until: from };
  }

  async pullRequest(repository: Repository, number: number): Promise<PullRequestFacts> {
    return pullOf(
      await this.#requester.get<wire.PullRequest>("/repos/{owner}/{repo}/pulls/{pull_number}", {
        ...at(repository),
        pull_number: number,
      }),
    );
  }

  async pullRequestsForBranch(repository: Repository, branch: string): Promise<PullRequestFacts[]> {
    const found = await this.#requester.list<wire.PullRequest>("/repos/{owner}/{repo}/pulls", {
      ...at(repository),
      head: `${repository.owner}:${branch}`,
      state: "open",
    });
    return found.filter(({ head }) => head.ref === branch).map(pullOf);
  }

  async reviews(repository: Repository, number: number): Promise<ReviewFacts[]> {
    const pull = { ...at(repository), pull_number: number };
    const listed = await this.#requester.list<wire.Review>("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", pull);
    // GitHub lists a pending review to its author. The review keeps its id once submitted, so nobody may remember the
    // id before.
    const found = listed.filter(({ state }) => state !== "PENDING");
    const comments = await this.#requester.list<wire.ReviewComment>(
      "/repos/{owner}/{repo}/pulls/{pull_number}/comments",
      pull,
    );
    const permissions = new Map<string, Permission>();
    for (const review of found) {
      const login = review.user?.login;
      if (login !== undefined && review.user?.type === "User" && !permissions.has(login))
        permissions.set(login, await this.permission(repository, login));
    }
    return found.map((review) => reviewOf(review, permissions.get(review.user?.login ?? "") ?? "none", comments));
  }

  async checks(repository: Repository, sha: string): Promise<CheckFacts[]> {
    const commit = { ...at(repository), ref: sha };
    const runs = (filter: "all" | "latest"): Promise<wire.CheckRun[]> =>
      this.#requester.list<wire.CheckRun>(
        "/repos/{owner}/{repo}/commits/{ref}/check-runs",
        { ...commit, filter },
        (data) => (data as { check_runs: wire.CheckRun[] }).check_runs,
      );
    // A job that runs again gets an id of its own in the same suite, and `latest` omits the earlier one. Sources:
    // https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference and
    // https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run ("from old executions").
    // An App that resets its check run instead leaves no trace of the earlier try.
    const found = await runs("all").catch((thrown: unknown) => {
      // GitHub keeps up to 1,000 tries of one name. They must not hide the newest ones.
      if (hasCode(thrown, "BATON_GITHUB_INCOMPLETE")) return runs("latest");
      throw thrown;
    });
    const statuses = await this.#requester.list<wire.Status>("/repos/{owner}/{repo}/commits/{ref}/statuses", commit);
    const attempts = await this.#attempts(repository, found);
    return [
      ...found.map((run) => checkOf(run, attempts.get(run.id))),
      ...triesOf(statuses).map((status) => statusOf(status, sha)),
    ];
  }

  /**
   * By id of the job, which is also the id of its check run. In an attempt that runs some jobs again, GitHub lists the
   * others too, with the number of that attempt. Sources:
   * https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run (`run_attempt`) and
   * https://github.com/PostHog/posthog/pull/65573
   */
  async #attempts(repository: Repository, runs: readonly wire.CheckRun[]): Promise<ReadonlyMap<number, number | null>> {
    const attempts = new Map<number, number | null>();
    for (const run of sharedNames(runs)) {
      for (const one of runs) if (workflowRunOf(one) === run) attempts.set(one.id, null);
      const jobs = await this.#requester
        .list<wire.Job>(
          "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
          { ...at(repository), run_id: run, filter: "all" },
          (data) => (data as { jobs: wire.Job[] }).jobs,
        )
        .catch((thrown: unknown) => {
          // Then each try counts (TR3 in `gate/tries.ts`).
          const unreadable = ["BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_INCOMPLETE"] as const;
          if (unreadable.some((code) => hasCode(thrown, code))) return [];
          throw thrown;
        });
      for (const { id, run_attempt: attempt } of jobs)
        if (attempt !== undefined) attempts.set(id, Math.max(attempt, attempts.get(id) ?? 0));
    }
    return attempts;
  }

  async checkSuites(repository: Repository, sha: string): Promise<CheckSuiteFacts[]> {
    const found = await this.#requester.list<wire.CheckSuite>(
      "/repos/{owner}/{repo}/commits/{ref}/check-suites",
      { ...at(repository), ref: sha },
      (data) => (data as { check_suites: wire.CheckSuite[] }).check_suites,
    );
    return found.map(suiteOf);
  }

  async requiredChecks(repository: Repository, branch: string): Promise<RequiredCheck[]> {
    const required: RequiredCheck[] = [];
    const rules = await rulesOf<wire.BranchRule>(this.#requester, repository, branch);
    for (const rule of rules) {
      if (rule.type !== "required_status_checks") continue;
      for (const check of rule.parameters?.required_status_checks ?? [])
        required.push({ name: check.context, appId: check.integration_id ?? null });
    }
    const protection = await this.#protection(repository, branch);
    for (const check of protection) if (!required.some(({ name }) => name === check.name)) required.push(check);
    return required;
  }

  async branchRules(repository: Repository, branch: string): Promise<BranchRuleFacts[]> {
    const rules = await rulesOf<wire.BranchRule>(this.#requester, repository, branch);
    return rules.map(({ type, parameters }) => ({
      type,
      ...(parameters?.pattern === undefined
        ? {}
        : {
            pattern: {
              operator: parameters.operator ?? "",
              pattern: parameters.pattern,
              negate: parameters.negate ?? false,
            },
          }),
      ...(parameters?.allowed_merge_methods === undefined ? {} : { methods: parameters.allowed_merge_methods }),
    }));
  }

  async mergeSettings(repository: Repository): Promise<{ archived: boolean; methods: MergeMethod[] | null }> {
    const found = await this.#requester.get<wire.RepositorySettings>("/repos/{owner}/{repo}", at(repository));
    const allowed = {
      merge: found.allow_merge_commit,
      squash: found.allow_squash_merge,
      rebase: found.allow_rebase_merge,
    };
    const told = Object.values(allowed).every((value) => value !== undefined);
    const methods = (["merge", "squash", "rebase"] as const).filter((method) => allowed[method] === true);
    return { archived: found.archived ?? false, methods: told ? methods : null };
  }

  granted(repository: Repository, toWrite: readonly string[]): Promise<Readonly<Record<string, string>> | null> {
    return this.#options.granted(repository, toWrite);
  }

  async branchesBeginning(repository: Repository, prefix: string): Promise<string[]> {
    const found = await this.#requester.find<{ ref: string }[]>("/repos/{owner}/{repo}/git/matching-refs/{+ref}", {
      ...at(repository),
      ref: `heads/${prefix}`,
    });
    return (found ?? []).map(({ ref }) => ref.replace(/^refs\/heads\//, ""));
  }

  async checkLog(
    repository: Repository,
    check: Pick<CheckFacts, "id" | "source" | "summary">,
    bytesMax: number,
  ): Promise<string> {
    if (check.source !== "check-run") return logExcerpt(check.summary, bytesMax);
    const [annotations, log] = await Promise.all([
      // One page is more than a repair reads: https://docs.github.com/en/rest/checks/runs#list-check-run-annotations
      this.#requester
        .find<wire.CheckAnnotation[]>("/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", {
          ...at(repository),
          check_run_id: check.id,
          per_page: 100,
        })
        .catch(deniedIsNull),
      // For GitHub Actions the check run's id is the job's id. Other Apps have only the text of their check run.
      this.#requester
        .find<string | ArrayBuffer>("/repos/{owner}/{repo}/actions/jobs/{job_id}/logs", {
          ...at(repository),
          job_id: check.id,
        })
        .catch(deniedIsNull),
    ]);
    return failureText(
      {
        annotations: (annotations ?? []).map(annotationOf),
        log: log === null ? null : typeof log === "string" ? log : Buffer.from(log).toString("utf8"),
        summary: check.summary,
      },
      bytesMax,
    );
  }

  /** Source: https://docs.github.com/en/rest/repos/contents#get-repository-content (`ref` defaults to the default branch) */
  async file(repository: Pick<Repository, "owner" | "name">, path: string, ref: string | null): Promise<string | null> {
    const found = await this.#requester.find<wire.Content>("/repos/{owner}/{repo}/contents/{+path}", {
      ...at(repository),
      path,
      ...(ref === null ? {} : { ref }),
    });
    if (found === null || found.type !== "file" || found.content === undefined) return null;
    return Buffer.from(found.content, "base64").toString("utf8");
  }

  async directory(repository: Repository, path: string, ref: string): Promise<string[]> {
    const found = await this.#requester.find<wire.Content | wire.FolderEntry[]>(
      "/repos/{owner}/{repo}/contents/{+path}",
      { ...at(repository), path, ref },
    );
    return Array.isArray(found) ? found.filter(({ type }) => type === "file").map(({ name }) => name) : [];
  }

  async branchSha(repository: Repository, branch: string): Promise<string | null> {
    const found = await this.#requester.find<{ object: { sha: string } }>("/repos/{owner}/{repo}/git/ref/{+ref}", {
      ...at(repository),
      ref: `heads/${branch}`,
    });
    return found?.object.sha ?? null;
  }

  async pusher(repository: Repository, branch: string, sha: string): Promise<GithubUser | null> {
    const found = await this.#requester.find<wire.Activity[]>("/repos/{owner}/{repo}/activity", {
      ...at(repository),
      ref: `refs/heads/${branch}`,
      per_page: 100,
    });
    const actor = found?.find(({ after }) => after === sha)?.actor;
    return actor == null ? null : userOf(actor);
  }

  /**
   * The first hundred alerts of each list. GitHub answers 403 or 404 with the reason, for a disabled list as for a
   * denied one.
   * Sources: https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-a-repository,
   * https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-a-repository and
   * https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-a-repository
   * (`hide_secret`)
   */
  async alerts(repository: Repository): Promise<AlertFacts> {
    const found: AlertFacts = { alerts: [], missing: [], isPart: false };
    const lists = {
      "code scanning": { route: "/repos/{owner}/{repo}/code-scanning/alerts", more: {} },
      Dependabot: { route: "/repos/{owner}/{repo}/dependabot/alerts", more: {} },
      "secret scanning": { route: "/repos/{owner}/{repo}/secret-scanning/alerts", more: { hide_secret: true } },
    } satisfies Record<(typeof alertSources)[number], object>;
    for (const source of alertSources) {
      const { route, more } = lists[source];
      try {
        const page = { ...at(repository), state: "open", per_page: alertsMax, ...more };
        const some = await this.#requester.get<Json[]>(route, page);
        found.alerts.push(...some);
        if (some.length >= alertsMax) found.isPart = true;
      } catch (thrown) {
        if (!hasCode(thrown, "BATON_GITHUB_DENIED") && !hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) throw thrown;
        found.missing.push({ source, reason: (thrown as Error).message });
        found.isPart = true;
      }
    }
    return found;
  }

  async treeSha(repository: Repository, commit: string): Promise<string> {
    const { tree } = await this.#requester.get<{ tree: { sha: string } }>(
      "/repos/{owner}/{repo}/git/commits/{commit_sha}",
      { ...at(repository), commit_sha: commit },
    );
    return tree.sha;
  }

  async recentCommits(repository: Repository, branch: string, count: number) {
    const page = { ...at(repository), sha: branch, per_page: count };
    const found = await this.#requester.find<wire.ListedCommit[]>("/repos/{owner}/{repo}/commits", page);
    return (found ?? []).map(({ sha, commit }) => ({ sha, subject: commit.message.split("\n")[0] ?? "" }));
  }

  /** At most 300 files. Source: https://docs.github.com/en/rest/commits/commits#compare-two-commits */
  async changedPaths(
    repository: Repository,
    { before, after }: { before: string; after: string },
  ): Promise<string[] | null> {
    const found = await this.#requester.find<{ files?: { filename: string; previous_filename?: string }[] }>(
      "/repos/{owner}/{repo}/compare/{basehead}",
      { ...at(repository), basehead: `${before}...${after}` },
    );
    const files = found?.files ?? null;
    if (files === null || files.length >= comparedFilesMax) return null;
    return files.flatMap(({ filename, previous_filename: from }) =>
      from === undefined ? [filename] : [filename, from],
    );
  }

  async pullRequestFiles(repository: Repository, number: number): Promise<string[]> {
    const found = await this.#requester.list<{ filename: string; previous_filename?: string }>(
      "/repos/{owner}/{repo}/pulls/{pull_number}/files",
      { ...at(repository), pull_number: number },
    );
    // A renamed file is gone from its old place. Both places changed.
    return found.flatMap(({ filename, previous_filename }) =>
      previous_filename === undefined ? [filename] : [filename, previous_filename],
    );
  }

  async ownThreads({ nodeId }: Pick<PullRequestFacts, "nodeId">): Promise<OwnThreadFacts[]> {
    const { bot } = await this.#options.identity();
    const found = await this.#graphql.threads(nodeId);
    return found.flatMap(({ id, isResolved, comments }) => {
      const first = comments.nodes?.[0] ?? null;
      if (first === null || first.author === null) return [];
      const { __typename: type, login } = first.author;
      if ((type === "Bot" ? `${login}[bot]` : login) !== bot.login) return [];
      const dislikedBy = (first.reactions.nodes ?? []).flatMap((one) =>
        one?.content === "THUMBS_DOWN" && one.user !== null ? [one.user.login] : [],
      );
      return [{ id, isResolved, body: first.body, dislikedBy }];
    });
  }

  /** Source: https://docs.github.com/en/rest/commits/commits#compare-two-commits (`status`) */
  async isAhead(repository: Repository, { before, after }: { before: string; after: string }): Promise<boolean> {
    const found = await this.#requester.find<{ status: string }>("/repos/{owner}/{repo}/compare/{basehead}", {
      ...at(repository),
      basehead: `${before}...${after}`,
      per_page: 1,
    });
    return found?.status === "ahead" || found?.status === "identical";
  }

  async ensureReview(repository: Repository, number: number, marker: string, review: NewReview): Promise<PostedReview> {
    return ensureReview(await this.#reviewPlace(repository, number), marker, review);
  }

  async editReview(repository: Repository, number: number, id: number, marker: string, body: string): Promise<boolean> {
    return editReview(await this.#reviewPlace(repository, number), id, marker, body);
  }

  async retireReview(
    repository: Repository,
    number: number,
    id: number,
    how: { fold: boolean; withdraw: string | null },
  ): Promise<void> {
    return retireReview(await this.#reviewPlace(repository, number), id, how);
  }

  resolveThread(id: string): Promise<void> {
    return resolveThread(this.#graphql, id);
  }

  async ensureReply(
    repository: Repository,
    number: number,
    to: number,
    marker: string,
    body: string,
  ): Promise<{ id: number; url: string } | null> {
    return ensureReply(await this.#reviewPlace(repository, number), to, marker, body);
  }

  async #reviewPlace(repository: Repository, number: number) {
    const { bot } = await this.#options.identity();
    return { requester: this.#requester, graphql: this.#graphql, repository, number, isOurs: isAuthor(bot) };
  }

  /**
   * GitHub lists the merged pull request that brought a commit to the default branch. The pull request itself names the
   * person who merged it. Baton ignores the author of a commit, because its committer can write any name there.
   * Sources: https://docs.github.com/en/rest/commits/commits#list-commits (`path`),
   * https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit and
   * https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request (`merged_by`)
   */
  async lastChange(repository: Repository, path: string, branch: string): Promise<ChangeFacts | null> {
    const commits = await this.#requester.find<{ sha: string }[]>("/repos/{owner}/{repo}/commits", {
      ...at(repository),
      path,
      sha: branch,
      per_page: 1,
    });
    const sha = commits?.[0]?.sha;
    if (sha === undefined) return null;
    const pulls = await this.#requester.list<{ number: number; merged_at: string | null; base: { ref: string } }>(
      "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
      { ...at(repository), commit_sha: sha },
    );
    const [first] = pulls
      .filter(({ merged_at: mergedAt, base }) => mergedAt !== null && base.ref === branch)
      .toSorted((a, b) => Date.parse(a.merged_at ?? "") - Date.parse(b.merged_at ?? ""));
    if (first === undefined) return { sha, by: await this.pusher(repository, branch, sha), pullRequest: null };
    const { merged_by: by } = await this.#requester.get<{ merged_by: wire.User | null }>(
      "/repos/{owner}/{repo}/pulls/{pull_number}",
      { ...at(repository), pull_number: first.number },
    );
    return { sha, by: by === null ? null : userOf(by), pullRequest: first.number };
  }

  async liveness(repository: Repository): Promise<Liveness> {
    const [found, commits] = await Promise.all([
      this.#requester.get<{ private: boolean }>("/repos/{owner}/{repo}", at(repository)),
      this.#requester.find<{ commit: { committer: { date?: string } | null } }[]>("/repos/{owner}/{repo}/commits", {
        ...at(repository),
        sha: repository.defaultBranch,
        per_page: 1,
      }),
    ]);
    const date = commits?.[0]?.commit.committer?.date;
    return { isPublic: !found.private, lastCommitAt: date === undefined ? null : Date.parse(date) };
  }

  async ownIssue(repository: Repository, marker: string, knownNumber: number | null): Promise<number | null> {
    return (await this.#ownIssue(repository, marker, knownNumber))?.number ?? null;
  }

  async ensureIssue(
    repository: Repository,
    { marker, title, body, knownNumber }: Parameters<Github["ensureIssue"]>[1],
  ): Promise<{ number: number; url: string }> {
    const text = withMarker(body, marker);
    const existing = await this.#ownIssue(repository, marker, knownNumber);
    if (existing !== null) {
      const isSame = existing.title === title && (existing.body ?? "").trimEnd() === text.trimEnd();
      if (!isSame)
        await this.#requester.write(
          "PATCH /repos/{owner}/{repo}/issues/{issue_number}",
          { ...at(repository), issue_number: existing.number, title, body: text },
          "edit",
        );
      return { number: existing.number, url: existing.html_url };
    }
    const made = await this.#requester.write<wire.Issue>("POST /repos/{owner}/{repo}/issues", {
      ...at(repository),
      title,
      body: text,
    });
    return { number: made.number, url: made.html_url };
  }

  async ensureComment(
    repository: Repository,
    number: number,
    marker: string,
    body: string,
    knownId: number | null,
    isAwaited = false,
  ): Promise<PostedComment> {
    const text = withMarker(body, marker);
    const thread = { ...at(repository), issue_number: number };
    const existing = await this.#ownComment(repository, number, marker, knownId);
    if (existing !== null) {
      if (existing.body.trimEnd() === text.trimEnd()) return postedOf(existing);
      const edited = await this.#requester.write<wire.Comment>(
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        { ...at(repository), comment_id: existing.id, body: text },
        isAwaited || "edit",
      );
      return postedOf(commentOf(edited));
    }
    const created = await this.#requester.write<wire.Comment>(
      "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
      { ...thread, body: text },
    );
    return postedOf(commentOf(created));
  }

  async ownComment(repository: Repository, number: number, marker: string): Promise<PostedComment | null> {
    const own = await this.#ownComment(repository, number, marker, null);
    return own === null ? null : postedOf(own);
  }

  async minimizeComment({ nodeId }: Pick<CommentFacts, "nodeId">, because: FoldReason): Promise<void> {
    await this.#graphql.minimize(nodeId, because);
  }

  async ensureReaction(
    repository: Repository,
    to: { comment: number } | { reviewComment: number } | { thread: number },
    content: string,
  ): Promise<void> {
    if ("reviewComment" in to) {
      const place = { ...at(repository), comment_id: to.reviewComment, content };
      await this.#requester.write("POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions", place, "edit");
      return;
    }
    // GitHub itself keeps one reaction of each kind per user. Repeating a reaction changes nothing.
    const [route, place] =
      "comment" in to
        ? (["POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", { comment_id: to.comment }] as const)
        : (["POST /repos/{owner}/{repo}/issues/{issue_number}/reactions", { issue_number: to.thread }] as const);
    await this.#requester.write(route, { ...at(repository), ...place, content }, "edit");
  }

  async ensurePullRequest(
    repository: Repository,
    options: { head: string; base: string; title: string; body: string; draft: boolean },
  ): Promise<PullRequestFacts> {
    const adopt = async (): Promise<PullRequestFacts | null> => {
      const open = await this.pullRequestsForBranch(repository, options.head);
      return (
        open.find(({ baseRef, headRepositoryId }) => baseRef === options.base && headRepositoryId === repository.id) ??
        null
      );
    };
    const existing = await adopt();
    if (existing !== null) return existing;
    try {
      return pullOf(
        await this.#requester.write<wire.PullRequest>("POST /repos/{owner}/{repo}/pulls", {
          ...at(repository),
          head: options.head,
          base: options.base,
          title: options.title,
          body: options.body,
          draft: options.draft,
        }),
      );
    } catch (thrown) {
      const now = hasCode(thrown, "BATON_GITHUB_CONFLICT") ? await adopt() : null;
      if (now === null) throw thrown;
      return now;
    }
  }

  async updatePullRequest(
    repository: Repository,
    number: number,
    change: { title?: string; body?: string },
  ): Promise<void> {
    const now = await this.pullRequest(repository, number);
    if ((change.title ?? now.title) === now.title && (change.body ?? now.body) === now.body) return;
    await this.#requester.write("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
      ...at(repository),
      pull_number: number,
      ...change,
    });
  }

  async ensureReviewRequest(
    repository: Repository,
    number: number,
    reviewers: string[],
    teams: string[],
  ): Promise<void> {
    const pull = await this.pullRequest(repository, number);
    // GitHub refuses the whole request when the author is among the reviewers.
    const people = reviewers.filter((login) => login.toLowerCase() !== pull.author.login.toLowerCase());
    const ask = (some: string[], of: string[]): Promise<unknown> =>
      this.#requester.write("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
        ...at(repository),
        pull_number: number,
        reviewers: some,
        team_reviewers: of,
      });
    if (people.length + teams.length === 0) return;
    try {
      await ask(people, teams);
    } catch (thrown) {
      // GitHub accepts all or none. One reviewer that GitHub rejects must not drop the others.
      if (!hasCode(thrown, "BATON_GITHUB_CONFLICT") || people.length + teams.length === 1) throw thrown;
      const refused: string[] = [];
      for (const [some, of] of [...people.map((one) => [[one], []]), ...teams.map((team) => [[], [team]])] as [
        string[],
        string[],
      ][])
        await ask(some, of).catch((one: unknown) => {
          if (!hasCode(one, "BATON_GITHUB_CONFLICT")) throw one;
          refused.push(...some, ...of);
        });
      if (refused.length > 0)
        throw new BatonError("BATON_GITHUB_CONFLICT", `GitHub does not take as reviewers: ${refused.join(", ")}.`, {
          cause: thrown,
        });
    }
  }

  async ensureCheckRun(
    repository: Repository,
    sha: string,
    externalId: string,
    content: CheckRunContent,
    knownId: number | null,
  ): Promise<{ id: number; url: string | null }> {
    const body = {
      ...at(repository),
      name: content.name,
      external_id: externalId,
      status: content.status,
      ...(content.conclusion === null ? {} : { conclusion: content.conclusion }),
      output: {
        title: content.title,
        summary: content.summary,
        text: content.text,
        annotations: content.annotations.slice(0, 50).map(({ path, line, level, message, title }) => ({
          path,
          start_line: line,
          end_line: line,
          annotation_level: level,
          message,
          title,
        })),
      },
      ...(content.detailsUrl === null ? {} : { details_url: content.detailsUrl }),
    };
    const id = knownId ?? (await this.#ownCheckRun(repository, sha, externalId, content.name));
    const written =
      id === null
        ? await this.#requester.write<wire.CheckRun>("POST /repos/{owner}/{repo}/check-runs", {
            ...body,
            head_sha: sha,
          })
        : await this.#requester.write<wire.CheckRun>(
            "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
            { ...body, check_run_id: id },
            // Somebody may be waiting for the result.
            content.status === "completed" ? true : "edit",
          );
    return { id: written.id, url: written.html_url };
  }

  async ensureMerged(
    repository: Repository,
    number: number,
    sha: string,
    method: "merge" | "squash" | "rebase",
    commit: { title: string; message: string } | null,
  ): Promise<{ sha: string }> {
    const done = await this.#mergedAt(repository, number, sha);
    if (done !== null) return done;
    try {
      return await this.#requester.write<{ sha: string }>("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", {
        ...at(repository),
        pull_number: number,
        sha,
        merge_method: method,
        ...(commit === null ? {} : { commit_title: commit.title, commit_message: commit.message }),
      });
    } catch (thrown) {
      const merged = await this.#mergedAt(repository, number, sha);
      if (merged !== null) return merged;
      throw thrown;
    }
  }

  async createCommit(
    repository: Repository,
    { message, tree, parents }: Parameters<Github["createCommit"]>[1],
  ): Promise<{ sha: string; verified: boolean; reason: string }> {
    const { sha, verification } = await this.#requester.write<wire.GitCommit>(
      "POST /repos/{owner}/{repo}/git/commits",
      {
        ...at(repository),
        message,
        tree,
        parents: [...parents],
      },
    );
    return { sha, verified: verification.verified, reason: verification.reason };
  }

  updateBranch({ nodeId }: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<string> {
    return this.#graphql.updateBranch(nodeId, sha);
  }

  ensureEnqueued({ nodeId }: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<void> {
    return this.#graphql.enqueue(nodeId, sha);
  }

  isInMergeQueue({ nodeId }: Pick<PullRequestFacts, "nodeId">): Promise<boolean> {
    return this.#graphql.isInMergeQueue(nodeId);
  }

  baseChangedAt({ nodeId }: Pick<PullRequestFacts, "nodeId">): Promise<string | null> {
    return this.#graphql.baseChangedAt(nodeId);
  }

  async dispatchWorkflow(
    repository: Repository,
    workflow: string,
    ref: string,
    inputs: Record<string, string>,
  ): Promise<WorkflowRun | null> {
    const route = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";
    const asked = { ...at(repository), workflow_id: workflow, ref, inputs };
    const answer = await this.#requester
      .write<wire.StartedWorkflow | undefined>(route, { ...asked, return_run_details: true })
      .catch((thrown: unknown) => {
        // An older GitHub Enterprise Server does not know this key.
        if (!/return_run_details/.test(toBatonError(thrown).message)) throw thrown;
        return this.#requester.write<undefined>(route, asked);
      });
    // 204: this GitHub does not report the run.
    const id = answer?.workflow_run_id;
    return id === undefined ? null : { id: `${id}`, url: answer?.html_url ?? "" };
  }

  async workflowRunIsOver(repository: Repository, id: string): Promise<boolean | null> {
    const run = await this.#requester
      .find<{ status: string }>("/repos/{owner}/{repo}/actions/runs/{run_id}", { ...at(repository), run_id: id })
      .catch(deniedIsNull);
    return run === null ? null : run.status === "completed";
  }

  /** Source: https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository */
  async waitingWorkflowRuns(repository: Repository, sha: string): Promise<number[] | null> {
    const found = await this.#requester
      .find<{ workflow_runs: { id: number }[] }>("/repos/{owner}/{repo}/actions/runs", {
        ...at(repository),
        head_sha: sha,
        status: "action_required",
        per_page: 100,
      })
      .catch(deniedIsNull);
    return found === null ? null : found.workflow_runs.map(({ id }) => id);
  }

  /** Source: https://docs.github.com/en/rest/actions/workflow-runs#approve-a-workflow-run-for-a-fork-pull-request */
  async approveWorkflowRun(repository: Repository, id: number): Promise<boolean> {
    const run = { ...at(repository), run_id: id };
    try {
      await this.#requester.write("POST /repos/{owner}/{repo}/actions/runs/{run_id}/approve", run);
      return true;
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_GITHUB_DENIED") && !hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) throw thrown;
      // GitHub also refuses a run that somebody approved a moment ago.
      const found = await this.#requester
        .find<{ conclusion: string | null }>("/repos/{owner}/{repo}/actions/runs/{run_id}", run)
        .catch(deniedIsNull);
      return found !== null && found.conclusion !== "action_required";
    }
  }

  setup(repository: Repository): RepositorySetup {
    return repositorySetup(this.#requester, repository);
  }

  async gitAccess(repository: Repository, access: "read" | "write"): Promise<{ url: string; token: string | null }> {
    return {
      url: `${this.#options.webUrl}/${repository.owner}/${repository.name}.git`,
      token: await this.#options.repositoryToken(repository.id, access),
    };
  }

  async #mergedAt(repository: Repository, number: number, sha: string): Promise<{ sha: string } | null> {
    const pull = await this.pullRequest(repository, number);
    if (!pull.merged) return null;
    if (pull.headSha === sha) return { sha: pull.mergeSha ?? sha };
    throw new BatonError(
      "BATON_GITHUB_CONFLICT",
      `#${number} was merged at ${pull.headSha}, not at the approved ${sha}.`,
    );
  }

  async #ownComment(
    repository: Repository,
    number: number,
    marker: string,
    knownId: number | null,
  ): Promise<CommentFacts | null> {
    if (knownId !== null) {
      const known = await this.#requester.find<wire.Comment>("/repos/{owner}/{repo}/issues/comments/{comment_id}", {
        ...at(repository),
        comment_id: knownId,
      });
      if (known !== null) return commentOf(known);
    }
    const { bot, appId } = await this.#options.identity();
    // Anyone can write a marker. Baton adopts only its own comment.
    const isOurs = isAuthor(bot);
    const own = (await this.comments(repository, number)).find(
      ({ author, appId: by, body }) => (isOurs(author) || by === appId) && parseMarker(body) === marker,
    );
    return own ?? null;
  }

  /** The oldest issue, in case two jobs opened one each. An issue that was moved away or deleted does not count. */
  async #ownIssue(repository: Repository, marker: string, knownNumber: number | null): Promise<wire.Issue | null> {
    const { bot } = await this.#options.identity();
    const isOurs = isAuthor(bot);
    const isMine = (issue: wire.Issue): boolean =>
      issue.user !== null && isOurs(userOf(issue.user)) && issue.pull_request === undefined;
    const isIt = (issue: wire.Issue): boolean => isMine(issue) && parseMarker(issue.body ?? "") === marker;
    if (knownNumber !== null) {
      const known = await this.#requester.find<wire.Issue>("/repos/{owner}/{repo}/issues/{issue_number}", {
        ...at(repository),
        issue_number: knownNumber,
      });
      // GitHub answers a moved issue with its new place. An issue stays the same after a person edits the marker away.
      const isKnown = known !== null && known.number === knownNumber && isMine(known);
      if (isKnown && [marker, null].includes(parseMarker(known.body ?? ""))) return known;
    }
    const found = await this.#requester.list<wire.Issue>("/repos/{owner}/{repo}/issues", {
      ...at(repository),
      creator: bot.login,
      state: "all",
      sort: "created",
      direction: "asc",
    });
    return found.find(isIt) ?? null;
  }

  async #ownCheckRun(repository: Repository, sha: string, externalId: string, name: string): Promise<number | null> {
    const { appId } = await this.#options.identity();
    const found = await this.#requester.list<wire.CheckRun>(
      "/repos/{owner}/{repo}/commits/{ref}/check-runs",
      { ...at(repository), ref: sha, check_name: name, filter: "all" },
      (data) => (data as { check_runs: wire.CheckRun[] }).check_runs,
    );
    return found.find((run) => run.external_id === externalId && run.app?.id === appId)?.id ?? null;
  }

  async #protection(repository: Repository, branch: string): Promise<RequiredCheck[]> {
    // Classic protection is readable with `administration: read` only. Baton does not ask for it, because the branch
    // says enough.
    const found = await this.#requester.find<wire.Branch>("/repos/{owner}/{repo}/branches/{branch}", {
      ...at(repository),
      branch,
    });
    const checks = found?.protection?.required_status_checks;
    if (checks?.checks !== undefined)
      return checks.checks.map(({ context, app_id }) => ({ name: context, appId: app_id ?? null }));
    return (checks?.contexts ?? []).map((name) => ({ name, appId: null }));
  }
}

function postedOf({ id, url, nodeId, createdAt }: CommentFacts): PostedComment {
  return { id, url, nodeId, createdAt };
}

/** Some servers do not report the bot's id. There the login is enough, because no person's login ends in `[bot]`. */
function isAuthor(bot: GithubUser): (author: GithubUser) => boolean {
  return (author) => (bot.id === 0 ? author.kind === "bot" && author.login === bot.login : author.id === bot.id);
}

function at(repository: Pick<Repository, "owner" | "name">): { owner: string; repo: string } {
  return { owner: repository.owner, repo: repository.name };
}
