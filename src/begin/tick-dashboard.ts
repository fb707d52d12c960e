/**
 * An edit of the dashboard issue: boxes that somebody ticked, by the permission of the person who made the edit.
 *
 * TD1 Only the issue that Baton wrote counts, whatever marker another issue carries.
 * TD2 Baton writes the correct text again, whatever else the edit changed.
 * TD3 A tick to propose starts a sweep for it. If a sweep is active, the next one proposes it first.
 */
import { BatonError, hasCode, toBatonError } from "../core/errors.ts";
import type { Actor, Repository } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import { isServed } from "../policy/served-owners.ts";
import type { Github } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { readBook, readControls } from "../runner/schedule-book.ts";
import { changeSweepBook, endProposal, withTicks } from "../runner/sweep-book.ts";
import { type Tick, ticksIn } from "../thread/dashboard-ticks.ts";
import { actorOf, listedBots } from "./bots.ts";
import { dashboardMarker } from "./open-dashboard.ts";
import { beginRule } from "./rule-run.ts";
import { showDashboard } from "./start-due.ts";

export interface DashboardEdit {
  repository: Repository;
  number: number;
  sender: { id: number; login: string; kind: "user" | "bot" };
  before: string;
  after: string;
  /** GitHub's time of the edit, so that a delivery that Baton handles twice starts one sweep. */
  at: number;
}

/** The name that runs of ticks have, next to the names of schedules. */
const tickedName = "ticked";

/** Returns a sentence about what it did. */
export async function tickDashboard(
  dependencies: Dependencies,
  runner: Pick<Runner, "wake">,
  edit: DashboardEdit,
): Promise<string> {
  const { store, clock, owners } = dependencies;
  const { repository, number, sender } = edit;
  if (!isServed(owners, repository.owner)) return `${repository.owner} is not among BATON_OWNERS`;
  const { bot } = await dependencies.github.identity();
  if (sender.id === bot.id) return "own edit";
  const github = await dependencies.github.installation(repository.installationId);
  const book = await readBook(store, repository.id);
  // TD1
  if ((await github.ownIssue(repository, dashboardMarker(repository.id), number)) !== number)
    return "an issue that is not the dashboard";
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const ticks = ticksIn(edit.before, edit.after);
  const said =
    ticks.length === 0 ? "nothing was ticked" : await carryOut(dependencies, { runner, github, loaded, edit, ticks });
  const shown = { repository, book: { ...book, dashboard: number, repository }, loaded };
  const controls = await readControls(store, repository.id);
  // TD2: the text that the outbox last wrote is no longer there.
  await showDashboard(dependencies, { ...shown, controls, again: `${sender.id}/${clock.now()}` });
  return said;
}

/** Somebody merged or closed a proposal of a sweep. It counts from now on, and the dashboard says so. */
export async function noteDecision(
  dependencies: Dependencies,
  decided: { repository: Repository; number: number; end: "merged" | "closed"; at: string | null },
): Promise<void> {
  const { store, clock } = dependencies;
  const { repository, number: pullRequest, end, at } = decided;
  const time = at === null ? Number.NaN : Date.parse(at);
  const ended = { pullRequest, end, at: Number.isNaN(time) ? clock.now() : time };
  if (!(await endProposal(dependencies, repository.id, ended))) return;
  const book = await readBook(store, repository.id);
  if (book.dashboard === null) return;
  const github = await dependencies.github.installation(repository.installationId);
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const controls = await readControls(store, repository.id);
  await showDashboard(dependencies, { repository, book, controls, loaded });
}

async function carryOut(
  dependencies: Dependencies,
  given: { runner: Pick<Runner, "wake">; github: Github; loaded: LoadedSettings; edit: DashboardEdit; ticks: Tick[] },
): Promise<string> {
  const { github, loaded, edit, ticks } = given;
  const { repository, sender } = edit;
  if (loaded.problems.length > 0) return "the configuration has errors";
  const actor = await actorOf(github, { repository, author: sender }, listedBots(loaded.settings));
  const { bot } = await dependencies.github.identity();
  const verdict = decideCommand({
    command: "run",
    actor,
    ownUserId: bot.id,
    needs: "run",
    headIsFork: false,
    worksOnHead: true,
    settings: loaded.settings,
  });
  if (verdict.status !== "passed") return `not counted: ${verdict.reason}`;
  await changeSweepBook(dependencies, repository.id, (book) => withTicks(book, ticks, `@${sender.login}`, edit.at));
  const counted = `@${sender.login} ticked ${ticks.map(({ action, id }) => `${action} ${id}`).join(", ")}`;
  if (!ticks.some(({ action }) => action === "propose")) return counted;
  return `${counted}; ${await propose(dependencies, given, actor)}`;
}

async function propose(
  dependencies: Dependencies,
  { runner, github, loaded, edit, ticks }: Parameters<typeof carryOut>[1],
  actor: Actor,
): Promise<string> {
  const { repository, number, at } = edit;
  try {
    const runId = await beginRule({
      dependencies,
      runner,
      github,
      repository,
      loaded,
      // A person asked for it.
      rule: { process: "sweep", with: {}, budgetUsd: null, harness: null, priority: "normal" },
      thread: number,
      actor,
      commentId: null,
      operationKey: `tick:${repository.id}:${ticks.map(({ id }) => id).join(",")}:${at}`,
      startedBy: { kind: "schedule", name: tickedName, at, late: false, missed: 0 },
    });
    return `started ${runId}`;
  } catch (thrown) {
    // TD3
    if (hasCode(thrown, "BATON_RUN_ACTIVE")) return "a sweep is at work; the next one takes them first";
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw error;
    if (error instanceof BatonError) return `no sweep started: ${error.message} (${error.code})`;
    throw error;
  }
}
