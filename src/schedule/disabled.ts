/**
 * When GitHub stops waking jobs of Actions mode: in a public repository, after 60 days without activity.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
 */
const dayMs = 86_400_000;
const disabledAfterDays = 60;
const saidBeforeDays = 14;

export interface Liveness {
  isPublic: boolean;
  /** The time of the newest commit on the default branch. null: GitHub does not tell. */
  lastCommitAt: number | null;
}

/** For the dashboard. null: there is time. It names a day, so that it does not change each time. */
export function disabledNotice({ isPublic, lastCommitAt }: Liveness, now: number): string | null {
  if (!isPublic || lastCommitAt === null) return null;
  const at = lastCommitAt + disabledAfterDays * dayMs;
  if (now < at - saidBeforeDays * dayMs) return null;
  const day = new Date(at).toISOString().slice(0, 10);
  return `GitHub disables the schedule of a workflow after 60 days without activity in a public repository: here from ${day} on. Push a commit before, or enable the workflow again on the Actions page.`;
}
