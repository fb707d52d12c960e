/**
 * Before Baton acts outside, its writes are in the refs (GS2): ports with a barrier before each act.
 *
 * B1 Every method is named as a look or an act. A new method compiles only after somebody has classified it.
 */
import type { Github, GithubApp } from "../ports/github.ts";
import type { Harness } from "../ports/harness.ts";
import type { RepositorySetup } from "../ports/repository-setup.ts";
import type { Workspaces } from "../ports/workspace.ts";

type Barrier = () => Promise<void>;

const githubMethods: Record<keyof Github, "look" | "act"> = {
  repository: "look",
  permission: "look",
  actor: "look",
  person: "look",
  collaborators: "look",
  issue: "look",
  comments: "look",
  written: "look",
  unedited: "look",
  pullRequest: "look",
  pullRequestsForBranch: "look",
  reviews: "look",
  checks: "look",
  checkSuites: "look",
  requiredChecks: "look",
  branchRules: "look",
  granted: "look",
  mergeSettings: "look",
  branchesBeginning: "look",
  checkLog: "look",
  file: "look",
  directory: "look",
  branchSha: "look",
  pusher: "look",
  pullRequestFiles: "look",
  ownThreads: "look",
  isAhead: "look",
  ensureReview: "act",
  editReview: "act",
  retireReview: "act",
  resolveThread: "act",
  ensureReply: "act",
  alerts: "look",
  treeSha: "look",
  recentCommits: "look",
  changedPaths: "look",
  lastChange: "look",
  liveness: "look",
  ownIssue: "look",
  ensureIssue: "act",
  ownComment: "look",
  ensureComment: "act",
  minimizeComment: "act",
  ensureReaction: "act",
  ensurePullRequest: "act",
  updatePullRequest: "act",
  ensureReviewRequest: "act",
  ensureCheckRun: "act",
  ensureMerged: "act",
  createCommit: "act",
  updateBranch: "act",
  ensureEnqueued: "act",
  isInMergeQueue: "look",
  baseChangedAt: "look",
  gitAccess: "look",
  dispatchWorkflow: "act",
  workflowRunIsOver: "look",
  waitingWorkflowRuns: "look",
  approveWorkflowRun: "act",
  setup: "look",
};

/** The result of `setup` acts as well. */
const setupMethods: Record<keyof RepositorySetup, "look" | "act"> = {
  traits: "look",
  lastPullRequest: "look",
  paths: "look",
  secretNames: "look",
  branchRules: "look",
  messagesAhead: "look",
  ensureBranch: "act",
  ensureFile: "act",
};

const workspaceMethods: Record<keyof Workspaces, "look" | "act"> = {
  fetch: "look",
  create: "look",
  import: "look",
  strayChanges: "look",
  bundle: "look",
  adoptBundle: "look",
  importBundle: "look",
  join: "look",
  remove: "look",
  push: "act",
  scan: "look",
  pushKept: "look",
  dropKept: "look",
  commits: "look",
  remoteHead: "look",
  deleteRemoteBranch: "act",
  readFile: "look",
  listFiles: "look",
  diffStat: "look",
  changes: "look",
  diff: "look",
  pathStates: "look",
  leftAt: "look",
  isAncestor: "look",
  collectGarbage: "look",
};

export function withBarrier(app: GithubApp, barrier: Barrier): GithubApp {
  return {
    async installation(id) {
      const github = await app.installation(id);
      const setup: Github["setup"] = (repository) => guarded(github.setup(repository), setupMethods, barrier);
      const whole = Object.assign(Object.create(github) as Github, { setup });
      return guarded(whole, githubMethods, barrier, github);
    },
    identity: () => app.identity(),
    deliveries: (cursor) => app.deliveries(cursor),
    redeliver: (id) => app.redeliver(id),
    repositories: () => app.repositories(),
  };
}

/** An agent may spend money and contact the outside as soon as it runs. */
export function harnessWithBarrier(harness: Harness, barrier: Barrier): Harness {
  return {
    name: harness.name,
    capabilities: harness.capabilities,
    defaultModel: harness.defaultModel,
    ...(harness.tools === undefined ? {} : { tools: harness.tools }),
    probe: () => harness.probe(),
    async run(request, onEvent, signal) {
      await barrier();
      return harness.run(request, onEvent, signal);
    },
  };
}

export function workspacesWithBarrier(
  workspaces: Workspaces,
  barrier: Barrier,
  onPush: (branch: string) => Promise<void>,
): Workspaces {
  const told: Workspaces = Object.assign(Object.create(workspaces) as Workspaces, {
    async push(...given: Parameters<Workspaces["push"]>) {
      await workspaces.push(...given);
      await onPush(given[1].branch);
    },
  } satisfies Partial<Workspaces>);
  return guarded(told, workspaceMethods, barrier, workspaces);
}

function guarded<T extends object>(
  target: T,
  methods: Record<string, "look" | "act">,
  barrier: Barrier,
  owner: object = target,
): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      // Private fields belong to the object that created them, not to its proxy.
      const self = Object.hasOwn(target, name) ? target : owner;
      if (methods[String(name)] !== "act") return value.bind(self) as unknown;
      return async (...given: unknown[]): Promise<unknown> => {
        await barrier();
        return value.apply(self, given) as unknown;
      };
    },
  });
}
