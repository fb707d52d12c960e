/**
 * The scenarios that `npm test` runs only in App mode, each with a reason that `modes.test.ts` checks. `npm run prove -- modes`
 * runs in jobs what jobs can run.
 */
/** Why a scenario belongs only to the App. `modes.test.ts` checks each reason. */
export type Reason =
  /** A test of jobs, or a scenario of both modes, covers the same: its file, and words of its title. */
  | { same: string; title: string }
  /** These files decide it. Nothing that they import belongs to a mode: no store, no entry, no wiring. */
  | { decidedBy: readonly string[] }
  /** A job reaches none of these from its start. */
  | { notInJobs: readonly string[] };

const same = (file: string, title: string): Reason => ({ same: file, title });
const decidedBy = (...files: string[]): Reason => ({ decidedBy: files });
const notInJobs = (...files: string[]): Reason => ({ notInJobs: files });

const refusal = same(
  "test/scenarios/run.test.ts",
  "waits, is revised by a reason, and goes on once another person approves",
);
const policyFirst = decidedBy("src/policy/decide-command.ts", "src/thread/parse-command.ts");
const review = decidedBy("src/policy/review-decision.ts", "src/policy/approval.ts");

/** By file without `.test.ts`. A single reason covers all its scenarios. */
export const appOnly: Record<string, Reason | Record<string, Reason>> = {
  api: notInJobs("src/app/api/serve.ts"),
  "api-sign-in": notInJobs("src/app/api/github-sign-in.ts"),
  "bad-input": notInJobs("src/app/door.ts", "src/app/read-body.ts"),
  "branch-names": decidedBy("src/core/branch-name.ts"),
  "commands-anywhere": decidedBy("src/thread/parse-command.ts"),
  config: same("test/action/triggers.test.ts", "opened with problems: a check run with an annotation"),
  crash: same("test/action/jobs.test.ts", "killed at any push"),
  "engine-ends": decidedBy("src/process/instance.ts", "src/process/replay.ts", "src/core/decide.ts"),
  faults: notInJobs("src/app/deliver.ts", "src/adapters/database/sql-store.ts"),
  "free-plan": decidedBy("src/adapters/github/installation.ts"),
  "late-answers": decidedBy("src/commands/answer-breakpoint.ts", "src/commands/posted-questions.ts"),
  library: notInJobs("src/library.ts"),
  "locked-thread": decidedBy("src/runner/closed-thread.ts"),
  "merge-refused": refusal,
  migrate: decidedBy("src/process/migrate.ts"),
  "missed-deliveries": notInJobs("src/app/poll-deliveries.ts"),
  "model-proxy": decidedBy("src/adapters/model-proxy/proxy.ts"),
  "operator-start": notInJobs("src/app/control/start-run.ts"),
  partial: decidedBy("src/thread/render/partial.ts", "src/prompt/resume.ts"),
  "policy-verdicts": decidedBy("src/policy/decide.ts"),
  race: same("test/action/race.test.ts", "the green one wins"),
  replicas: notInJobs("src/adapters/database/sql-store.ts"),
  retargeted: decidedBy("src/policy/review-decision.ts", "src/runner/perform/base.ts"),
  review: decidedBy("src/review/place.ts", "src/review/choose.ts", "src/policy/fork-lane.ts"),
  routing: decidedBy("src/routing/rank.ts"),
  sandbox: same("src/action/prepare-sandbox.test.ts", "is installed and gets its namespaces"),
  schedules: same("test/action/schedules.test.ts", "a wake-up opens the dashboard"),
  "second-try": decidedBy("src/gate/tries.ts"),
  settings: decidedBy("src/config/schema.ts", "src/runner/settings-of.ts"),
  simulation: notInJobs("src/adapters/database/sql-store.ts"),
  sweep: same("test/action/schedules.test.ts", "a wake-up opens the dashboard"),
  templates: decidedBy("src/workflow/compile.ts"),
  "versions-side-by-side": notInJobs("src/adapters/database/sql-store.ts"),
  "yaml-process": decidedBy("src/workflow/compile.ts", "src/workflow/check.ts"),
  "day-budget": {
    "the step that does not fit waits for the next day, and no other run starts": decidedBy("src/money/allowance.ts"),
    "without money for the day nothing starts at all": decidedBy("src/money/allowance.ts"),
  },
  preflight: {
    "push-refused-by-rule-told-as-moved: rules and refs in the way stop a run before it costs anything":
      decidedBy("src/policy/preflight.ts"),
    "push-refused-by-rule-told-as-moved: a rule that comes later is told with GitHub's words, once": decidedBy(
      "src/adapters/workspace/push-refusal.ts",
    ),
    "a permission that the installation lacks stops a run before it costs anything, until it is granted": same(
      "test/action/jobs.test.ts",
      "a job that may not write to the thread is no success",
    ),
    "no CI and nobody who may approve are asked about once, with the word that goes on":
      decidedBy("src/policy/preflight.ts"),
  },
  run: {
    "commits carry the run, the step and the asking person": decidedBy("src/runner/perform/commit-options.ts"),
    "the same comment delivered again begins nothing": same(
      "test/action/jobs.test.ts",
      "the same event twice, as when somebody starts the job again",
    ),
    "red for ever: stops after the limit with an honest verdict": decidedBy("src/gate/rules/checks-green.ts"),
    "no CI at all is not green, unless a setting says so": decidedBy("src/gate/rules/checks-green.ts"),
    "the person who started the run cannot approve it; another can": review,
    "`approvals.self: allow` lets them, and the thread says so": review,
    "an edited comment, a quote and code are no commands": decidedBy("src/thread/parse-command.ts"),
    "help says which commands the asker may use": decidedBy("src/thread/help.ts"),
    "a fork's head is never worked on, and the answer says why": policyFirst,
    "a broken baton.yaml starts nothing and names the line": decidedBy("src/config/parse.ts", "src/thread/help.ts"),
    "cancel stops the harness in the middle and keeps what was pushed": same(
      "test/action/remote.test.ts",
      "a cancellation reaches the harness",
    ),
    "pause begins nothing further until resume": decidedBy("src/core/due.ts", "src/core/decide.ts"),
    "status, cost and why are answered in the thread; a second run is refused while one is active": same(
      "test/action/retention.test.ts",
      "`/baton status`, `cost` and `why`",
    ),
    "retry begins the last run anew, on the work that was pushed": decidedBy("src/process/fork.ts"),
    "wait for another person before anything is pushed": decidedBy("src/runner/perform/publish-policy.ts"),
    "`breakpoints.protectedPaths: deny` publishes nothing": decidedBy("src/runner/perform/publish-policy.ts"),
    "is refused where the operator does not allow it, with what to do": policyFirst,
    "runs in place of the operator's where it is allowed": decidedBy("src/routing/rank.ts"),
    "edits nothing: an honest end": decidedBy("src/gate/rules/something-changed.ts"),
    "harnesses-and-models: a plan of nothing is no success, and is tried again":
      decidedBy("src/runner/perform/agent.ts"),
    "harnesses-and-models: a plan of only white space is no success, and is tried again":
      decidedBy("src/runner/perform/agent.ts"),
    "an unknown harness is refused with the known ones": decidedBy("src/routing/harness-names.ts"),
  },
};

/** Scenarios that fail in the tests' world of jobs, by the beginning of their titles. `npm run prove -- modes` leaves them out. */
export const leftOutInJobs: Readonly<Record<string, string>> = {
  "retargeted-pull-request: the new base's checks": "a status of somebody else starts no job",
  "no CI and nobody who may approve": "the world of jobs has a workflow of CI",
  "a flaky job that somebody re-runs": "a workflow plays the CI",
  "green-hides-red-of-same-name: two jobs of one workflow run": "a workflow plays the CI",
  // https://docs.github.com/en/repositories/archiving-a-github-repository/archiving-repositories
  "locked-thread: an archived repository": "an archived repository takes no comment, so no job begins",
};

export function isReason(value: Reason | Record<string, Reason>): value is Reason {
  return ["same", "decidedBy", "notInJobs"].some((kind) => kind in value);
}
