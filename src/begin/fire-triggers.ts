/**
 * Starts the processes that rules of `triggers` name for an event.
 *
 * FT1 The person who caused the event needs the permission that the command would need, read from GitHub now.
 * FT7 A rule may be open to contributors and bots (`openTo`), for a process that changes nothing. Then the run has the
 *     permission of the rule's authors.
 * FT2 Baton judges one event of a repository at a time, so a storm of events cannot pass the bound.
 * FT3 A repository at its bound costs no call: Baton counts its events and starts nothing.
 * FT4 A rule starts one run for an event. Another event with the same key starts no second one.
 * FT5 Baton remembers a start before its run begins. If Baton stops in between, the start still counts and is not repeated.
 * FT6 Baton renews the lease while GitHub answers. Without the lease, Baton creates no run and writes nothing.
 */
import type { Settings, TriggerSettings } from "../config/schema.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import { type Actor, type Json, jsonSchema, type Repository, shortRunId, type Verdict } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import { isServed } from "../policy/served-owners.ts";
import type { Github } from "../ports/github.ts";
import { changeValue } from "../runner/change-value.ts";
import { runIdOf } from "../runner/create-run.ts";
import type { Dependencies, SharedValues } from "../runner/dependencies.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { readBook, rulesChangedAt } from "../runner/schedule-book.ts";
import {
  decisionLines,
  isChainUnknown,
  isFull,
  isRefusedTooOften,
  memoryIn,
  type TriggerMemory,
  triggerMemory,
  triggersHeld,
  withDecision,
  withFolded,
  withRefusal,
  withStart,
} from "../runner/trigger-memory.ts";
import { type Held, underLease } from "../runner/under-lease.ts";
import type { TriggerEvent } from "../trigger/event.ts";
import {
  causeText,
  conditionNames,
  isOpenTo,
  judgeEvent,
  judgeStart,
  type PastStart,
  scopeOf,
  startsFor,
} from "../trigger/judge.ts";
import { fillText, parseTemplate } from "../workflow/template.ts";
import { actorOf, listedBots } from "./bots.ts";
import { demandPlaceOf } from "./demand-place.ts";
import { openDashboard } from "./open-dashboard.ts";
import { beginRule, demandRule } from "./rule-run.ts";
import { workOf } from "./work-of.ts";

const leaseMs = 60_000;
const pauseMs = 100;
const patienceMs = 30_000;

/** A rule's answer to an event, before Baton counts or starts anything. */
export interface RuleJudgement {
  rule: TriggerSettings;
  starts: boolean;
  reason: string;
}

/** Why Baton passes an event over before it reads the rules. null: read the rules. */
async function passedOver(
  { github, owners }: Pick<Dependencies, "github" | "owners">,
  { repository, sender }: TriggerEvent,
): Promise<string | null> {
  if (!isServed(owners, repository.owner)) return `${repository.owner} is not among BATON_OWNERS`;
  const { bot } = await github.identity();
  // Baton's own events belong to a run, whose limits bound it already.
  return sender?.id === bot.id ? "own event" : null;
}

/** For the job that only reads: the answer of every rule about the event, by the same rules as `fireTriggers`. */
export async function judgeRules(
  dependencies: Pick<Dependencies, "github" | "owners" | "processes">,
  github: Github,
  loaded: LoadedSettings,
  given: TriggerEvent,
): Promise<RuleJudgement[]> {
  const rules = loaded.settings.triggers.filter(({ on }) => on === given.on);
  if (rules.length === 0 || loaded.problems.length > 0) return [];
  if ((await passedOver(dependencies, given)) !== null) return [];
  const event = await withPaths(github, given, rules);
  const { bot } = await dependencies.github.identity();
  let asked: Promise<Verdict> | null = null;
  return Promise.all(
    rules.map(async (rule): Promise<RuleJudgement> => {
      const condition = judgeEvent(rule, event);
      if (!condition.holds) return { rule, starts: false, reason: condition.reason };
      asked ??= mayStart(github, event, loaded, bot.id).catch(refusalOf);
      const verdict = await asked;
      const isAllowed = verdict.status === "passed";
      if (!isAllowed && !isOpenTo(rule, event)) return { rule, starts: false, reason: verdict.reason };
      const reason = isAllowed ? verdict.reason : `The rule is open to @${event.sender?.login ?? ""}.`;
      // The job that works opens the dashboard issue first. A rule that starts nothing must not lead to that.
      const refused = given.thread === null ? await refusalOfRule(dependencies, { github, loaded, event, rule }) : null;
      return { rule, starts: refused === null, reason: refused ?? reason };
    }),
  );
}

async function refusalOfRule(
  dependencies: Pick<Dependencies, "processes">,
  { github, loaded, event, rule }: Pick<Firing, "github" | "loaded" | "event" | "rule">,
): Promise<string | null> {
  try {
    const { found } = await demandRule(dependencies, { github, repository: event.repository, loaded, rule });
    demandPlaceOf(dependencies.processes, found.definition, null);
    return null;
  } catch (thrown) {
    return refusalOf(thrown).reason;
  }
}

function refusalOf(thrown: unknown): Verdict {
  const error = toBatonError(thrown);
  if (error.treatment === "retryable") throw thrown;
  return { name: "trigger", status: "failed", reason: error.message, evidence: [], children: [] };
}

/** Returns a sentence about what it did. `dashboard`: number of the dashboard issue, if the caller knows it. */
export async function fireTriggers(
  dependencies: Dependencies,
  runner: Pick<Runner, "wake">,
  given: TriggerEvent,
  dashboard: number | null = null,
): Promise<string> {
  const { repository } = given;
  const passed = await passedOver(dependencies, given);
  if (passed !== null) return passed;
  if (!(await mayListen(dependencies, given))) return "no trigger is about it";
  const bound = await boundReached(dependencies, given);
  if (bound !== null) return bound;
  const github = await dependencies.github.installation(repository.installationId);
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const rules = loaded.settings.triggers.filter(({ on }) => on === given.on);
  if (rules.length === 0) return "no trigger is about it";
  if (loaded.problems.length > 0) return "the configuration has errors";
  const event = await withPaths(github, given, rules);
  return alone(dependencies, repository, async (held) => {
    const did: string[] = [];
    for (const rule of rules)
      did.push(await fire(dependencies, { runner, github, loaded, event, rule, dashboard, held }));
    return did.join(", ");
  });
}

/** FT3: the count has a value of its own. null: there is room. */
async function boundReached(
  dependencies: Pick<Dependencies, "store" | "shared" | "clock">,
  { repository: { id }, sender }: TriggerEvent,
): Promise<string | null> {
  const now = dependencies.clock.now();
  const shared = sharedOf(dependencies);
  const memory = await readMemory(dependencies, id);
  const full = isFull(memory, now);
  if (!full && (sender === null || !isRefusedTooOften(memory, sender.login, now))) return null;
  const { name, schema } = triggersHeld.at(id);
  await shared.change(name, (held) => schema.parse(held) + 1);
  // Baton writes down since when the value was unreadable, so that this state ends (TM1).
  if (memory.unreadAt === now)
    await shared.change(triggerMemory.at(id).name, (before) => memoryIn(before, now) as unknown as Json);
  return full ? "triggers are at their limit" : `events of @${sender?.login ?? ""} were refused too often`;
}

/** FT2, FT6 */
async function alone<T>(
  { store, clock, owner }: Dependencies,
  { id }: Pick<Repository, "id">,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const lease = { name: `triggers:${id}`, owner, forMs: leaseMs, retryMs: pauseMs, patienceMs };
  return underLease({ store, clock }, lease, work);
}

/** The files of a push that does not list them in its event. */
async function withPaths(
  github: Github,
  event: TriggerEvent,
  rules: readonly TriggerSettings[],
): Promise<TriggerEvent> {
  if (event.between === null || rules.every((rule) => startsFor(rule).length === 0)) return event;
  return { ...event, between: null, paths: await github.changedPaths(event.repository, event.between) };
}

interface Firing {
  runner: Pick<Runner, "wake">;
  github: Github;
  loaded: LoadedSettings;
  event: TriggerEvent;
  rule: TriggerSettings;
  dashboard: number | null;
  held: Held;
}

async function fire(dependencies: Dependencies, firing: Firing): Promise<string> {
  const { store, clock } = dependencies;
  const { github, event, rule } = firing;
  const { repository } = event;
  const thread = event.thread?.number ?? null;
  const shared = sharedOf(dependencies, () => firing.held.demand());
  const change = (
    said: string | null,
    apply: (memory: TriggerMemory) => TriggerMemory = (memory) => memory,
  ): Promise<void> =>
    shared.change(triggerMemory.at(repository.id).name, (before) => {
      const now = clock.now();
      const memory = apply(memoryIn(before, now));
      const decision = { at: now, rule: rule.name, event: event.on, thread, said: said ?? "" };
      return (said === null ? memory : withDecision(memory, decision)) as unknown as Json;
    });
  const decide = async (...given: Parameters<typeof change>): Promise<string> => {
    await change(...given);
    return `${rule.name}: ${given[0] ?? ""}`;
  };
  const condition = judgeEvent(rule, event);
  if (!condition.holds) return decide(condition.reason);
  let operationKey: string;
  try {
    operationKey = `trigger:${repository.id}:${rule.name}:${keyOf(rule, event)}`;
  } catch (thrown) {
    return decide(`Its \`key\` cannot be evaluated, so it counts as false: ${toBatonError(thrown).message}`);
  }
  const runId = runIdOf(operationKey);
  if ((await store.run(runId)) !== null) return decide(`It started \`${shortRunId(runId)}\` before.`);
  const actor = event.sender?.login ?? "";
  const question = {
    rule,
    event: { thread, actor, byBot: event.sender?.kind === "bot" },
    related: await relatedTo(dependencies, github, event),
    now: clock.now(),
    money: {
      wantUsd: rule.budgetUsd ?? firing.loaded.settings.budget.runUsd,
      chainUsd: firing.loaded.settings.budget.maxUsd,
    },
  };
  // FT5: the write itself judges, so that two jobs at the same time do not both find room.
  const judged: { answer?: ReturnType<typeof judgeStart>; known?: PastStart } = {};
  await change(null, (memory) => {
    const known = memory.starts.find((one) => one.runId === runId);
    if (known !== undefined) {
      judged.known = known;
      return memory;
    }
    const answer: ReturnType<typeof judgeStart> =
      question.event.byBot && isChainUnknown(memory, question.now)
        ? { start: false, why: "loop", reason: unknownChain }
        : judgeStart({ ...question, past: memory.starts });
    judged.answer = answer;
    if (!answer.start) return withFolded(memory, rule.name);
    const { depth, parent, budgetUsd } = answer;
    return withStart(memory, { rule: rule.name, runId, at: question.now, thread, actor, depth, parent, budgetUsd });
  });
  if (judged.answer?.start === false) return decide(judged.answer.reason);
  // A job sees only the journals of its own thread.
  if (judged.known !== undefined && judged.known.thread !== thread)
    return decide(`It started \`${shortRunId(runId)}\` before.`);
  try {
    const budgetUsd = judged.known === undefined ? judged.answer?.budgetUsd : judged.known.budgetUsd;
    const granted = budgetUsd === undefined ? rule : { ...rule, budgetUsd };
    await begin(dependencies, { ...firing, rule: granted }, operationKey);
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw thrown;
    return decide(`Refused: ${error.message} (${error.code})`, (memory) =>
      withRefusal(memory, runId, { at: clock.now(), actor }),
    );
  }
  return decide(`Started \`${shortRunId(runId)}\`, caused by ${causeText(actor)}.`);
}

const unknownChain =
  "The record of earlier starts cannot be read. Events by bots start nothing until a day has passed.";

/** Whether the person who caused the event may run the process that it would start. */
async function mayStart(
  github: Github,
  event: TriggerEvent,
  { settings }: LoadedSettings,
  ownUserId: number,
): Promise<Verdict> {
  demandPlace(event, settings);
  const { repository, thread } = event;
  const pullRequest = thread?.kind === "pull-request" ? await github.pullRequest(repository, thread.number) : null;
  return decideCommand({
    command: "run",
    actor: await causedBy(github, event, settings),
    ownUserId,
    needs: "run",
    headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== repository.id,
    worksOnHead: true,
    settings,
  });
}

function demandPlace({ thread, on }: TriggerEvent, { dashboard }: Settings): void {
  if (thread === null && !dashboard)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `\`${on}\` belongs to no thread, and \`dashboard: false\` leaves it none.`,
    );
}

async function begin(dependencies: Dependencies, firing: Firing, operationKey: string): Promise<void> {
  const { runner, github, loaded, event, rule, held } = firing;
  const { repository, thread, sender } = event;
  demandPlace(event, loaded.settings);
  const isOpen = isOpenTo(rule, event) && (await isRefused(dependencies, firing));
  await beginRule({
    dependencies,
    runner,
    github,
    repository,
    loaded,
    rule,
    thread:
      thread?.number ??
      firing.dashboard ??
      (async () => {
        const { dashboard } = await readBook(dependencies.store, repository.id);
        return openDashboard(dependencies, github, repository, dashboard);
      }),
    actor: sender === null || isOpen ? "authors" : await causedBy(github, event, loaded.settings),
    changesNothing: isOpen,
    commentId: null,
    operationKey,
    startedBy: {
      kind: "trigger",
      name: rule.name,
      on: event.on,
      at: dependencies.clock.now(),
      inDashboard: thread === null,
    },
    holds: held.lease,
  });
}

/** Whether the person who caused the event may not start the rule themselves. */
async function isRefused(
  { github: app }: Pick<Dependencies, "github">,
  { github, event, loaded }: Pick<Firing, "github" | "event" | "loaded">,
): Promise<boolean> {
  const { bot } = await app.identity();
  return (await mayStart(github, event, loaded, bot.id).catch(refusalOf)).status !== "passed";
}

/** The result of CI counts as an event by the person who pushed the commit. */
async function causedBy(
  github: Github,
  { repository, sender, pushed }: TriggerEvent,
  settings: Settings,
): Promise<Actor> {
  if (sender === null) throw new BatonError("BATON_POLICY_DENIED", "Nobody of GitHub caused this event.");
  if (pushed === null) return actorOf(github, { repository, author: sender }, listedBots(settings));
  const pusher = await github.pusher(repository, repository.defaultBranch, pushed);
  if (pusher === null)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `GitHub does not say who brought ${pushed.slice(0, 7)}, so nobody's permission counts.`,
    );
  return github.actor(repository, pusher);
}

/** A pull request by Baton and its issue are one chain. */
async function relatedTo(
  { github: app }: Pick<Dependencies, "github">,
  github: Github,
  { repository, thread }: TriggerEvent,
): Promise<number[]> {
  if (thread?.kind !== "pull-request") return [];
  const { bot } = await app.identity();
  const issue = workOf(await github.pullRequest(repository, thread.number), bot.id);
  return issue === null ? [] : [issue];
}

function keyOf({ key }: TriggerSettings, event: TriggerEvent): string {
  if (key === null) return `${event.on}:${event.key}`;
  return fillText(parseTemplate(key, conditionNames).template, scopeOf(event)).slice(0, 500);
}

/** In an App, one process at a time changes a value. A holder that lost its lease writes nothing (FT6). */
function sharedOf(
  { shared, store, clock }: Pick<Dependencies, "shared" | "store" | "clock">,
  stillHolds: () => Promise<void> = async () => {},
): SharedValues {
  return (
    shared ?? {
      value: (name) => store.value(name),
      change: async (name, apply) => {
        await stillHolds();
        await changeValue<Json>({ store, clock }, { name, schema: jsonSchema }, apply);
      },
    }
  );
}

async function readMemory(
  dependencies: Pick<Dependencies, "shared" | "store" | "clock">,
  repositoryId: number,
): Promise<TriggerMemory> {
  const value = await sharedOf(dependencies).value(triggerMemory.at(repositoryId).name);
  return memoryIn(value, dependencies.clock.now());
}

/** For a job that only reads: whether rules start nothing more within this hour. */
export async function triggersAreFull(shared: Pick<SharedValues, "value">, id: number, now: number): Promise<boolean> {
  return isFull(memoryIn(await shared.value(triggerMemory.at(id).name), now), now);
}

/** Whether a rule may be about the event, by the last reading. Most events in most repositories cost no call. */
async function mayListen(
  { store, shared }: Pick<Dependencies, "store" | "shared">,
  { repository, on }: TriggerEvent,
): Promise<boolean> {
  // A job has read the rules moments ago, and changes of the rules do not reach a thread's state.
  if (shared !== undefined) return true;
  const { readAt, listens } = await readBook(store, repository.id);
  return readAt === 0 || listens.includes(on) || (await rulesChangedAt(store, repository.id)) >= readAt;
}

/** Decisions of rules about events of a thread, newest first. null: about events without a thread. For `/baton why`. */
export async function triggerDecisions(
  dependencies: Pick<Dependencies, "store" | "shared" | "clock">,
  { id }: Pick<Repository, "id">,
  thread: number | null,
): Promise<string[]> {
  const held = triggersHeld.at(id).schema.parse(await sharedOf(dependencies).value(triggersHeld.at(id).name));
  return decisionLines(await readMemory(dependencies, id), held, thread);
}
