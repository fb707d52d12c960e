/**
 * Schedules in Actions mode: GitHub's own schedule only wakes a job, which checks for due rules.
 *
 * AS1 Only the driver of the dashboard's thread starts due rules, so that two jobs start an occurrence once.
 * AS2 A repository without schedules costs no issue, no state and no push.
 */
import type { GitDatabase } from "../adapters/git-state/open.ts";
import { hasDue, isIdle } from "../begin/start-due.ts";
import { configPaths } from "../config/parse.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import { scheduleEvent } from "../intake/events.ts";
import type { Clock } from "../ports/clock.ts";
import type { Github } from "../ports/github.ts";
import type { NewDelivery } from "../ports/store.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { readBook } from "../runner/schedule-book.ts";
import { disabledNotice } from "../schedule/disabled.ts";
import { threadsElsewhere } from "./home.ts";

export interface DueWork {
  /** Number of the dashboard issue. */
  number: number;
  delivery: NewDelivery;
}

export async function dueWork(given: {
  github: Github;
  place: Pick<Repository, "owner" | "name">;
  /** Called only if there may be a schedule at all. */
  repository(): Promise<Repository>;
  clock: Clock;
  workflowRunId: string;
  /** Number that an earlier job remembered. null: none did. */
  known: number | null;
  open(number: number): Promise<Pick<GitDatabase, "store" | "state">>;
  /** The dashboard issue, opened if there is none. */
  dashboard(repository: Repository): Promise<number>;
}): Promise<DueWork | null> {
  const { github, clock, workflowRunId, known } = given;
  if (known === null && !(await mayHaveSchedules(given))) return null;
  const repository = await given.repository();
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const { settings, problems } = loaded;
  if (isIdle(loaded) && known === null) return null;
  const number = await given.dashboard(repository);
  const home = await given.open(number);
  const { store } = home;
  const notice = isIdle(loaded) ? null : disabledNotice(await github.liveness(repository), clock.now());
  // A broken file does not count as a change of any rule.
  const rules = problems.length > 0 ? (await readBook(store, repository.id)).rules : settings.schedules;
  const read = { rules, notice };
  const place = { store, clock, activeElsewhere: async () => threadsElsewhere(home) };
  if (!(await hasDue(place, repository.id, limits.scheduleLateInJobMs, read))) return null;
  const payload = {
    repository: {
      id: repository.id,
      name: repository.name,
      default_branch: repository.defaultBranch,
      owner: { login: repository.owner },
    },
    installation: { id: repository.installationId },
    dashboard: number,
    notice,
  };
  const delivery: NewDelivery = {
    hook: "actions",
    guid: `${scheduleEvent}:run-${workflowRunId}`,
    event: scheduleEvent,
    action: null,
    installationId: repository.installationId,
    payload: JSON.stringify(payload),
    receivedAt: clock.now(),
  };
  return { number, delivery };
}

/** One call if there is a file: most repositories have no schedule (AS2). */
async function mayHaveSchedules({
  github,
  place,
}: Pick<Parameters<typeof dueWork>[0], "github" | "place">): Promise<boolean> {
  for (const path of configPaths) {
    const text = await github.file(place, path, null);
    if (text !== null) return text.includes("schedules");
  }
  return false;
}
