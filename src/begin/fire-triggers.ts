/**
 * Starts what rules of `triggers` say of an event.
 *
 * FT1 Who caused the event needs the permission that the command would have needed, read from GitHub now.
 * FT2 An event is judged for one repository at a time, so that a storm cannot pass its bound between two looks.
 * FT3 A repository at its bound costs no call: its events are counted and start nothing.
 * FT4 The same event, or another with the same key, starts one run of a rule.
 * FT5 A start is remembered before its run begins, so that whatever ends in between still counts, and is not repeated.
 */
import { z } from "zod";
import type { TriggerSettings } from "../config/schema.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Actor, Json, Repository, Verdict } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import type { Github, PullRequestFacts } from "../ports/github.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { runIdOf } from "../runner/create-run.ts";
import type { Dependencies, SharedValues } from "../runner/dependencies.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { readBook, rulesChangedAt } from "../runner/schedule-book.ts";
import type { TriggerEvent } from "../trigger/event.ts";
import { conditionNames, judgeEvent, judgeStart, type PastStart, scopeOf } from "../trigger/judge.ts";
import { fillText, parseTemplate } from "../workflow/template.ts";
import { beginRun, repositoryProcesses } from "./begin-run.ts";
import { actorOf, listedBots } from "./bots.ts";
import { demandPlaceOf } from "./demand-place.ts";
import { ruleAuthor } from "./scheduled-run.ts";
import { openDashboard } from "./start-due.ts";
import { workOf } from "./work-of.ts";

const startSchema = z.object({
  rule: z.string(),
  runId: z.string(),
  at: z.number(),
  thread: z.number().nullable(),
  actor: z.string(),
  depth: z.number(),
  parent: z.string().nullable(),
});
const decisionSchema = z.object({
  at: z.number(),
  rule: z.string(),
  event: z.string(),
  thread: z.number().nullable(),
  said: z.string(),
});
const memorySchema = z.object({
  starts: z.array(startSchema),
  /** Events that started nothing because of a bound, by rule. */
  folded: z.record(z.string(), z.number()),
  /** The newest, for `/baton why`. */
  decisions: z.array(decisionSchema),
});
type Memory = z.infer<typeof memorySchema>;

const decisionsMax = 100;
const leaseMs = 60_000;
const pauseMs = 100;
const patienceMs = 30_000;

/** What a rule makes of an event, before anything is counted or started. */
export interface RuleJudgement {
  rule: TriggerSettings;
  starts: boolean;
  reason: string;
}

/** What an event has to do with anything before its rules are read. null: read them. */
async function passedOver(
  { github, owners = null }: Pick<Dependencies, "github" | "owners">,
  { repository, sender }: TriggerEvent,
): Promise<string | null> {
  if (owners !== null && !owners.includes(repository.owner.toLowerCase()))
    return `${repository.owner} is not among BATON_OWNERS`;
  const { bot } = await github.identity();
  // What Baton itself did is the work of a run that is bounded by its own limits.
  return sender?.id === bot.id ? "own event" : null;
}

/** For the job that only reads: what every rule that is about the event says of it, by the same rules as `fireTriggers`. */
export async function judgeRules(
  dependencies: Pick<Dependencies, "github" | "owners">,
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
      asked ??= mayStart(github, event, loaded, bot.id).then(({ verdict }) => verdict, refusalOf);
      const verdict = await asked;
      return { rule, starts: verdict.status === "passed", reason: verdict.reason };
    }),
  );
}

function refusalOf(thrown: unknown): Verdict {
  const error = toBatonError(thrown);
  if (error.treatment === "retryable") throw thrown;
  return { name: "trigger", status: "failed", reason: error.message, evidence: [], children: [] };
}

/** Returns what it did, in words. `dashboard`: number of the dashboard issue, where it is known from elsewhere. */
export async function fireTriggers(
  dependencies: Dependencies,
  runner: Pick<Runner, "wake">,
  given: TriggerEvent,
  dashboard: number | null = null,
): Promise<string> {
  const { store, clock, owner, random } = dependencies;
  const { repository } = given;
  const passed = await passedOver(dependencies, given);
  if (passed !== null) return passed;
  if (!(await mayListen(dependencies, given))) return "no trigger is about it";
  if (isFull(await readMemory(dependencies, repository.id), clock.now())) {
    // FT3: in a value of its own, and not exact under contention, which nobody needs.
    const count = (held: Json | null): Json => heldIn(held) + 1;
    await sharedOf(dependencies).change(heldName(repository.id), count);
    return "triggers are at their limit";
  }
  const github = await dependencies.github.installation(repository.installationId);
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const rules = loaded.settings.triggers.filter(({ on }) => on === given.on);
  if (rules.length === 0) return "no trigger is about it";
  if (loaded.problems.length > 0) return "the configuration has errors";
  const event = await withPaths(github, given, rules);
  // FT2
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const lease = await store.acquireLease(
      `triggers:${repository.id}`,
      `${owner}/${random.ulid(clock.now())}`,
      clock.now(),
      leaseMs,
    );
    if (lease === null) {
      if (clock.now() > deadline)
        throw new BatonError("BATON_LEASE_LOST", "Other events of this repository are being judged.");
      await clock.sleepUntil(clock.now() + pauseMs);
      continue;
    }
    try {
      const did: string[] = [];
      for (const rule of rules) did.push(await fire(dependencies, { runner, github, loaded, event, rule, dashboard }));
      return did.join(", ");
    } finally {
      await store.releaseLease(lease);
    }
  }
}

/** The files of a push that the event does not name. */
async function withPaths(
  github: Github,
  event: TriggerEvent,
  rules: readonly TriggerSettings[],
): Promise<TriggerEvent> {
  if (event.between === null || rules.every(({ paths }) => paths.length === 0)) return event;
  return { ...event, between: null, paths: await github.changedPaths(event.repository, event.between) };
}

interface Firing {
  runner: Pick<Runner, "wake">;
  github: Github;
  loaded: LoadedSettings;
  event: TriggerEvent;
  rule: TriggerSettings;
  dashboard: number | null;
}

async function fire(dependencies: Dependencies, firing: Firing): Promise<string> {
  const { store, clock } = dependencies;
  const { github, event, rule } = firing;
  const { repository } = event;
  const thread = event.thread?.number ?? null;
  const shared = sharedOf(dependencies);
  const change = (said: string | null, apply: (memory: Memory) => Memory = (memory) => memory): Promise<void> =>
    shared.change(memoryName(repository.id), (before) => {
      const memory = apply(memoryIn(before));
      if (said === null) return memory as unknown as Json;
      const decision = { at: clock.now(), rule: rule.name, event: event.on, thread, said };
      return { ...memory, decisions: [...memory.decisions, decision].slice(-decisionsMax) } as unknown as Json;
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
  if ((await store.run(runId)) !== null) return decide(`It started \`${runId}\` before.`);
  const actor = event.sender?.login ?? rule.name;
  const question = {
    rule,
    event: { thread, actor, byBot: event.sender?.kind === "bot" },
    related: await relatedTo(dependencies, github, event),
    now: clock.now(),
  };
  // FT5: judged where it is written, so that two jobs that judge at once do not both find room.
  const judged: { answer?: ReturnType<typeof judgeStart>; known?: PastStart } = {};
  await change(null, (memory) => {
    const known = memory.starts.find((one) => one.runId === runId);
    if (known !== undefined) {
      judged.known = known;
      return memory;
    }
    const answer = judgeStart({ ...question, past: memory.starts });
    judged.answer = answer;
    if (!answer.start) return fold(memory, rule.name);
    const { depth, parent } = answer;
    const start: PastStart = { rule: rule.name, runId, at: question.now, thread, actor, depth, parent };
    return {
      ...memory,
      starts: [...memory.starts, start].filter(({ at }) => at > question.now - limits.triggerChainMs),
    };
  });
  if (judged.answer?.start === false) return decide(judged.answer.reason);
  // A job sees the journals of its own thread alone.
  if (judged.known !== undefined && judged.known.thread !== thread) return decide(`It started \`${runId}\` before.`);
  try {
    await begin(dependencies, firing, operationKey);
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw thrown;
    return decide(`Refused: ${error.message} (${error.code})`, (memory) => ({
      ...memory,
      starts: memory.starts.filter((one) => one.runId !== runId),
    }));
  }
  return decide(`Started \`${runId}\`, caused by ${event.sender === null ? "a signed request" : `@${actor}`}.`);
}

/** Who speaks for the event, and whether they may run what it would start. */
async function mayStart(
  github: Github,
  event: TriggerEvent,
  loaded: LoadedSettings,
  ownUserId: number,
): Promise<{ actor: Actor; verdict: Verdict; pullRequest: PullRequestFacts | null }> {
  const { repository } = event;
  const { settings } = loaded;
  if (event.thread === null && !settings.dashboard)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `\`${event.on}\` belongs to no thread, and \`dashboard: false\` leaves it none.`,
    );
  const actor = await causedBy(github, event, loaded);
  const pullRequest =
    event.thread?.kind === "pull-request" ? await github.pullRequest(repository, event.thread.number) : null;
  const verdict = decideCommand({
    command: "run",
    actor,
    ownUserId,
    needs: "run",
    headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== repository.id,
    worksOnHead: true,
    settings,
  });
  return { actor, verdict, pullRequest };
}

async function begin(dependencies: Dependencies, firing: Firing, operationKey: string): Promise<void> {
  const { runner, github, loaded, event, rule } = firing;
  const { repository } = event;
  const { settings } = loaded;
  const { bot } = await dependencies.github.identity();
  const { actor, verdict, pullRequest } = await mayStart(github, event, loaded, bot.id);
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
  const number =
    event.thread?.number ??
    firing.dashboard ??
    (await openDashboard(github, repository, (await readBook(dependencies.store, repository.id)).dashboard));
  const issue = await github.issue(repository, number);
  const { instructions = "", ...inputs } = rule.with;
  const context = {
    dependencies,
    runner,
    github,
    repository,
    issue,
    pullRequest,
    actor,
    commentId: null,
    writtenAt: null,
    place: "",
    settings,
    settingsSha: loaded.sha,
    configuration: loaded,
    command: { name: "run", positional: [], options: {}, text: String(instructions) },
    operationKey,
    verdict,
    run: null,
    lastRun: null,
    workOf: workOf(pullRequest, bot.id),
  };
  const found = await repositoryProcesses(context).find(rule.process);
  if (found === null) throw await repositoryProcesses(context).unknown(rule.process);
  demandPlaceOf(dependencies.processes, found.definition, pullRequest);
  await beginRun(context, {
    process: rule.process,
    harness: rule.harness === null ? null : demandHarness(rule.harness, [...dependencies.harnesses.keys()]),
    model: null,
    budgetUsd: rule.budgetUsd,
    instructions: String(instructions),
    inputs,
    retryOf: null,
    // In the dashboard each rule has a place of its own, as each schedule has.
    ...(event.thread === null
      ? { schedule: { name: rule.name, at: dependencies.clock.now(), late: false, missed: 0 } }
      : {}),
  });
}

/** CI speaks for who brought the commit, a request of no user of GitHub's for who brought the rule. */
async function causedBy(
  github: Github,
  { repository, sender, pushed }: TriggerEvent,
  loaded: LoadedSettings,
): Promise<Actor> {
  if (sender === null) return ruleAuthor(github, repository, loaded);
  if (pushed === null) return actorOf(github, { repository, author: sender }, listedBots(loaded.settings));
  const pusher = await github.pusher(repository, repository.defaultBranch, pushed);
  if (pusher === null)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `GitHub does not say who brought ${pushed.slice(0, 7)}, so nobody's permission counts.`,
    );
  return github.actor(repository, pusher);
}

/** A pull request of Baton's and its issue are one chain. */
async function relatedTo(
  { github: app }: Dependencies,
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

function fold(memory: Memory, rule: string): Memory {
  return { ...memory, folded: { ...memory.folded, [rule]: (memory.folded[rule] ?? 0) + 1 } };
}

function isFull({ starts }: Memory, now: number): boolean {
  return starts.filter(({ at }) => at > now - 3_600_000).length >= limits.triggerStartsPerHourMax;
}

/** An App judges under its lease, so that what it reads is what it changes. */
function sharedOf({ shared, store }: Pick<Dependencies, "shared" | "store">): SharedValues {
  return (
    shared ?? {
      value: (name) => store.value(name),
      change: async (name, apply) => store.setValue(name, apply(await store.value(name))),
    }
  );
}

async function readMemory(dependencies: Pick<Dependencies, "shared" | "store">, repositoryId: number): Promise<Memory> {
  return memoryIn(await sharedOf(dependencies).value(memoryName(repositoryId)));
}

function memoryIn(value: unknown): Memory {
  return memorySchema.safeParse(value).data ?? { starts: [], folded: {}, decisions: [] };
}

/** For a job that only reads: whether rules start nothing more within this hour. */
export async function triggersAreFull(shared: Pick<SharedValues, "value">, id: number, now: number): Promise<boolean> {
  return isFull(memoryIn(await shared.value(memoryName(id))), now);
}

/** Whether a rule may be about it, from what was read last: most events in most repositories cost no call. */
async function mayListen(
  { store, shared }: Pick<Dependencies, "store" | "shared">,
  { repository, on }: TriggerEvent,
): Promise<boolean> {
  // A job has read the rules just now, and a thread's state does not hear of their change.
  if (shared !== undefined) return true;
  const { readAt, listens } = await readBook(store, repository.id);
  return readAt === 0 || listens.includes(on) || (await rulesChangedAt(store, repository.id)) >= readAt;
}

function heldIn(value: unknown): number {
  return z.number().catch(0).parse(value);
}

function heldName(repositoryId: number): string {
  return `triggers/${repositoryId}/held`;
}

function memoryName(repositoryId: number): string {
  return `triggers/${repositoryId}`;
}

/** What rules decided about events of a thread, newest first: for `/baton why`. */
export async function triggerDecisions(
  dependencies: Pick<Dependencies, "store" | "shared">,
  { id }: Pick<Repository, "id">,
  thread: number,
): Promise<string[]> {
  const { decisions, folded } = await readMemory(dependencies, id);
  const lines = decisions
    .filter((one) => one.thread === thread)
    .toReversed()
    .slice(0, 10)
    .map(
      ({ at, rule, event, said }) => `${new Date(at).toISOString().slice(0, 16)}: \`${rule}\` on \`${event}\`: ${said}`,
    );
  const held = Object.entries(folded).map(
    ([rule, count]) => `${count} events of \`${rule}\` started nothing because of a limit`,
  );
  const full = heldIn(await sharedOf(dependencies).value(heldName(id)));
  if (full > 0) held.push(`${full} events started nothing because the repository was at its limit`);
  return lines.length === 0 ? [] : [...lines, ...held];
}
