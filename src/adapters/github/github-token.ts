/**
 * GitHub as one job sees it: a token for one repository, without an App of Baton's own.
 *
 * Owns: the identity behind the token, and telling Baton's own checks from the project's. Both come from GitHub
 * Actions. Does not own: reads and writes themselves (`installation.ts`).
 * GT1 The App behind `GITHUB_TOKEN` is also the App of the project's CI. Baton therefore knows its own checks by name
 *     (its reports, its job), never by the App. Otherwise no check of the project would count, or Baton would wait for
 *     itself.
 */
import { BatonError } from "../../core/errors.ts";
import { type GithubRepository, type Repository, repositoryOf } from "../../core/vocabulary.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CheckFacts, CheckSuiteFacts, Github, GithubApp, GithubUser } from "../../ports/github.ts";
import { suiteOf } from "./facts.ts";
import { InstallationGithub } from "./installation.ts";
import { RateBudget } from "./rate-budget.ts";
import { deniedIsNull, Requester } from "./request.ts";
import type * as wire from "./wire-types.ts";

export interface GithubTokenOptions {
  token: string;
  /** `https://api.github.com`. */
  apiUrl: string;
  /** `https://github.com`. */
  webUrl: string;
  clock: Clock;
  /** Slug of the App that made the token, when it is not the job's own. */
  appSlug: string | null;
  /** Names of Baton's own check runs: its own reports, and the job that it runs in. */
  ownChecks: readonly string[];
  /** Check runs of Baton's own jobs, which report their names. Empty: the runner does not give them. */
  ownCheckRuns: readonly number[];
  /** The permissions of the job's own token. Null: unknown. Not called for other tokens. */
  grantedToJob?(github: Pick<Github, "file">, repository: Repository): Promise<Record<string, string> | null>;
  /** Aborted when the job stops. After that no call waits for a limit (RB4). */
  stop?: AbortSignal;
  fetch?: typeof fetch;
}

export interface TokenGithub extends GithubApp {
  repositoryByName(owner: string, name: string): Promise<Repository>;
  /** Whether a workflow run ended, so that its job drives nothing anymore. Null where GitHub does not say. */
  isOver(repository: Repository, workflowRunId: string): Promise<boolean | null>;
  /** When GitHub first saw a workflow. Null where GitHub does not say. */
  workflowMadeAt(repository: Repository, workflow: string): Promise<number | null>;
  /** Whether GitHub starts a workflow. Null: there is no such file, or GitHub does not say. */
  isWorkflowOn(repository: Repository, workflow: string): Promise<boolean | null>;
  /** Switches a workflow on or off. Needs `actions: write`. */
  switchWorkflow(repository: Repository, workflow: string, on: boolean): Promise<void>;
  /** Starts a workflow at a branch. */
  dispatch(repository: Repository, workflow: string, ref: string, inputs: Record<string, string>): Promise<void>;
  /** True when pushes with the token start no workflow, because it is the job's own token. */
  isJobToken(): Promise<boolean>;
  /** The number of calls made. */
  calls(): CallCounts;
}

/** `unchanged`: reads that GitHub answered with 304, which do not count against the limit. */
export interface CallCounts {
  reads: number;
  unchanged: number;
  writes: number;
}

const actionsSlug = "github-actions";
/** No App. Nothing counts as Baton's own by its App alone (GT1). */
const noApp = 0;

interface Speaker {
  appId: number;
  slug: string;
  bot: GithubUser;
}

export function createTokenGithub(options: GithubTokenOptions): TokenGithub {
  const calls: CallCounts = { reads: 0, unchanged: 0, writes: 0 };
  const send = options.fetch ?? fetch;
  const requester = new Requester({
    baseUrl: options.apiUrl,
    clock: options.clock,
    budget: new RateBudget(options.clock, options.stop),
    authorise: async () => `token ${options.token}`,
    async fetch(resource, init) {
      const isRead = (init?.method ?? "GET") === "GET" || isQuestion(init?.body);
      calls[isRead ? "reads" : "writes"] += 1;
      const answer = await send(resource, init);
      if (answer.status === 304) calls.unchanged += 1;
      return answer;
    },
  });
  let known: Promise<Speaker> | null = null;
  const speaker = (): Promise<Speaker> => {
    known ??= readSpeaker(requester, options).catch((thrown: unknown) => {
      known = null;
      throw thrown;
    });
    return known;
  };
  const github = new JobGithub(requester, speaker, options);
  // The name of a job's repository does not change while the job runs.
  const repositories = new Map<string, Promise<Repository>>();
  const readRepository = async (owner: string, name: string): Promise<Repository> =>
    repositoryOf(await requester.get<GithubRepository>("/repos/{owner}/{repo}", { owner, repo: name }));
  /** Source: https://docs.github.com/en/rest/actions/workflows#get-a-workflow */
  const workflowOf = ({ owner, name }: Repository, workflow: string) =>
    requester
      .find<{ created_at: string; state: string }>("/repos/{owner}/{repo}/actions/workflows/{workflow_id}", {
        owner,
        repo: name,
        workflow_id: workflow,
      })
      .catch(deniedIsNull);
  return {
    installation: async () => github,
    async identity() {
      const { slug, bot, appId } = await speaker();
      return { slug, bot, appId: slug === actionsSlug ? noApp : appId };
    },
    deliveries: async () => ({ deliveries: [], nextCursor: null }),
    repositories: async () => [],
    async redeliver() {
      throw new BatonError("BATON_INTERNAL", "A job has no delivery log.");
    },
    repositoryByName(owner, name) {
      const key = `${owner}/${name}`;
      const known = repositories.get(key) ?? readRepository(owner, name);
      repositories.set(key, known);
      known.catch(() => repositories.delete(key));
      return known;
    },
    isOver: (repository, workflowRunId) => github.workflowRunIsOver(repository, workflowRunId),
    async workflowMadeAt(repository, workflow) {
      const found = await workflowOf(repository, workflow);
      return found === null ? null : Date.parse(found.created_at);
    },
    async isWorkflowOn(repository, workflow) {
      const found = await workflowOf(repository, workflow);
      return found === null ? null : found.state === "active";
    },
    async switchWorkflow({ owner, name }, workflow, on) {
      const at = { owner, repo: name, workflow_id: workflow };
      await requester.write(
        `PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/${on ? "enable" : "disable"}`,
        at,
      );
    },
    async dispatch(repository, workflow, ref, inputs) {
      await github.dispatchWorkflow(repository, workflow, ref, inputs);
    },
    isJobToken: async () => (await speaker()).slug === actionsSlug,
    calls: () => ({ ...calls }),
  };
}

/** GraphQL's questions are posted. */
function isQuestion(body: unknown): boolean {
  return typeof body === "string" && body.startsWith('{"query":"query');
}

/** A read by a full commit hash always returns the same answer. */
const commitName = /^[0-9a-f]{40}$/;

class JobGithub extends InstallationGithub implements Github {
  readonly #files = new Map<string, Promise<string | null>>();
  readonly #requester: Requester;
  readonly #own: readonly string[];
  readonly #ownCheckRuns: readonly number[];
  #named: Promise<readonly string[]> | null = null;
  readonly #speaker: () => Promise<Speaker>;
  readonly #grantedToJob: NonNullable<GithubTokenOptions["grantedToJob"]>;

  constructor(requester: Requester, speaker: () => Promise<Speaker>, options: GithubTokenOptions) {
    super({
      requester,
      identity: speaker,
      webUrl: options.webUrl,
      repositoryToken: async () => options.token,
      granted: (repository) => this.#granted(repository),
    });
    this.#requester = requester;
    this.#speaker = speaker;
    this.#own = options.ownChecks;
    this.#ownCheckRuns = options.ownCheckRuns;
    this.#grantedToJob = options.grantedToJob ?? (async () => null);
  }

  /**
   * A person's role bounds their token. `permissions` of a repository describe a user, so they do not describe a job's
   * token.
   * Source: https://docs.github.com/en/rest/repos/repos#get-a-repository
   */
  async #granted(repository: Repository): Promise<Record<string, string> | null> {
    const { owner, name: repo } = repository;
    const { bot, slug } = await this.#speaker();
    if (slug === actionsSlug) return this.#grantedToJob(this, repository);
    if (bot.kind !== "user") return null;
    const { permissions } = await this.#requester.get<wire.RepositorySettings>("/repos/{owner}/{repo}", {
      owner,
      repo,
    });
    return permissions?.push === false ? { contents: "read", pull_requests: "read" } : null;
  }

  override file(
    repository: Pick<Repository, "owner" | "name">,
    path: string,
    ref: string | null,
  ): Promise<string | null> {
    if (ref === null || !commitName.test(ref)) return super.file(repository, path, ref);
    const key = `${repository.owner}/${repository.name} ${ref} ${path}`;
    const known = this.#files.get(key) ?? super.file(repository, path, ref);
    this.#files.set(key, known);
    known.catch(() => this.#files.delete(key));
    return known;
  }

  override async checks(repository: Repository, sha: string): Promise<CheckFacts[]> {
    const { appId } = await this.#speaker();
    const own = await this.#ownNames(repository);
    const all = await super.checks(repository, sha);
    return all.filter((check) => check.appId !== appId || !own.includes(check.name));
  }

  /**
   * A job with a `name:` of its own has a check of that name. `GITHUB_JOB` does not contain that name, so Baton would
   * mistake the job's green check for the project's.
   * Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/variables (`GITHUB_JOB` is the
   * job's id) and https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#job-context
   * (`check_run_id`).
   */
  #ownNames(repository: Repository): Promise<readonly string[]> {
    if (this.#ownCheckRuns.length === 0) return Promise.resolve(this.#own);
    if (this.#named !== null) return this.#named;
    const named = this.#ownCheckRuns.map((id) =>
      this.#requester
        .find<{ name: string }>("/repos/{owner}/{repo}/check-runs/{check_run_id}", {
          owner: repository.owner,
          repo: repository.name,
          check_run_id: id,
        })
        .catch(deniedIsNull),
    );
    this.#named = Promise.all(named).then((found) => [...this.#own, ...found.flatMap((one) => one?.name ?? [])]);
    this.#named.catch(() => (this.#named = null));
    return this.#named;
  }

  /** A suite that is open only because of Baton's own checks does not make Baton wait (GT1). */
  override async checkSuites(repository: Repository, sha: string): Promise<CheckSuiteFacts[]> {
    const { appId } = await this.#speaker();
    const own = await this.#ownNames(repository);
    const at = { owner: repository.owner, repo: repository.name, ref: sha };
    const suites = await this.#requester.list<wire.CheckSuite & { id: number }>(
      "/repos/{owner}/{repo}/commits/{ref}/check-suites",
      at,
      (data) => (data as { check_suites: (wire.CheckSuite & { id: number })[] }).check_suites,
    );
    const runs = await this.#requester.list<wire.CheckRun & { check_suite: { id: number } | null }>(
      "/repos/{owner}/{repo}/commits/{ref}/check-runs",
      { ...at, filter: "all" },
      (data) => (data as { check_runs: (wire.CheckRun & { check_suite: { id: number } | null })[] }).check_runs,
    );
    return suites.flatMap((suite) => {
      const facts = suiteOf(suite);
      if (facts.appId !== appId) return [facts];
      const inside = runs.filter(({ check_suite }) => check_suite?.id === suite.id);
      const others = inside.filter(({ name }) => !own.includes(name));
      if (others.length === inside.length) return [facts];
      if (others.length === 0) return [];
      const open = others.some(({ status }) => status !== "completed");
      return [{ ...facts, status: open ? facts.status : "completed", checkRuns: others.length }];
    });
  }
}

async function readSpeaker(requester: Requester, { token, appSlug }: GithubTokenOptions): Promise<Speaker> {
  // Tokens of a job and of an App both have this prefix, and neither may read its own identity.
  if (appSlug === null && !token.startsWith("ghs_")) {
    const user = await requester.find<wire.User>("/user").catch(deniedIsNull);
    if (user !== null)
      return {
        slug: user.login,
        appId: noApp,
        bot: { id: user.id, login: user.login, kind: user.type === "User" ? "user" : "bot" },
      };
  }
  const slug = appSlug ?? actionsSlug;
  const login = `${slug}[bot]`;
  const [bot, app] = await Promise.all([
    requester.get<wire.User>("/users/{username}", { username: login }),
    requester.find<{ id: number }>("/apps/{app_slug}", { app_slug: slug }),
  ]);
  return { slug, appId: app?.id ?? noApp, bot: { id: bot.id, login, kind: "bot" } };
}
