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
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import { readBook } from "../runner/schedule-book.ts";
import { disabledNotice } from "../schedule/disabled.ts";
import { threadsElsewhere } from "./home.ts";

export interface DueWork {
  /** Number of the dashboard issue. */
  number: number;
  delivery: NewDelivery;
}

export interface ScheduleLook {
  github: Github;
  place: Pick<Repository, "owner" | "name">;
  /** Called only if there may be a schedule at all. */
  repository(): Promise<Repository>;
  clock: Clock;
  /** Number that an earlier job remembered. null: none did. */
  known: number | null;
  open(number: number): Promise<Pick<GitDatabase, "store" | "state">>;
}

/** For the job that only reads: whether `dueWork` could find anything. It opens no dashboard. */
export async function mayBeDue(given: ScheduleLook): Promise<boolean> {
  const active = await activeRules(given);
  if (active === null) return false;
  return given.known === null || (await isDue(given, active, given.known)).due;
}

/** The configuration has schedules that run. */
export async function isScheduled(given: ScheduleLook): Promise<boolean> {
  const active = await activeRules(given);
  return active !== null && !isIdle(active.loaded);
}

export async function dueWork(
  look: ScheduleLook,
  {
    workflowRunId,
    dashboard,
  }: {
    workflowRunId: string;
    /** The dashboard issue, opened if there is none. */
    dashboard(repository: Repository): Promise<number>;
  },
): Promise<DueWork | null> {
  const { clock } = look;
  const active = await activeRules(look);
  if (active === null) return null;
  const { repository } = active;
  const number = await dashboard(repository);
  const { due, notice } = await isDue(look, active, number);
  if (!due) return null;
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

interface ActiveRules {
  repository: Repository;
  loaded: LoadedSettings;
}

const read = new WeakMap<ScheduleLook, Promise<ActiveRules | null>>();

/** Read once for a look. null: no rule, and no dashboard that could say why. */
function activeRules(look: ScheduleLook): Promise<ActiveRules | null> {
  const known = read.get(look);
  if (known !== undefined) return known;
  const found = readRules(look);
  read.set(look, found);
  return found;
}

async function readRules(look: ScheduleLook): Promise<ActiveRules | null> {
  const { github, known } = look;
  if (known === null && !(await mayHaveSchedules(look))) return null;
  const repository = await look.repository();
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  return isIdle(loaded) && known === null ? null : { repository, loaded };
}

async function isDue(
  { github, clock, open }: ScheduleLook,
  { repository, loaded }: ActiveRules,
  dashboard: number,
): Promise<{ due: boolean; notice: string | null }> {
  const home = await open(dashboard);
  const { store } = home;
  const notice = isIdle(loaded) ? null : disabledNotice(await github.liveness(repository), clock.now());
  // A broken file does not count as a change of any rule.
  const rules = loaded.problems.length > 0 ? (await readBook(store, repository.id)).rules : loaded.settings.schedules;
  const place = { store, clock, activeElsewhere: async () => threadsElsewhere(home) };
  return { due: await hasDue(place, repository.id, limits.scheduleLateInJobMs, { rules, notice }), notice };
}

/** One call if there is a file: most repositories have no schedule (AS2). */
async function mayHaveSchedules({ github, place }: Pick<ScheduleLook, "github" | "place">): Promise<boolean> {
  for (const path of configPaths) {
    const text = await github.file(place, path, null);
    if (text !== null) return text.includes("schedules");
  }
  return false;
}
