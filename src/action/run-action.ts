/** One job of the Action, from its event to its report. */
import { randomUUID } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { builtInProcesses } from "../../processes/index.ts";
import { children } from "../adapters/child/children.ts";
import { keptPrefix, runOfKept } from "../adapters/git-state/kept-refs.ts";
import type { GitDatabase } from "../adapters/git-state/open.ts";
import type { RefUpdate } from "../adapters/git-state/remote.ts";
import { createTokenGithub, type TokenGithub } from "../adapters/github/github-token.ts";
import { startModelProxy } from "../adapters/model-proxy/proxy.ts";
import { ownerUpstreamsOf, upstreamsOf } from "../adapters/model-proxy/upstreams.ts";
import { openPackageCaches } from "../adapters/sandbox/package-caches.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { createLog, type LogOptions } from "../adapters/system/log.ts";
import { dashboardName, numberIn, openDashboardInJob } from "../begin/open-dashboard.ts";
import { configPaths } from "../config/parse.ts";
import { BatonError, hasCode, toBatonError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import { isActiveStatus, type Repository } from "../core/vocabulary.ts";
import { startEngine } from "../engine.ts";
import { changedConfig } from "../intake/check-config.ts";
import { toThreadEvent } from "../intake/events.ts";
import { type DeliveryOutcome, outcomeOf } from "../intake/outcome.ts";
import { atLeast } from "../policy/permission.ts";
import type { Log } from "../ports/log.ts";
import type { AgentSandbox } from "../ports/sandbox.ts";
import type { Delivery, NewDelivery, RunRow } from "../ports/store.ts";
import type { SharedValues } from "../runner/dependencies.ts";
import { loadSettings } from "../runner/load-settings.ts";
import type { Order } from "../runner/remote/protocol.ts";
import { leasePrefix } from "../runner/runner.ts";
import { createRedactor } from "../text/redact.ts";
import type { TriggerEvent } from "../trigger/event.ts";
import { type DriveEnd, drive, jobOf } from "./drive.ts";
import { type ActionEvent, toActionEvent, toActionTrigger, triggerDeliveryOf } from "./event.ts";
import { homeDependencies, homeOf, openHome, openShared, sharedHome, sharedValues } from "./home.ts";
import { type JobCaches, jobCaches } from "./job-caches.ts";
import { permissionsOfJob } from "./job-permissions.ts";
import { type CommentJudgement, judgeComment, judgeEdit, judgeTriggers } from "./judge-event.ts";
import { type MissedCommands, missedAnywhere, missedComments, takenInUntil } from "./missed-comments.ts";
import { jobSandbox } from "./prepare-sandbox.ts";
import { performOrder } from "./remote-effect.ts";
import { type JobReport, type JobVerdict, output, verdictOf } from "./report.ts";
import { isUntidy, type Tidying, tidy } from "./retention.ts";
import { type DueWork, dueWork, isScheduled, mayBeDue, type ScheduleLook } from "./schedules.ts";
import type { ActionSettings } from "./settings.ts";
import { startCi } from "./start-ci.ts";
import { switchOn, type WakeUpPlace, wakeUp } from "./wake-up.ts";

/** The name of the job that reads the event, as in the workflow template. */
const readJobName = "Baton reads the event";
/** Names under which Baton reports, in addition to its job's name. */
const ownChecks = ["Baton", "Baton configuration", readJobName, "Baton wakes up"];
/** The most due threads for one scheduled job. The next job handles the rest. */
const homesMax = 20;

interface Job {
  settings: ActionSettings;
  github: TokenGithub;
  redact(text: string): string;
  log: Log;
  stop: AbortSignal;
  /** The part of `stop` that comes from the platform, or from a person who cancelled the job there. */
  platformStop: AbortSignal;
  owner: string;
  steps: number;
  statePushes: number;
  /** One for the job: its self-test and its installation run once. */
  agentSandbox: AgentSandbox;
  caches: JobCaches;
  shared: SharedValues;
  /** Threads that Baton could not work on. */
  faults: number;
  /** Jobs of the queue that this job may take, because it has no agent. null: all (AD4). */
  only: ReadonlySet<string> | null;
  /** The wake-up was switched on for this job. */
  isAwake: boolean;
  /** The schedules of the repository, read at most once in the job. */
  schedules: ScheduleLook | null;
}

export interface FinishedJob {
  report: JobReport;
  redact(text: string): string;
}

export async function runAction(
  settings: ActionSettings,
  platformStop: AbortSignal,
  destination?: LogOptions["destination"],
): Promise<FinishedJob> {
  const redact = createRedactor({ secrets: settings.secrets });
  const log = createLog({ level: settings.logLevel, redact, ...(destination === undefined ? {} : { destination }) });
  const told = {
    name: settings.eventName,
    payload: JSON.parse(await readFile(settings.eventPath, "utf8")) as unknown,
    workflowRunId: settings.workflowRunId,
  };
  const event = toActionEvent({ ...told, now: systemClock.now() });
  const stop = AbortSignal.any([platformStop, AbortSignal.timeout(settings.limitMs)]);
  const github = createTokenGithub({
    stop: platformStop,
    token: settings.token,
    apiUrl: settings.apiUrl,
    webUrl: settings.webUrl,
    clock: systemClock,
    appSlug: settings.appSlug,
    ownChecks: [...ownChecks, ...(settings.jobName === null ? [] : [settings.jobName])],
    ownCheckRuns: settings.checkRunIds,
    async grantedToJob(reader, repository) {
      const { workflowPath, workflowAt, jobName } = settings;
      if (workflowPath === null || workflowAt === null || jobName === null) return null;
      const text = await reader.file(repository, workflowPath, workflowAt);
      return text === null ? null : permissionsOfJob(text, jobName);
    },
  });
  const job: Job = {
    settings,
    github,
    redact,
    log,
    stop,
    platformStop,
    agentSandbox: jobSandbox(settings, log),
    caches: jobCaches(openPackageCaches({ children, root: settings.cacheDir })),
    owner: `job ${settings.workflowRunId}/${settings.workflowRunAttempt}/${randomUUID()}`,
    shared: sharedValues(settings, log, (pushes) => (job.statePushes += pushes)),
    steps: 0,
    statePushes: 0,
    faults: 0,
    only: onlyOf(settings, event),
    isAwake: false,
    schedules: null,
  };
  const fired = toActionTrigger(told);
  const parts = { read: judge, wake, work, all: work };
  const found = await parts[settings.part](job, event, fired).catch((thrown: unknown) => failed(job, thrown, null));
  // The job that drives the thread sees to it.
  const isDriver = found.verdict !== "elsewhere";
  if (isDriver && (settings.part === "work" || settings.part === "all")) await keepAwake(job, event);
  const { owner, name } = settings.repository;
  const report: JobReport = {
    ...found,
    check: settings.checkRunIds[0],
    cacheKey: job.caches.toKeep() ?? undefined,
    repositoryUrl: `${settings.webUrl}/${owner}/${name}`,
    steps: job.steps,
    statePushes: job.statePushes,
    apiCalls: github.calls(),
  };
  log.debug("This job's work", {
    event: settings.eventName,
    ...report.apiCalls,
    steps: job.steps,
    statePushes: job.statePushes,
  });
  return { report, redact };
}

type Found = Pick<JobReport, "verdict" | "reason" | "run" | "thread" | "denied" | "start" | "agent">;

/** AD4: `read` judged the event's own command. Nothing else. */
function onlyOf({ part, hasAgent }: ActionSettings, event: ActionEvent): ReadonlySet<string> | null {
  if (part !== "work" || hasAgent) return null;
  return new Set(event.kind === "thread" ? [jobOf(event.delivery)] : []);
}

/** The first of two jobs (`judge-event.ts`). */
async function judge(job: Job, event: ActionEvent, fired: TriggerEvent | null): Promise<Found> {
  const found = await judgeMeaning(job, event);
  if (fired === null || found.start === true) return found;
  const judged = await judgeFired(job, fired);
  if (judged === null) return found;
  if (!judged.start && event.kind !== "nothing") return { ...found, reason: `${found.reason} ${judged.reason}` };
  const thread = fired.thread?.number ?? null;
  return { verdict: "nothing", reason: judged.reason, run: null, thread, start: judged.start };
}

/** The wake-up's own workflow: it starts the workflow of the others, or switches itself off. */
async function wake(job: Job): Promise<Found> {
  const found = await judgeWake(job);
  const isAwaitedNow = (): Promise<boolean> => {
    // Read again, like the state.
    job.schedules = null;
    return isAwaited(job);
  };
  const reason = await wakeUp(wakeUpPlace(job), { due: found?.reason ?? null, isAwaited: isAwaitedNow });
  return { verdict: "nothing", reason, run: null, thread: null };
}

function wakeUpPlace(job: Job): WakeUpPlace {
  const { settings, github, log } = job;
  return { settings, github, log, repository: () => repositoryOf(job) };
}

/** WU1, for a job that leaves something behind. */
async function keepAwake(job: Job, event: ActionEvent): Promise<void> {
  const { log } = job;
  // A runner of an App leaves nothing behind. Nor does a job that found nothing to do, unless a push sets schedules.
  const isIdle = job.statePushes === 0 && job.steps === 0;
  if (event.kind === "order" || (isIdle && event.kind !== "configured")) return;
  try {
    if (await isAwaited(job)) await switchOn(wakeUpPlace(job));
  } catch (thrown) {
    log.warn("Baton could not see what waits; the next event continues the work", { error: toBatonError(thrown) });
  }
}

/** WU1, for a job that may die. Once a job, and not for one that only answers. */
async function keepAwakeMeanwhile(job: Job): Promise<void> {
  if (job.isAwake || job.only !== null) return;
  job.isAwake = true;
  await switchOn(wakeUpPlace(job));
}

/** A run waits, or the configuration has schedules. */
async function isAwaited(job: Job): Promise<boolean> {
  if ((await waitingHomes(job, () => true)).length > 0) return true;
  return isScheduled(await schedulesOf(job));
}

/** The verdict of `triggers` rules on the event, with read-only state. */
function judgeFired({ github, settings, log }: Job, fired: TriggerEvent): Promise<CommentJudgement | null> {
  const shared = {
    value: async (name: string) => (await openShared(settings, log)).state.snapshot.tables.values.get(name) ?? null,
  };
  return judgeTriggers({ github, processes: builtInProcesses() }, fired, { shared, now: systemClock.now() });
}

/** An event can be both: a command or news for runs, and a match for rules of `triggers`. */
async function work(job: Job, event: ActionEvent, fired: TriggerEvent | null): Promise<Found> {
  const brought = fired === null ? null : await broughtBy(job, fired);
  return handle(job, event, brought ?? new Map());
}

/** null: no rule starts anything. */
async function broughtBy(job: Job, fired: TriggerEvent): Promise<Map<string, NewDelivery[]> | null> {
  const judged = await judgeFired(job, fired);
  if (judged?.start !== true) return null;
  const dashboard = fired.thread === null ? await dashboardOf(job, fired.repository) : null;
  const { workflowRunId } = job.settings;
  const delivery = triggerDeliveryOf(fired, { dashboard, workflowRunId, now: systemClock.now() });
  const number = fired.thread?.number ?? dashboard;
  return number === null ? null : new Map([[homeOf(number), [delivery]]]);
}

/** The dashboard issue, opened if there is none: the thread of everything without its own thread. */
async function dashboardOf(job: Job, repository: Repository): Promise<number> {
  const { github, shared, owner } = job;
  const known = numberIn(await shared.value(dashboardName));
  const place = { clock: systemClock, owner, shared };
  const number = await openDashboardInJob(place, await github.installation(0), repository, known);
  if (number !== known) await shared.change(dashboardName, () => number);
  return number;
}

async function judgeMeaning(job: Job, event: ActionEvent): Promise<Found> {
  const start = (reason: string): Found => ({ verdict: "nothing", reason, run: null, thread: null, start: true });
  const none = (reason: string): Found => ({ verdict: "nothing", reason, run: null, thread: null, start: false });
  switch (event.kind) {
    case "nothing":
    case "refused":
      return { ...(await handle(job, event)), start: false };
    case "order":
      return start("An App hands over work.");
    case "wake": {
      if (event.number !== null) return start("Somebody names a thread.");
      const found = await judgeWake(job);
      return found === null ? none("Nothing is due.") : { ...start(found.reason), agent: found.agent };
    }
    case "configured": {
      const found = await judgeWake(job);
      if (found !== null) return { ...start(found.reason), agent: found.agent };
      // Only a job that may write switches the wake-up on.
      if (!(await setsSchedules(job, event))) return none("Nothing is due.");
      return { ...start("The push changes the configuration, and it sets schedules."), agent: false };
    }
    case "thread": {
      const judged = await judgeDelivery(job, event.delivery);
      if (!judged.start) return { ...none(judged.reason), thread: event.number };
      const agent = judged.agent !== false || (await hasOtherWork(job, event));
      return { ...start(judged.reason), agent, thread: event.number };
    }
    case "facts": {
      if ((await waitingFor(job, event)).length > 0) return start("A run may wait for this.");
      const judged = event.commandFor === null ? null : await judgeDelivery(job, event.delivery);
      if (judged !== null) return { ...(judged.start ? start : none)(judged.reason), thread: event.commandFor };
      return none("No run waits for this.");
    }
  }
}

/** The work that a wake-up finds, read only. `agent`: an agent may be needed. null: nothing is due. */
async function judgeWake(job: Job): Promise<{ reason: string; agent: boolean } | null> {
  const due = await dueHomes(job);
  if (due.length > 0)
    return { reason: `${due.length} ${due.length === 1 ? "thread is" : "threads are"} due.`, agent: true };
  const missed = await missedInRepository(job);
  if (missed.threads.size > 0) return { reason: "A command's job never ran.", agent: true };
  if (missed.isUnread) return { reason: "The comments could not be read.", agent: true };
  if (await mayBeDue(await schedulesOf(job))) return { reason: "A schedule is due.", agent: true };
  if (missed.cursor !== null) return { reason: "The comments were read up to now.", agent: false };
  return (await isUntidy(tidyingOf(job, await openShared(job.settings, job.log))))
    ? { reason: "State of threads that ended is due for `retention`.", agent: false }
    : null;
}

async function setsSchedules(job: Job, { before }: Extract<ActionEvent, { kind: "configured" }>): Promise<boolean> {
  const { github, settings } = job;
  if (!(await isScheduled(await schedulesOf(job)))) return false;
  const reader = await github.installation(0);
  for (const path of configPaths) {
    const now = await reader.file(settings.repository, path, null);
    if (before === null || now !== (await reader.file(settings.repository, path, before))) return true;
  }
  return false;
}

/** Next to a command that needs no agent: a run in the thread, or a command whose job never ran. */
async function hasOtherWork(
  job: Job,
  { number, delivery }: Extract<ActionEvent, { kind: "thread" }>,
): Promise<boolean> {
  const home = homeOf(number);
  if ((await waitingHomes(job, () => true)).includes(home)) return true;
  const { tables } = (await openHome(job.settings, home, job.log, true)).state.snapshot;
  const missed = await missedIn(job, home, tables.deliveries.values());
  return missed.some(({ guid }) => guid !== delivery.guid);
}

/** Threads with a run whose time has come, or that a lost job left open. */
async function dueHomes(job: Job): Promise<string[]> {
  const now = systemClock.now();
  const due = await waitingHomes(job, ({ wakeAt }) => wakeAt !== null && wakeAt <= now);
  // The job checks runs that only people or CI can move, and does not drive them.
  for (const home of await waitingHomes(job, ({ wakeAt }) => wakeAt === null))
    if (due.length < homesMax && !due.includes(home) && (await isLeftOpen(job, home))) due.push(home);
  return due.slice(0, homesMax);
}

/** Whether a permitted person asks for something. */
async function judgeDelivery({ github }: Job, { event, payload }: NewDelivery): Promise<CommentJudgement> {
  const meaning = toThreadEvent(event, JSON.parse(payload));
  // After any edit, Baton writes the text again. GitHub lets only people with write access edit it.
  if (meaning.kind === "ticked") return judgeEdit({ github }, meaning);
  const said = meaning.kind === "comment" ? meaning : meaning.kind === "facts" ? meaning.said : undefined;
  return said === undefined ? { start: false, reason: "No command." } : judgeComment({ github }, said);
}

/** Threads that the facts are for, without the thread of a command in them. */
async function waitingFor(job: Job, event: Extract<ActionEvent, { kind: "facts" }>): Promise<string[]> {
  const homes = await waitingHomes(job, ({ watches }) => watches.some((watch) => event.watches.includes(watch)));
  // Threads that wait for the pull request check its configuration, too. Otherwise its own thread does, if there is a
  // change.
  if (homes.length === 0 && event.changed !== null && (await changesConfig(job, event.changed)))
    homes.push(homeOf(event.changed.number));
  return homes;
}

/** The summary of the reading job answered strangers already. */
async function ofPermitted(job: Job, missed: readonly NewDelivery[]): Promise<NewDelivery[]> {
  if (job.settings.part === "all") return [...missed];
  const judged = await Promise.all(missed.map((delivery) => judgeDelivery(job, delivery)));
  return missed.filter((_, at) => judged[at]?.start === true);
}

/** The error that stopped the work on a thread or the whole event: shown in the usual places, with the next step. */
function failed(job: Job, thrown: unknown, thread: number | null): Found {
  const { log } = job;
  const error = toBatonError(thrown);
  job.faults += 1;
  if (error.code === "BATON_INTERNAL") log.error("The job failed", { error });
  else log.debug("The job failed", { error });
  const reason = `${error.code}: ${error.message}\n${error.remedy}`;
  return { verdict: "failed", reason, run: null, thread };
}

/** `brought`: additional deliveries of the event, by home. */
async function handle(
  job: Job,
  event: ActionEvent,
  brought: ReadonlyMap<string, readonly NewDelivery[]> = new Map(),
): Promise<Found> {
  if (brought.size > 0 && (event.kind === "nothing" || event.kind === "refused"))
    return handleHomes(job, brought, "No rule starts anything.");
  switch (event.kind) {
    case "nothing":
      return { verdict: "nothing", reason: event.reason, run: null, thread: null };
    case "refused":
      return { verdict: "refused", reason: event.reason, run: null, thread: null };
    case "order":
      return handleOrder(job, event.order);
    case "thread":
      return handleHomes(job, merged(new Map([[homeOf(event.number), [event.delivery]]]), brought), "");
    case "facts": {
      const homes = await waitingFor(job, event);
      if (event.commandFor !== null && !homes.includes(homeOf(event.commandFor))) homes.push(homeOf(event.commandFor));
      const told = homes.map((home): [string, NewDelivery[]] => [home, [event.delivery]]);
      return handleHomes(job, merged(new Map(told), brought), "No run waits for this.");
    }
    case "configured":
    case "wake": {
      if (event.kind === "wake" && event.number !== null && brought.size === 0) return handleNumber(job, event.number);
      const homes = new Map((await dueHomes(job)).map((home): [string, NewDelivery[]] => [home, []]));
      const missed = await missedInRepository(job);
      for (const [number, deliveries] of missed.threads) homes.set(homeOf(number), deliveries);
      let fault: Found | null = null;
      const scheduled = await dueSchedules(job).catch((thrown: unknown) => {
        // Other due work does not wait for it.
        fault = failed(job, thrown, null);
        return null;
      });
      if (scheduled !== null) {
        const home = homeOf(scheduled.number);
        homes.set(home, [...(homes.get(home) ?? []), scheduled.delivery]);
      }
      const done = await handleHomes(job, merged(homes, brought), "Nothing is due.");
      const found = fault ?? done;
      if (missed.cursor !== null && !job.stop.aborted && job.faults === 0) await rememberCursor(job, missed.cursor);
      const tidied = await tidyUp(job);
      if (tidied === null || found.verdict !== "nothing") return found;
      return { ...found, reason: tidied };
    }
  }
}

function merged(
  homes: ReadonlyMap<string, readonly NewDelivery[]>,
  more: ReadonlyMap<string, readonly NewDelivery[]>,
): Map<string, readonly NewDelivery[]> {
  const all = new Map(homes);
  for (const [home, deliveries] of more) all.set(home, [...(all.get(home) ?? []), ...deliveries]);
  return all;
}

/** Somebody names a thread. Baton begins nothing in a thread without state. */
async function handleNumber(job: Job, number: number): Promise<Found> {
  const home = homeOf(number);
  const { tables, driver } = (await openHome(job.settings, home, job.log, true)).state.snapshot;
  if (driver !== null || tables.runRows.size > 0 || tables.deliveries.size > 0) return handleHome(job, home, []);
  try {
    if ((await missedIn(job, home, [])).length > 0) return handleHome(job, home, []);
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) throw thrown;
    const reason = `There is no issue or pull request #${number} in this repository.`;
    return { verdict: "refused", reason, run: null, thread: null };
  }
  return { verdict: "nothing", reason: `Nobody asked Baton for anything in #${number}.`, run: null, thread: number };
}

/** Whether a job that drove this thread failed to finish: it left its name, a lease, a wake-up or an event. */
async function isLeftOpen({ settings, log }: Job, home: string): Promise<boolean> {
  const { tables, driver } = (await openHome(settings, home, log, true)).state.snapshot;
  const now = systemClock.now();
  return (
    (driver !== null && driver.owner !== "") ||
    [...tables.leases.values()].some(({ name, owner }) => name.startsWith(leasePrefix) && owner !== "") ||
    [...tables.jobs.values()].some(({ startAt }) => startAt <= now) ||
    [...tables.deliveries.values()].some(({ state }) => state === "received")
  );
}

function tidyingOf(job: Job, shared: GitDatabase): Tidying {
  const { settings, github, log, stop } = job;
  return {
    shared,
    open: (home) => openHome(settings, home, log),
    settings: async () => {
      const repository = await repositoryOf(job);
      return (await loadSettings(await github.installation(0), repository, repository.defaultBranch)).settings;
    },
    now: systemClock.now(),
    log,
    stop,
  };
}

/** Only at the schedule, because nobody waits for it. */
async function tidyUp(job: Job): Promise<string | null> {
  const done = await tidy(tidyingOf(job, await openShared(job.settings, job.log)));
  job.statePushes += done.statePushes;
  job.steps += done.compacted + done.forgotten;
  if (done.compacted + done.forgotten === 0) return null;
  return `The state of ${done.compacted} runs was compacted, of ${done.forgotten} removed (\`retention\`).`;
}

/** `executor: actions`: this job is a runner of an App. */
async function handleOrder({ settings, stop }: Job, order: Order): Promise<Found> {
  const { jobToken, endpoint } = settings;
  if (jobToken === null)
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      "The job cannot prove who it is: the workflow needs `permissions: id-token: write`.",
    );
  if (endpoint !== null && endpoint.replace(/\/+$/, "") !== order.endpoint)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `The order names ${order.endpoint}; this workflow works for ${endpoint} alone (input \`endpoint\`).`,
    );
  try {
    const result = await performOrder(settings, order, jobToken, stop);
    const what = `"${order.effect}" of ${order.run}, attempt ${order.attempt}`;
    if (result.ok) return { verdict: "passed", reason: `Performed ${what}.`, run: null, thread: null };
    const { code, message } = result.error;
    const verdict = code === "BATON_CANCELLED" ? "cancelled" : "failed";
    return { verdict, reason: `${what}: ${code}: ${message}`, run: null, thread: null };
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_LEASE_LOST")) throw thrown;
    return { verdict: "elsewhere", reason: (thrown as BatonError).message, run: null, thread: null };
  }
}

/** Threads with a matching active run, from the data that all threads share. */
async function waitingHomes(
  job: Job,
  fits: (row: { watches: string[]; wakeAt: number | null }) => boolean,
): Promise<string[]> {
  const database = await openShared(job.settings, job.log);
  const rows = [...database.state.snapshot.index.values()].filter(fits);
  return [...new Set(rows.map(({ home }) => home))];
}

async function changesConfig(
  { github }: Job,
  { repository, number }: { repository: Repository; number: number },
): Promise<boolean> {
  return (await changedConfig(await github.installation(repository.installationId), repository, number)) !== null;
}

async function missedIn(job: Job, home: string, known: Iterable<Delivery>): Promise<NewDelivery[]> {
  const missed = await missedComments({
    github: await job.github.installation(0),
    repository: await repositoryOf(job),
    number: Number(threadOf(home)),
    known,
    workflowRunId: job.settings.workflowRunId,
    now: systemClock.now(),
  });
  return ofPermitted(job, missed);
}

/** Commands of any thread that no job brought in. */
async function missedInRepository(job: Job): Promise<MissedCommands & { isUnread: boolean }> {
  const { settings, github, log } = job;
  const { state, homes } = await openShared(settings, log);
  const cursor = state.snapshot.tables.values.get(takenInUntil.name);
  try {
    const known = new Set(await homes());
    const missed = await missedAnywhere({
      github: await github.installation(0),
      place: settings.repository,
      cursor: typeof cursor === "number" ? cursor : null,
      threadsMax: homesMax,
      workflowRunId: settings.workflowRunId,
      now: systemClock.now(),
      repository: () => repositoryOf(job),
      async workflowMadeAt() {
        const workflow = workflowOf(settings);
        return workflow === null ? null : github.workflowMadeAt(await repositoryOf(job), workflow);
      },
      async knownIn(number) {
        if (!known.has(homeOf(number))) return new Set();
        const { tables } = (await openHome(settings, homeOf(number), log, true)).state.snapshot;
        return new Set([...tables.deliveries.values()].map(({ guid }) => guid));
      },
    });
    for (const [number, deliveries] of missed.threads) {
      const permitted = await ofPermitted(job, deliveries);
      if (permitted.length > 0) missed.threads.set(number, permitted);
      else missed.threads.delete(number);
    }
    for (const { guid } of [...missed.threads.values()].flat())
      log.info("A command whose job never ran", { name: guid });
    return { ...missed, isUnread: false };
  } catch (thrown) {
    // Due work does not wait for it.
    log.warn("Baton could not read the comments again; the next scheduled run tries again", {
      error: toBatonError(thrown),
    });
    return { threads: new Map(), cursor: null, isUnread: true };
  }
}

/** null: no schedule is due. */
async function dueSchedules(job: Job): Promise<DueWork | null> {
  return dueWork(await schedulesOf(job), {
    workflowRunId: job.settings.workflowRunId,
    dashboard: (repository) => dashboardOf(job, repository),
  });
}

async function schedulesOf(job: Job): Promise<ScheduleLook> {
  const { settings, github, log } = job;
  if (job.schedules !== null) return job.schedules;
  const shared = await openShared(settings, log);
  const known = shared.state.snapshot.tables.values.get(dashboardName);
  job.schedules = {
    github: await github.installation(0),
    place: settings.repository,
    repository: () => repositoryOf(job),
    clock: systemClock,
    known: numberIn(known),
    open: (number) => openHome(settings, homeOf(number), log, true),
  };
  return job.schedules;
}

/** MC3: only when everything before the cursor is in an inbox. */
async function rememberCursor(job: Job, cursor: number): Promise<void> {
  const shared = await openHome(job.settings, sharedHome, job.log);
  await shared.state.change(
    ({ tables }) => {
      if (Number(tables.values.get(takenInUntil.name) ?? 0) < cursor) tables.setValue(takenInUntil.name, cursor);
    },
    { when: "now" },
  );
  job.statePushes += shared.pushes();
}

async function handleHomes(
  job: Job,
  homes: ReadonlyMap<string, readonly NewDelivery[]>,
  otherwise: string,
): Promise<Found> {
  let worst: Found | null = null;
  for (const [home, deliveries] of homes) {
    // A thread with an error must not hold up the others.
    const found = await handleHome(job, home, deliveries).catch((thrown: unknown) =>
      failed(job, thrown, Number(threadOf(home))),
    );
    if (worst === null || severity.indexOf(found.verdict) > severity.indexOf(worst.verdict)) worst = found;
    if (job.stop.aborted) break;
  }
  return worst ?? { verdict: "nothing", reason: otherwise, run: null, thread: null };
}

const severity: JobVerdict[] = [
  "nothing",
  "elsewhere",
  "waiting",
  "passed",
  "handed-over",
  "skipped",
  "cancelled",
  "refused",
  "failed",
];

async function handleHome(job: Job, home: string, deliveries: readonly NewDelivery[]): Promise<Found> {
  const { settings, github, log, redact, owner, stop } = job;
  const { only } = job;
  const database = await openHome(settings, home, log, false, (id) => only?.has(id) !== false);
  await rememberForPost(settings, home, owner);
  const positions = new Map([...database.state.snapshot.tables.events].map(([run, events]) => [run, events.length]));
  const known = [...database.state.snapshot.tables.deliveries.values()];
  const deniedBefore = new Set(deniedWrites(database).map(({ name }) => name));
  const models = await startModelProxy(upstreamsOf(settings.harness), ownerUpstreamsOf(settings.harness));
  let end: DriveEnd;
  try {
    end = await drive(
      {
        database,
        owner,
        workflowRunId: settings.workflowRunId,
        clock: systemClock,
        log,
        isOver: async (id) => github.isOver(await repositoryOf(job), id),
        stop,
        only,
        begun: () => keepAwakeMeanwhile(job),
        missed: () => missedIn(job, home, known),
        leftovers: () => leftovers(job, database, positions),
        startEngine: () => {
          const onPush = (branch: string): Promise<void> =>
            startCi({ settings, github, log, store: database.store }, { branch, thread: Number(threadOf(home)) });
          const onKept = (): void => void (job.statePushes += 1);
          return startEngine(
            homeDependencies({
              settings,
              database,
              github,
              owner,
              redact,
              log,
              models,
              agentSandbox: job.agentSandbox,
              caches: job.caches,
              shared: job.shared,
              onPush,
              onKept,
            }),
          );
        },
      },
      deliveries,
    );
  } finally {
    await models.close();
  }
  await forgetForPost(settings);
  const handover = end === "handed-over" ? await handOver(job, home) : "";
  job.statePushes += database.pushes();
  job.steps += Math.max(1, await movedEffects(database, positions));
  const isStranger = () => areStrangers(job, deliveries);
  const found = await conclude(database, { end, handover, home, deliveries, positions, isStranger });
  if (end === "elsewhere") return found;
  return withDenied(
    found,
    deniedWrites(database).filter(({ name }) => !deniedBefore.has(name)),
  );
}

/** Writes that GitHub denied to the token. */
function deniedWrites({ state }: GitDatabase): { name: string; kind: string; text: string }[] {
  return [...state.snapshot.tables.outbox.values()]
    .filter(({ state: now, error }) => now === "failed" && error?.startsWith("BATON_GITHUB_DENIED: "))
    .map(({ operationKey, contentHash, kind, error }) => ({
      name: `${operationKey} ${contentHash}`,
      kind,
      text: error?.replace("BATON_GITHUB_DENIED: ", "") ?? "",
    }));
}

/** A person who gets no answer was not served, even if the run itself does well. */
function withDenied(found: Found, denied: ReturnType<typeof deniedWrites>): Found {
  if (denied.length === 0) return found;
  const all = { ...found, denied: [...new Set(denied.map(({ text }) => text))] };
  // Answers that a newer one may fold are written as questions are.
  if (!denied.some(({ kind }) => kind === "comment" || kind === "question")) return all;
  if (severity.indexOf(found.verdict) >= severity.indexOf("skipped")) return all;
  const reason = "The job may not write to the thread, so nobody there was told what came of it.";
  return { ...all, verdict: "failed", reason };
}

/** Effects with new events in the journals. */
async function movedEffects({ store, state }: GitDatabase, before: Map<string, number>): Promise<number> {
  const moved = new Set<string>();
  for (const runId of state.snapshot.tables.events.keys())
    for (const { event } of await store.read(runId, before.get(runId) ?? 0))
      if (event.type.startsWith("effect.") && "key" in event) moved.add(`${runId} ${event.key}`);
  return moved.size;
}

/** The kept work of a finished run is on its branch, or nobody wants it. A running parent may want its child's. */
async function leftovers({ log }: Job, database: GitDatabase, before: Map<string, number>): Promise<RefUpdate[]> {
  const { store, namespace } = database;
  const over = await store.runs({ active: false });
  if (over.every(({ runId, position }) => position === before.get(runId))) return [];
  const active = new Set((await store.runs({ active: true })).map(({ runId }) => runId));
  const isWanted = async (runId: RunState["runId"]): Promise<boolean> => {
    if (active.size === 0) return false;
    const { parent } = await stateOf(store, runId);
    return parent !== null && (active.has(parent.runId) || (await isWanted(parent.runId)));
  };
  try {
    const done = new Set<string>();
    for (const { runId } of over) if (!(await isWanted(runId))) done.add(runId);
    const kept = await database.removals(keptPrefix(namespace));
    return kept.filter(({ ref }) => done.has(runOfKept(namespace, ref) ?? ""));
  } catch (thrown) {
    log.warn("Kept commits could not be found", { error: toBatonError(thrown) });
    return [];
  }
}

function repositoryOf({ github, settings: { repository } }: Job): Promise<Repository> {
  return github.repositoryByName(repository.owner, repository.name);
}

/** The next step frees the thread if this process is killed. */
async function rememberForPost({ statePath }: ActionSettings, home: string, owner: string): Promise<void> {
  if (statePath !== null) await appendFile(statePath, output("home", home) + output("owner", owner));
}

/** The main step ended normally and left the thread in order. */
async function forgetForPost({ statePath }: ActionSettings): Promise<void> {
  if (statePath !== null) await appendFile(statePath, output("home", "") + output("owner", ""));
}

/** Returns in words how the work continues. If a person stops a job, no other job replaces it at once. */
async function handOver({ settings, github, log, platformStop, stop, only }: Job, home: string): Promise<string> {
  const later = "the next event or the schedule goes on";
  if (platformStop.aborted) return `The job is stopped from outside; ${later}.`;
  const why =
    only !== null && !stop.aborted
      ? "Other work in the thread needs an agent, and this job has none"
      : "The job's time is up";
  const workflow = workflowOf(settings);
  if (workflow === null) return `${why}; ${later}.`;
  try {
    const repository = await github.repositoryByName(settings.repository.owner, settings.repository.name);
    await github.dispatch(repository, workflow, repository.defaultBranch, { thread: threadOf(home) });
    return `${why}; a successor goes on.`;
  } catch (thrown) {
    const { code } = toBatonError(thrown);
    log.warn("No successor could be started", { error: toBatonError(thrown) });
    return `${why}, and no successor could be started (${code}: it needs \`actions: write\` and \`workflow_dispatch\`); ${later}.`;
  }
}

/** The id that GitHub accepts: the name of the file. */
function workflowOf({ part, workflow, workflowPath }: ActionSettings): string | null {
  if (part === "wake") return workflow;
  return workflowPath?.split("/").at(-1) ?? null;
}

function threadOf(home: string): string {
  return home.split("/")[1] ?? "";
}

async function conclude(
  { state, store }: GitDatabase,
  given: {
    end: DriveEnd;
    handover: string;
    home: string;
    deliveries: readonly NewDelivery[];
    positions: Map<string, number>;
    /** True if no author of the texts may give commands. */
    isStranger(): Promise<boolean>;
  },
): Promise<Found> {
  const { end, handover, home, deliveries, positions, isStranger } = given;
  const thread = Number(threadOf(home));
  if (end === "elsewhere") {
    const job = state.snapshot.driver?.job ?? null;
    const reason = `${job === null ? "Another job" : `The job of workflow run ${job}`} drives this thread and finds the event in its inbox.`;
    return { verdict: "elsewhere", reason, run: null, thread };
  }
  const rows = await store.runs({});
  const moved = await firstMoved(store, rows, positions);
  const current = moved ?? rows.find(({ status }) => isActiveStatus(status)) ?? null;
  const run: RunState | null = current === null ? null : await stateOf(store, current.runId);
  if (end === "handed-over") return { verdict: "handed-over", reason: handover, run, thread };
  const handled = (await Promise.all(deliveries.map(({ hook, guid }) => store.delivery(hook, guid)))).filter(
    (one) => one !== null,
  );
  const unhandled = handled.find(({ state: outcome }) => outcome === "failed");
  if (unhandled !== undefined) return { verdict: "failed", reason: unhandled.note ?? "", run, thread };
  // The result of a run says more than a broken configuration change.
  const cameTo = handled.flatMap(({ note }) => (note === null ? [] : [toldOf(outcomeOf(note))]));
  const refusal = cameTo.find(({ no }) => no !== null);
  // An existing run is not necessarily the run that this job worked on.
  if (refusal?.no === "misspelt" && (await isStranger()))
    return { verdict: "nothing", reason: sentence(refusal.reason), run: null, thread };
  if (refusal !== undefined)
    return { verdict: "refused", reason: sentence(refusal.reason), run: moved === null ? null : run, thread };
  if (run === null) {
    const last = cameTo.at(-1);
    return {
      verdict: "nothing",
      reason: last === undefined ? "Nothing was to do." : sentence(last.reason),
      run,
      thread,
    };
  }
  return { ...verdictOf(run), run, thread };
}

/** The newest run with another event in this job than a refusal. */
async function firstMoved(
  store: Pick<GitDatabase["store"], "read">,
  rows: readonly RunRow[],
  positions: ReadonlyMap<string, number>,
): Promise<RunRow | null> {
  for (const row of rows) {
    const before = positions.get(row.runId) ?? 0;
    if (row.position <= before) continue;
    const news = await store.read(row.runId, before);
    if (news.some(({ event }) => event.type !== "policy.decided")) return row;
  }
  return null;
}

/** For the report of the job. `no`: why nothing was done. Anybody can make a typo, so a typo makes nobody's job red. */
function toldOf(outcome: DeliveryOutcome): { no: "misspelt" | "refused" | null; reason: string } {
  switch (outcome.kind) {
    case "done":
      return { no: null, reason: `did \`/baton ${outcome.command}\`` };
    case "ignored":
    case "noted":
      return { no: null, reason: outcome.reason };
    case "misspelt":
      return { no: "misspelt", reason: outcome.reason };
    case "misconfigured":
    case "refused":
      return { no: "refused", reason: outcome.reason };
    case "facts": {
      const { woke, configuration, said } = outcome;
      const config =
        configuration === null
          ? []
          : [`${configuration.ok ? "checked the configuration" : "configuration has errors"}: ${configuration.title}`];
      const answer = said === null ? null : toldOf(said);
      const told = [...config, ...(answer === null ? [] : [answer.reason])];
      // The result of a woken run says more than a refusal.
      if (woke > 0) return { no: null, reason: [`woke ${woke} run${woke === 1 ? "" : "s"}`, ...told].join(", ") };
      const no = answer?.no ?? (configuration?.ok === false ? "refused" : null);
      return { no, reason: told.join(", ") || "no run waits for this" };
    }
  }
}

async function areStrangers(job: Job, deliveries: readonly NewDelivery[]): Promise<boolean> {
  const github = await job.github.installation(0);
  const repository = await repositoryOf(job);
  const { settings } = await loadSettings(github, repository, repository.defaultBranch);
  for (const { event, payload } of deliveries) {
    const meaning = toThreadEvent(event, JSON.parse(payload));
    if (meaning.kind !== "comment") continue;
    if (atLeast(await github.permission(repository, meaning.author.login), settings.commands.run)) return false;
  }
  return true;
}

function sentence(note: string): string {
  return `${note.charAt(0).toUpperCase()}${note.slice(1)}${/[.!?)]$/.test(note) ? "" : "."}`;
}

async function stateOf(store: GitDatabase["store"], runId: RunState["runId"]): Promise<RunState> {
  const events = await store.read(runId);
  if (events.length === 0) throw new BatonError("BATON_NO_RUN", `There is no run ${runId}.`);
  return fold(events);
}
