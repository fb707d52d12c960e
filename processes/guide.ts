/** The effects of the shared stages, in words. `docs/reference/processes.md` uses them, and the stories check the lists. */
const words = {
  explore: "an agent reads and answers",
  plan: "an agent reads and plans",
  "plan-question": "a person answers what the plan depends on, where `breakpoints.plan: ask`",
  "plan-approval": "a person approves the plan",
  expect: "an agent reads and says what should hold",
  verify: "an agent reads and answers the outcomes",
  review: "a person reviews the head",
  command: "a command runs in a worktree",
  detect: "a detector's command runs in a worktree, and its report is read",
  "detect-files": "the files that the detector `agent` reads are listed",
  "detect-agent": "an agent reads some files for the detector `agent`",
  "detect-again": "the same detector runs on the result",
  post: "a comment in the thread",
  implement: "an agent writes",
  step: "an agent writes, one for each step of the plan, several at once",
  outside: "a person allows paths outside a step's scope",
  approval: "a person approves a step that the plan marks",
  join: "the steps' commits are merged",
  repair: "an agent writes, with the logs of what is red",
  address: "an agent writes, with what the review says",
  "protected-paths": "a person allows changes of protected paths",
  push: "the branch is pushed",
  "pull-request": "a pull request is opened",
  refresh: "its text is brought up to date",
  checks: "Baton waits for the checks of exactly this commit",
  "request-review": "reviewers are asked",
  base: "the settings of a new base are read, where somebody changed it",
  merge: "the approved head is merged, where `merge: auto`",
  "update-branch": "the head gets what its base has, where a rule asks for it",
  enqueue: "it goes into the merge queue, where the base has one",
  "merge-wait": "Baton waits for what GitHub says that the merge needs",
} as const;

export function effectsOf(...names: (keyof typeof words)[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, words[name]]));
}

/** From the first push to the end. */
export const untilApprovedEffects = [
  "protected-paths",
  "push",
  "pull-request",
  "refresh",
  "checks",
  "repair",
  "request-review",
  "review",
  "address",
  "base",
  "merge",
  "update-branch",
  "enqueue",
  "merge-wait",
] as const;
