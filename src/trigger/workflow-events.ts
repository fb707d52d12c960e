/** The events on which a workflow must start, so that a job of Actions mode hears of events for rules. */
import type { TriggerName } from "./event.ts";

/** By GitHub's names. `type`: null if the event has none. null: no workflow starts on it. */
export const workflowEvents: Readonly<Record<TriggerName, { event: string; type: string | null } | null>> = {
  "issues.opened": { event: "issues", type: "opened" },
  "issues.labeled": { event: "issues", type: "labeled" },
  "issues.assigned": { event: "issues", type: "assigned" },
  "pull_request.opened": { event: "pull_request", type: "opened" },
  "pull_request.labeled": { event: "pull_request", type: "labeled" },
  "pull_request_review.submitted": { event: "pull_request_review", type: "submitted" },
  push: { event: "push", type: null },
  "workflow_run.failed": { event: "workflow_run", type: "completed" },
  "check_run.failed": { event: "check_run", type: "completed" },
  "release.published": { event: "release", type: "published" },
  repository_dispatch: { event: "repository_dispatch", type: null },
  workflow_dispatch: { event: "workflow_dispatch", type: null },
  http: null,
};

/**
 * Default types of an event without `types`. Source:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 */
const pullRequestTypes: readonly string[] = ["opened", "synchronize", "reopened"];

/** An event of `on` with its `types`. null: it has none. */
export type WorkflowStart = readonly [event: string, types: readonly string[] | null];

export function startsOn(starts: readonly WorkflowStart[], on: TriggerName): boolean {
  const needed = workflowEvents[on];
  if (needed === null) return false;
  return starts.some(([event, types]) => {
    if (event !== needed.event) return false;
    // A dispatch with `types` starts only on listed types, which the workflow alone knows.
    if (event === "repository_dispatch") return types === null || types.some((type) => type !== "baton");
    if (needed.type === null) return true;
    return (types ?? (event === "pull_request" ? pullRequestTypes : [needed.type])).includes(needed.type);
  });
}
