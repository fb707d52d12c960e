/**
 * One repository of GitHub and its people as plain data, for simulations: no HTTP, no git, no own time.
 *
 * Owns: the facts on GitHub, and the port over them. Does not own: lost answers, delays, deaths (`simulation.ts`).
 * Every change that an App would hear of goes into `news`, once.
 */
import { createHash } from "node:crypto";
import { BatonError } from "../../src/core/errors.ts";
import type { Actor, Permission, Repository } from "../../src/core/vocabulary.ts";
import type {
  CheckFacts,
  CheckRunContent,
  CommentFacts,
  Github,
  GithubApp,
  GithubUser,
  PostedComment,
  PullRequestFacts,
  ReviewFacts,
} from "../../src/ports/github.ts";
import type { RepositorySetup } from "../../src/ports/repository-setup.ts";
import { parseMarker, withMarker } from "../../src/text/marker.ts";

export interface News {
  guid: string;
  event: string;
  payload: object;
}

interface SmallPull {
  number: number;
  title: string;
  body: string;
  head: string;
  base: string;
  state: "open" | "closed";
  mergedSha: string | null;
  mergeSha: string | null;
  reviews: ReviewFacts[];
}

interface SmallCheckRun {
  id: number;
  sha: string;
  externalId: string;
  content: CheckRunContent;
}

export const repository: Repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const appId = 50;
export const bot: GithubUser = { id: 51, login: "baton[bot]", kind: "bot" };
export const people: Record<string, { user: GithubUser; permission: Permission }> = {
  alice: { user: { id: 1, login: "alice", kind: "user" }, permission: "write" },
  bob: { user: { id: 2, login: "bob", kind: "user" }, permission: "maintain" },
  carol: { user: { id: 4, login: "carol", kind: "user" }, permission: "maintain" },
  mallory: { user: { id: 3, login: "mallory", kind: "user" }, permission: "read" },
};

export class SmallGithub implements Github {
  readonly branches = new Map<string, string>();
  readonly pulls = new Map<number, SmallPull>();
  readonly said = new Map<number, CommentFacts & { number: number }>();
  readonly reactions = new Map<number, string[]>();
  /** Folded comments, by their names in GraphQL. */
  readonly minimized = new Set<string>();
  readonly ci = new Map<string, CheckFacts>();
  readonly checkRuns: SmallCheckRun[] = [];
  /** Issues that Baton opened. */
  readonly issues = new Map<number, { title: string; body: string }>();
  /** The person who last changed `baton.yaml`. */
  ruleAuthor: GithubUser | null = { id: 1, login: "alice", kind: "user" };
  /** Files next to `baton.yaml`, with the person who last changed each. */
  readonly files = new Map<string, { text: string; by: GithubUser | null }>();
  readonly pushers = new Map<string, GithubUser>();
  readonly news: News[] = [];
  /** The number of writes of each kind that really happened. */
  readonly writes = new Map<string, number>();
  readonly #config: string;
  readonly #now: () => number;
  #ids = 1_000;
  #shas = 0;

  constructor(config: string, now: () => number) {
    this.#config = config;
    this.#now = now;
    this.branches.set("main", this.newSha());
  }

  // People and machines around it.

  newSha(): string {
    this.#shas += 1;
    return createHash("sha1").update(`${this.#shas}`).digest("hex");
  }

  say(number: number, login: string, body: string): number {
    const author = person(login);
    const comment = this.#comment(number, author, body, null);
    this.#tell("issue_comment", {
      action: "created",
      issue: { number },
      comment: { id: comment.id, body, user: { id: author.id, login, type: "User" }, created_at: comment.createdAt },
    });
    return comment.id;
  }

  /** A review with words, and each of its comments on lines, as GitHub sends them: one event each. */
  reviewSaying(
    number: number,
    login: string,
    body: string,
    lines: { path: string; line: number; hunk: string; body: string }[] = [],
  ): void {
    const { user } = people[login] as (typeof people)[string];
    const at = new Date(this.#now()).toISOString();
    const author = { id: user.id, login, type: "User" };
    const id = this.#id();
    const pull = this.#pull(number);
    this.#tellOfPull("pull_request_review", "submitted", pull, {
      review: { id, body, user: author, submitted_at: at },
    });
    for (const { hunk, ...comment } of lines)
      this.#tellOfPull("pull_request_review_comment", "created", pull, {
        comment: { id: this.#id(), ...comment, diff_hunk: hunk, user: author, created_at: at },
      });
  }

  review(number: number, login: string, state: "approved" | "changes-requested", sha: string): void {
    const pull = this.#pull(number);
    const { user, permission } = people[login] as (typeof people)[string];
    pull.reviews.push({
      id: this.#id(),
      author: user,
      permission,
      state,
      sha,
      body: state === "approved" ? "" : "Please say more.",
      comments: [],
      submittedAt: new Date(this.#now()).toISOString(),
    });
    this.#tellOfPull("pull_request_review", "submitted", pull);
  }

  push(branch: string, sha: string, by: GithubUser): void {
    this.branches.set(branch, sha);
    this.pushers.set(`${branch}@${sha}`, by);
    if (branch === "main") return;
    this.ci.set(sha, {
      name: "test",
      source: "check-run",
      appId: 99,
      sha,
      status: "in_progress",
      conclusion: null,
      id: this.#id(),
      url: null,
      startedAt: new Date(this.#now()).toISOString(),
      completedAt: null,
      summary: "",
    });
    for (const pull of this.pulls.values())
      if (pull.head === branch && pull.state === "open") this.#tellOfPull("pull_request", "synchronize", pull);
  }

  /** CI of a commit ends. */
  conclude(sha: string, green: boolean): void {
    const check = this.ci.get(sha);
    if (check === undefined || check.status === "completed") return;
    Object.assign(check, {
      status: "completed",
      conclusion: green ? "success" : "failure",
      completedAt: new Date(this.#now()).toISOString(),
      summary: green ? "" : "1 test failed",
    });
    this.#tell("check_run", { check_run: { head_sha: sha } });
  }

  headOf(pull: { number: number }): string {
    const { head, mergedSha } = this.#pull(pull.number);
    return mergedSha ?? this.branches.get(head) ?? "";
  }

  // The port: reads.

  async repository(): Promise<Repository> {
    return { ...repository };
  }

  async permission(_: Repository, login: string): Promise<Permission> {
    return people[login]?.permission ?? "none";
  }

  async actor(_: Repository, user: GithubUser): Promise<Actor> {
    return { ...user, permission: people[user.login]?.permission ?? "none" };
  }

  async person(_: Repository, login: string): Promise<Actor | null> {
    const found = Object.values(people).find(({ user }) => user.login.toLowerCase() === login.toLowerCase());
    return found === undefined ? null : { ...found.user, permission: found.permission };
  }

  async collaborators(): Promise<Actor[]> {
    return Object.values(people).map(({ user, permission }) => ({ ...user, permission }));
  }

  async issue(_: Repository, number: number) {
    return {
      number,
      title: `Issue ${number}`,
      body: "Do it.",
      state: "open" as const,
      author: person("alice"),
      isPullRequest: this.pulls.has(number),
      labels: [],
      url: `https://github.test/${number}`,
    };
  }

  async comments(_: Repository, number: number): Promise<CommentFacts[]> {
    return structuredClone([...this.said.values()].filter((comment) => comment.number === number));
  }

  async written(_: unknown, since: string) {
    const written = [...this.said.values()].filter(({ updatedAt }) => updatedAt >= since);
    return { written: structuredClone(written).map(({ id, ...rest }) => ({ ...rest, commentId: id })), until: null };
  }

  async pullRequest(_: Repository, number: number): Promise<PullRequestFacts> {
    return this.#facts(this.#pull(number));
  }

  async pullRequestsForBranch(_: Repository, branch: string): Promise<PullRequestFacts[]> {
    return [...this.pulls.values()]
      .filter(({ head, state }) => head === branch && state === "open")
      .map((pull) => this.#facts(pull));
  }

  async reviews(_: Repository, number: number): Promise<ReviewFacts[]> {
    return structuredClone(this.#pull(number).reviews);
  }

  async checks(_: Repository, sha: string): Promise<CheckFacts[]> {
    const own = this.checkRuns
      .filter((run) => run.sha === sha)
      .map(({ id, content }) => ({
        name: content.name,
        source: "check-run" as const,
        appId,
        sha,
        status: content.status,
        conclusion: content.conclusion,
        id,
        url: null,
        startedAt: null,
        completedAt: null,
        summary: "",
      }));
    const ci = this.ci.get(sha);
    return structuredClone(ci === undefined ? own : [ci, ...own]);
  }

  async checkSuites() {
    return [];
  }

  async requiredChecks() {
    return [];
  }

  async checkLog(): Promise<string> {
    return "expected 1, found 2";
  }

  async file(_: Repository, path: string): Promise<string | null> {
    return path === "baton.yaml" ? this.#config : (this.files.get(path)?.text ?? null);
  }

  async branchRules() {
    return [];
  }

  async granted() {
    return null;
  }

  async mergeSettings() {
    return { archived: false, methods: ["merge" as const, "squash" as const, "rebase" as const] };
  }

  async branchesBeginning(_: Repository, prefix: string): Promise<string[]> {
    return [...this.branches.keys()].filter((name) => name.startsWith(prefix));
  }

  async directory(_: Repository, path: string): Promise<string[]> {
    if (path === ".github/workflows") return ["ci.yml"];
    return [...this.files.keys()].filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1));
  }

  async branchSha(_: Repository, branch: string): Promise<string | null> {
    return this.branches.get(branch) ?? null;
  }

  async pusher(_: Repository, branch: string, sha: string): Promise<GithubUser | null> {
    return this.pushers.get(`${branch}@${sha}`) ?? null;
  }

  async alerts() {
    return { alerts: [], missing: [], isPart: false };
  }

  async treeSha(_: Repository, commit: string): Promise<string> {
    return createHash("sha1").update(commit).digest("hex");
  }

  async unedited(nodeIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(nodeIds);
  }

  async recentCommits(_: Repository, branch: string): Promise<{ sha: string; subject: string }[]> {
    return [{ sha: this.branches.get(branch) ?? "", subject: "Begin" }];
  }

  async changedPaths(): Promise<string[]> {
    return ["note.txt"];
  }

  async pullRequestFiles(): Promise<string[]> {
    return ["note.txt"];
  }

  async ownThreads() {
    return [];
  }

  async isAhead(): Promise<boolean> {
    return true;
  }

  async ensureReview(): Promise<never> {
    throw new Error("Nobody reviews here.");
  }

  async editReview(): Promise<boolean> {
    return false;
  }

  async retireReview(): Promise<void> {}

  async resolveThread(): Promise<void> {}

  async ensureReply(): Promise<null> {
    return null;
  }

  async dispatchWorkflow(): Promise<null> {
    return null;
  }

  async waitingWorkflowRuns(): Promise<number[]> {
    return [];
  }

  async approveWorkflowRun(): Promise<boolean> {
    return false;
  }

  async workflowRunIsOver(): Promise<null> {
    return null;
  }

  setup(): RepositorySetup {
    // Nobody sets this repository up, but its contents are readable.
    const paths = async () => ({ paths: ["baton.yaml"], isWhole: true });
    return { paths } as Partial<RepositorySetup> as RepositorySetup;
  }

  async gitAccess() {
    return { url: "https://github.test/acme/shop.git", token: null };
  }

  // The port: writes.

  async createCommit(): Promise<never> {
    throw new Error("No rule of this repository wants signatures.");
  }

  async ensureComment(_: Repository, number: number, marker: string, body: string, knownId: number | null) {
    const text = withMarker(body, marker);
    const found =
      (knownId === null ? undefined : this.said.get(knownId)) ??
      [...this.said.values()].find(
        (comment) => comment.number === number && comment.appId === appId && parseMarker(comment.body) === marker,
      );
    if (found !== undefined) {
      found.body = text;
      return postedOf(found);
    }
    this.#count("comment");
    return postedOf(this.#comment(number, bot, text, appId));
  }

  async ownComment(_: Repository, number: number, marker: string) {
    const found = [...this.said.values()].find(
      (comment) => comment.number === number && comment.appId === appId && parseMarker(comment.body) === marker,
    );
    return found === undefined ? null : postedOf(found);
  }

  async minimizeComment({ nodeId }: { nodeId: string }): Promise<void> {
    this.minimized.add(nodeId);
  }

  async lastChange(_: Repository, path: string) {
    const sha = this.branches.get("main") ?? "";
    if (path === "baton.yaml") return { sha, by: this.ruleAuthor, pullRequest: null };
    const file = this.files.get(path);
    return file === undefined ? null : { sha, by: file.by, pullRequest: null };
  }

  async liveness() {
    return { isPublic: false, lastCommitAt: null };
  }

  async ownIssue(_: Repository, marker: string): Promise<number | null> {
    return [...this.issues].find(([, one]) => parseMarker(one.body) === marker)?.[0] ?? null;
  }

  async ensureIssue(_: Repository, { marker, title, body }: Parameters<Github["ensureIssue"]>[1]) {
    const text = withMarker(body, marker);
    const found = [...this.issues].find(([, one]) => parseMarker(one.body) === marker);
    if (found !== undefined) {
      Object.assign(found[1], { title, body: text });
      return { number: found[0], url: `https://github.test/${found[0]}` };
    }
    this.#count("issue");
    const number = this.#id();
    this.issues.set(number, { title, body: text });
    return { number, url: `https://github.test/${number}` };
  }

  async ensureReaction(_: Repository, to: Parameters<Github["ensureReaction"]>[1], content: string): Promise<void> {
    const id = "comment" in to ? to.comment : "reviewComment" in to ? to.reviewComment : to.thread;
    const given = this.reactions.get(id) ?? [];
    if (!given.includes(content)) this.reactions.set(id, [...given, content]);
  }

  async ensurePullRequest(_: Repository, options: { head: string; base: string; title: string; body: string }) {
    const open = [...this.pulls.values()].find(({ head, state }) => head === options.head && state === "open");
    if (open !== undefined) return this.#facts(open);
    this.#count("pull request");
    const { head, base, title, body } = options;
    const number = this.#id();
    const pull = {
      number,
      head,
      base,
      title,
      body,
      state: "open" as const,
      mergedSha: null,
      mergeSha: null,
      reviews: [],
    };
    this.pulls.set(number, pull);
    this.#tellOfPull("pull_request", "opened", pull);
    return this.#facts(pull);
  }

  async updatePullRequest(_: Repository, number: number, change: { title?: string; body?: string }): Promise<void> {
    Object.assign(this.#pull(number), change);
  }

  async ensureReviewRequest(): Promise<void> {
    this.#count("review request");
  }

  async ensureCheckRun(
    _: Repository,
    sha: string,
    externalId: string,
    content: CheckRunContent,
    knownId: number | null,
  ) {
    const found = this.checkRuns.find(
      (run) => run.id === knownId || (run.sha === sha && run.externalId === externalId),
    );
    if (found !== undefined) {
      found.content = structuredClone(content);
      return { id: found.id, url: null };
    }
    this.#count("check run");
    const made = { id: this.#id(), sha, externalId, content: structuredClone(content) };
    this.checkRuns.push(made);
    return { id: made.id, url: null };
  }

  async ensureMerged(_: Repository, number: number, sha: string): Promise<{ sha: string }> {
    const pull = this.#pull(number);
    if (pull.mergedSha === sha) return { sha: pull.mergeSha ?? sha };
    if (pull.mergedSha !== null || pull.state === "closed" || this.headOf(pull) !== sha)
      throw new BatonError("BATON_GITHUB_CONFLICT", `#${number} is not at ${sha} any more.`);
    this.#count("merge");
    const mergeSha = this.newSha();
    Object.assign(pull, { state: "closed", mergedSha: sha, mergeSha });
    this.branches.set("main", mergeSha);
    this.#tellOfPull("pull_request", "closed", pull);
    return { sha: mergeSha };
  }

  updateBranch(): Promise<string> {
    throw new BatonError("BATON_GITHUB_CONFLICT", "Every head here has all of its base.");
  }

  ensureEnqueued(): Promise<void> {
    throw new BatonError("BATON_GITHUB_CONFLICT", "No branch here has a merge queue.");
  }

  async baseChangedAt(): Promise<string | null> {
    return null;
  }

  async isInMergeQueue(): Promise<boolean> {
    return false;
  }

  /** As the App itself: one installation. */
  app(): GithubApp {
    return {
      installation: async () => this,
      identity: async () => ({ appId, slug: "baton", bot }),
      deliveries: async () => ({ deliveries: [], nextCursor: null }),
      redeliver: async () => {},
      repositories: async () => [{ ...repository }],
    };
  }

  #facts(pull: SmallPull): PullRequestFacts {
    return {
      number: pull.number,
      title: pull.title,
      body: pull.body,
      state: pull.state,
      merged: pull.mergedSha !== null,
      mergeSha: pull.mergeSha,
      draft: false,
      author: bot,
      headSha: this.headOf(pull),
      headRef: pull.head,
      headRepositoryId: repository.id,
      baseRef: pull.base,
      baseSha: this.branches.get(pull.base) ?? "",
      mergeable: true,
      mergeableState: pull.state === "open" ? "clean" : "unknown",
      updatedAt: new Date(this.#now()).toISOString(),
      locked: false,
      nodeId: `PR_${pull.number}`,
      url: `https://github.test/pull/${pull.number}`,
    };
  }

  #pull(number: number): SmallPull {
    const pull = this.pulls.get(number);
    if (pull === undefined) throw new BatonError("BATON_GITHUB_NOT_FOUND", `There is no #${number}.`);
    return pull;
  }

  #comment(number: number, author: GithubUser, body: string, by: number | null): CommentFacts {
    const id = this.#id();
    const at = new Date(this.#now()).toISOString();
    const comment = {
      id,
      number,
      body,
      author,
      appId: by,
      createdAt: at,
      updatedAt: at,
      url: `https://github.test/c/${id}`,
      nodeId: `IC_${id}`,
    };
    this.said.set(id, comment);
    return comment;
  }

  #tellOfPull(event: string, action: string, pull: SmallPull, more: object = {}): void {
    this.#tell(event, { ...more, action, pull_request: { number: pull.number, head: { sha: this.headOf(pull) } } });
  }

  #tell(event: string, payload: object): void {
    this.news.push({
      guid: `guid-${this.#id()}`,
      event,
      payload: {
        ...payload,
        installation: { id: repository.installationId },
        repository: { id: repository.id, name: repository.name, default_branch: "main", owner: { login: "acme" } },
      },
    });
  }

  #count(what: string): void {
    this.writes.set(what, (this.writes.get(what) ?? 0) + 1);
  }

  #id(): number {
    this.#ids += 1;
    return this.#ids;
  }
}

export function person(login: string): GithubUser {
  return (people[login] as (typeof people)[string]).user;
}

function postedOf({ id, url, nodeId, createdAt }: CommentFacts): PostedComment {
  return { id, url, nodeId, createdAt };
}
