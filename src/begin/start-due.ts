/**
 * Starts the due schedules of one repository, and shows them in the dashboard issue.
 *
 * SS1 An occurrence has one key (`occurrenceKey`), and a key is one run. Two replicas or jobs that start it cause one run.
 * SS2 Baton reads rules and permission when a schedule is due. An earlier reading only says whether to read.
 * SS3 Baton drops an occurrence that is refused, with its reason in the dashboard. If GitHub failed, Baton tries again.
 */
import { errorCatalogue, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { type Actor, isActiveStatus, type Repository, type RunId, runIdSchema } from "../core/vocabulary.ts";
import { dayOf } from "../money/allowance.ts";
import type { Github } from "../ports/github.ts";
import { runIdOf } from "../runner/create-run.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { ruleSlot, threadKeyOf } from "../runner/ledger-rows.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import type { Runner } from "../runner/runner.ts";
import {
  type BookEntry,
  memoryOf,
  namedIn,
  pausedBy,
  readBook,
  readControls,
  rulesChangedAt,
  type ScheduleBook,
  type ScheduleControls,
  writeBook,
} from "../runner/schedule-book.ts";
import { type DueOccurrence, dueOccurrences, nextStart, occurrenceKey, type ScheduleRule } from "../schedule/due.ts";
import { type Dashboard, type DashboardRun, dashboardTitle, renderDashboard } from "../thread/render/dashboard.ts";
import { dashboardWork, workSignature } from "./dashboard-work.ts";
import { dashboardMarker, knownDashboard, openDashboard } from "./open-dashboard.ts";
import { beginRule } from "./rule-run.ts";
import { sweepBoard } from "./sweep-board.ts";

export interface DueOptions {
  runner: Pick<Runner, "wake">;
  /** A start within this time is on time, because the timer that wakes Baton is not more exact. */
  lateAfterMs: number;
  /** The dashboard issue, if the caller knows it. */
  dashboard?: number;
  /** A problem that will stop schedules soon. Without it, the earlier notice stays. */
  notice?: string | null;
}

/** Values that a caller has read from the repository moments ago. */
interface ReadNow {
  rules: readonly ScheduleRule[];
  notice: string | null;
}

/** Nothing runs. Such a repository gets no dashboard issue. An existing dashboard says why. */
export function isIdle({ settings, problems }: Pick<LoadedSettings, "settings" | "problems">): boolean {
  return problems.length > 0 || !settings.dashboard || settings.schedules.length === 0;
}

/** From the last reading: whether `startDue` would do anything. Asks GitHub nothing. */
export async function hasDue(
  dependencies: Pick<Dependencies, "store" | "clock" | "activeElsewhere">,
  repositoryId: number,
  lateAfterMs: number,
  read: ReadNow | null = null,
): Promise<boolean> {
  const { store, clock } = dependencies;
  const now = clock.now();
  const book = await readBook(store, repositoryId);
  const controls = await readControls(store, repositoryId);
  if (read !== null) {
    if (JSON.stringify(read.rules.map(ruleOf)) !== JSON.stringify(book.rules)) return true;
    if (read.notice !== book.notice) return true;
  } else {
    if (now - book.readAt >= limits.scheduleRulesMs) return true;
    if ((await rulesChangedAt(store, repositoryId)) >= book.readAt) return true;
  }
  if (read === null && book.dashboard === null) return false;
  for (const { showsActive, runId } of Object.values(book.entries))
    if (showsActive && !(await isActive(store, runId))) return true;
  if (book.rules.some(({ name }) => isAsked(book, controls, name))) return true;
  const showsOld = book.dashboard !== null && now - book.shows.at >= limits.dashboardRefreshMs;
  if (showsOld && (await workSignature(dependencies, repositoryId)) !== book.shows.work) return true;
  const due = await dueOf(dependencies, { repositoryId, book, controls, lateAfterMs });
  return due.some(
    ({ what, name, occurrence }) => what !== "wait" || namedIn(book.entries, name)?.queued !== occurrence,
  );
}

/** Returns a sentence about what it did. null: nothing was due. */
export async function startDue(
  dependencies: Dependencies,
  repository: Repository,
  options: DueOptions,
): Promise<string | null> {
  const { store, clock } = dependencies;
  const now = clock.now();
  const github = await dependencies.github.installation(repository.installationId);
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const before = await readBook(store, repository.id);
  const { settings, problems } = loaded;
  const listens: string[] = [...new Set(settings.triggers.map(({ on }) => on))];
  // A trigger may have opened it.
  const known = options.dashboard ?? before.dashboard ?? (await knownDashboard(store, repository.id));
  // A broken file starts nothing, and the rules count as unchanged.
  const rules: ScheduleRule[] = problems.length > 0 ? before.rules : settings.schedules.map(ruleOf);
  const isOff = problems.length > 0 || !settings.dashboard;
  const book: ScheduleBook = {
    ...before,
    repository,
    rules,
    readAt: now,
    listens,
    entries: entriesOf(rules, before, now),
  };
  if (options.notice !== undefined) book.notice = options.notice;
  if (!settings.dashboard || (isIdle(loaded) && known === null)) {
    await writeBook(store, repository.id, book);
    return settings.schedules.length === 0 ? null : "schedules do not run with `dashboard: false`";
  }
  try {
    book.dashboard = await openDashboard(dependencies, github, repository, known);
  } catch (thrown) {
    // Without an issue nothing can start, so Baton tries again only when it reads the rules next time.
    const dashboard = toBatonError(thrown).treatment === "retryable" ? known : null;
    await writeBook(store, repository.id, { ...book, dashboard });
    throw thrown;
  }
  const controls = await readControls(store, repository.id);
  const due = isOff
    ? []
    : await dueOf(dependencies, { repositoryId: repository.id, book, controls, lateAfterMs: options.lateAfterMs });
  const did: string[] = [];
  let fault: unknown = null;
  for (const one of due) {
    try {
      did.push(await start(dependencies, { github, repository, loaded, book, one, runner: options.runner }));
    } catch (thrown) {
      // SS3: the other schedules do not wait for it.
      fault ??= thrown;
    }
  }
  for (const { name } of isOff ? [] : rules) {
    if (!isAsked(book, controls, name)) continue;
    const { by, at } = controls.asked[name] as ScheduleControls["asked"][string];
    const { runner } = options;
    try {
      did.push(await startAsked(dependencies, { github, repository, loaded, book, runner, name, by, at }));
    } catch (thrown) {
      fault ??= thrown;
    }
  }
  for (const entry of Object.values(book.entries)) entry.showsActive = await isActive(store, entry.runId);
  book.shows = { work: await workSignature(dependencies, repository.id), at: now };
  await writeBook(store, repository.id, book);
  await showDashboard(dependencies, { repository, book, controls, loaded });
  if (fault !== null) throw fault;
  return did.length === 0 ? null : did.join(", ");
}

function isAsked(book: ScheduleBook, controls: ScheduleControls, name: string): boolean {
  const at = namedIn(controls.asked, name)?.at;
  return at !== undefined && at > (namedIn(book.entries, name)?.askedAt ?? 0);
}

/** Starts schedules that an operator asked for outside their times. */
async function startAsked(
  dependencies: Dependencies,
  given: Omit<Parameters<typeof start>[1], "one"> & { name: string; by: Actor; at: number },
): Promise<string> {
  const { repository, loaded, book, name, by, at } = given;
  const entry = namedIn(book.entries, name);
  const rule = loaded.settings.schedules.find((one) => one.name === name);
  if (entry === undefined || rule === undefined || book.dashboard === null) return `lost ${name}`;
  try {
    entry.runId = await beginRule({
      ...given,
      dependencies,
      rule,
      thread: book.dashboard,
      actor: by,
      commentId: null,
      operationKey: `${occurrenceKey(repository.id, name, at)}:asked`,
      startedBy: { kind: "schedule", name, at, late: false, missed: 0 },
    });
    Object.assign(entry, { askedAt: at, problem: null });
    return `ran ${name}`;
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw thrown;
    Object.assign(entry, { askedAt: at, problem: `It could not be run: ${error.message}` });
    return `refused ${name}`;
  }
}

async function start(
  dependencies: Dependencies,
  given: {
    github: Github;
    repository: Repository;
    loaded: LoadedSettings;
    book: ScheduleBook;
    one: DueOccurrence;
    runner: Pick<Runner, "wake">;
  },
): Promise<string> {
  const { repository, loaded, book, one } = given;
  const entry = namedIn(book.entries, one.name);
  const rule = loaded.settings.schedules.find(({ name }) => name === one.name);
  if (entry === undefined || rule === undefined || book.dashboard === null) return `lost ${one.name}`;
  const operationKey = occurrenceKey(repository.id, one.name, one.occurrence);
  const runId = runIdOf(operationKey);
  const letGo = (problem: string | null): void => {
    Object.assign(entry, { last: one.occurrence, queued: null, problem });
  };
  // Baton lost the end of this start, but the run exists (SS1).
  if ((await dependencies.store.run(runId)) !== null) {
    letGo(null);
    entry.runId = runId;
    return `found ${one.name}`;
  }
  if (one.what === "wait") {
    entry.queued = one.occurrence;
    entry.problem = "It waits for its run before to end.";
    return `queued ${one.name}`;
  }
  if (one.what === "skip") {
    letGo(
      one.reason === "overlap"
        ? "Its last time was skipped: the run before it is still active."
        : "Its last time was missed, and `catchUp: none` runs no missed time.",
    );
    return `skipped ${one.name}`;
  }
  try {
    await beginRule({
      ...given,
      dependencies,
      rule,
      thread: book.dashboard,
      actor: "authors",
      commentId: null,
      operationKey,
      startedBy: { kind: "schedule", name: one.name, at: one.occurrence, late: one.late, missed: one.missed },
    });
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw thrown;
    dependencies.log.warn("A schedule could not start", { schedule: one.name, error });
    letGo(`Paused until its next time: ${error.message} ${errorCatalogue[error.code].remedy}`);
    return `refused ${one.name}`;
  }
  letGo(null);
  entry.runId = runId;
  return `started ${one.name}`;
}

async function dueOf(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  given: { repositoryId: number; book: ScheduleBook; controls: ScheduleControls; lateAfterMs: number },
): Promise<DueOccurrence[]> {
  const { repositoryId, book, controls, lateAfterMs } = given;
  const now = clock.now();
  const running = new Set<string>();
  for (const { name } of book.rules)
    if (
      (await isActive(store, namedIn(book.entries, name)?.runId)) ||
      (await holdsSlot(store, repositoryId, book, name))
    )
      running.add(name);
  return dueOccurrences({
    rules: book.rules,
    memory: (name) => memoryOf(namedIn(book.entries, name), controls, { name, now, running: running.has(name) }),
    seed: `${repositoryId}`,
    now,
    lateAfterMs,
  });
}

/** Works also if the dashboard issue of the run is gone. */
async function isActive(store: Pick<Dependencies["store"], "run">, runId: string | null | undefined): Promise<boolean> {
  const row = runId == null ? null : await store.run(runIdSchema.parse(runId));
  return row !== null && isActiveStatus(row.status);
}

async function holdsSlot(
  store: Pick<Dependencies["store"], "activeRun">,
  repositoryId: number,
  { dashboard }: ScheduleBook,
  name: string,
): Promise<boolean> {
  return dashboard !== null && (await activeOf(store, repositoryId, dashboard, name)) !== null;
}

/** The active run of a schedule. */
export async function activeOf(
  store: Pick<Dependencies["store"], "activeRun">,
  repositoryId: number,
  dashboard: number,
  name: string,
): Promise<RunId | null> {
  const thread = { repository: { id: repositoryId } as Repository, number: dashboard, kind: "issue" as const };
  return store.activeRun(ruleSlot(threadKeyOf({ thread }), name));
}

function ruleOf({ name, cron, timeZone, overlap, catchUp, jitterMinutes }: ScheduleRule): ScheduleRule {
  return { name, cron, timeZone, overlap, catchUp, jitterMinutes };
}

/** A rule that is new or has other times begins now. Baton forgets a rule that is gone. */
function entriesOf(rules: readonly ScheduleRule[], before: ScheduleBook, now: number): Record<string, BookEntry> {
  return Object.fromEntries(
    rules.map(({ name, cron, timeZone }) => {
      const rule = `${cron} ${timeZone}`;
      const known = namedIn(before.entries, name);
      const fresh = {
        rule,
        since: now,
        last: null,
        queued: null,
        runId: null,
        problem: null,
        askedAt: null,
        showsActive: false,
      };
      if (known?.rule === rule) return [name, { ...known }];
      // A request from before this rule was for another one. A changed rule keeps the requests that it has answered.
      return [name, { ...fresh, runId: known?.runId ?? null, askedAt: known === undefined ? now : known.askedAt }];
    }),
  );
}

/** All contents of the dashboard, from the book and the runs. */
export async function dashboardOf(
  dependencies: Pick<Dependencies, "store" | "clock" | "owner" | "activeElsewhere">,
  given: { repository: Repository; book: ScheduleBook; controls: ScheduleControls; loaded: LoadedSettings },
): Promise<Dashboard> {
  const { store, clock } = dependencies;
  const { repository, book, controls, loaded } = given;
  const now = clock.now();
  const month = dayOf(now, "UTC").name.slice(0, 7);
  const ledger = await store.ledger({ repositoryId: repository.id, since: Date.parse(`${month}-01T00:00:00Z`) });
  const rules = new Map(loaded.settings.schedules.map((rule) => [rule.name, rule]));
  const schedules = [];
  for (const rule of book.rules) {
    const entry = namedIn(book.entries, rule.name);
    const memory = memoryOf(entry, controls, { name: rule.name, now, running: false });
    const runs = [entry?.runId, namedIn(controls.started, rule.name)].filter((id) => id != null);
    const found = await Promise.all(runs.map((id) => runOf(store, id)));
    const [last = null] = found.filter((one) => one !== null).toSorted((a, b) => b.at - a.at);
    schedules.push({
      ...rule,
      process: rules.get(rule.name)?.process ?? "?",
      next: nextStart(rule, memory, `${repository.id}`, now),
      pausedBy: pausedBy(controls, rule.name),
      problem: entry?.problem ?? null,
      last,
    });
  }
  return {
    work: await dashboardWork(dependencies, repository),
    schedules,
    problem:
      loaded.problems.length === 0
        ? null
        : `\`${loaded.path ?? "baton.yaml"}\` has ${loaded.problems.length} ${loaded.problems.length === 1 ? "error" : "errors"}. Run \`baton config check\`, and correct the file.`,
    sweeps: await sweepBoard(dependencies, repository, loaded.settings),
    notice: book.notice,
    spentThisMonthUsd: ledger.filter(({ kind }) => kind === "settle").reduce((sum, { usd }) => sum + usd, 0),
  };
}

async function runOf(store: Pick<Dependencies["store"], "run" | "ledger">, id: string): Promise<DashboardRun | null> {
  const parsed = runIdSchema.safeParse(id);
  const row = parsed.success ? await store.run(parsed.data) : null;
  if (row === null) return null;
  const ledger = await store.ledger({ runId: row.runId });
  const spentUsd = ledger.filter(({ kind }) => kind === "settle").reduce((sum, { usd }) => sum + usd, 0);
  return { at: row.createdAt, runId: row.runId, status: row.status, spentUsd };
}

/** Puts the correct dashboard into the outbox. The outbox does not write a text again that GitHub already has. */
export async function showDashboard(
  dependencies: Dependencies,
  given: {
    repository: Repository;
    book: ScheduleBook;
    controls: ScheduleControls;
    loaded: LoadedSettings;
    /** Makes the row differ from the last one after somebody changed the dashboard. */
    again?: string;
  },
): Promise<void> {
  const { repository, book, again = "" } = given;
  if (book.dashboard === null) return;
  const body = dependencies.redact(renderDashboard(await dashboardOf(dependencies, given)));
  const row = outboxRow({
    operationKey: dashboardMarker(repository.id),
    repository,
    kind: "issue",
    payload: { number: book.dashboard, title: dashboardTitle, body },
    priority: 70,
    content: `${book.dashboard}\n${body}${again === "" ? "" : `\n${again}`}`,
  });
  await dependencies.store.write({ outbox: [row] });
}
