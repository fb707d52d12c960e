/**
 * Starts what rules of `triggers` say of an event.
 *
 * FT1 Who caused the event needs the permission that the command would have needed, read from GitHub now.
 * FT2 An event is judged for one repository at a time, so that a storm cannot pass its bound between two looks.
 * FT3 A repository at its bound costs no call: its events are counted and start nothing.
 * FT4 The same event, or another with the same key, starts one run of a rule.
 */
import { z } from "zod";
import type { Settings, TriggerSettings } from "../config/schema.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Actor, Json, Repository } from "../core/vocabulary.ts";
import { decideCommand } from "../policy/decide-command.ts";
import type { Github } from "../ports/github.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { runIdOf } from "../runner/create-run.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { type LoadedSettings, loadSettings } from "../runner/load-settings.ts";
import type { Runner } from "../runner/runner.ts";
import { readBook, rulesChangedAt } from "../runner/schedule-book.ts";
import type { TriggerEvent } from "../trigger/event.ts";
import { conditionNames, judgeEvent, judgeStart, type PastStart } from "../trigger/judge.ts";
import { fillText, parseTemplate } from "../workflow/template.ts";
import { beginRun, repositoryProcesses } from "./begin-run.ts";
import { actorOf, listedBots } from "./bots.ts";
import { demandPlaceOf } from "./demand-place.ts";
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

/** Returns what it did, in words. */
export async function fireTriggers(
  dependencies: Dependencies,
  runner: Pick<Runner, "wake">,
  event: TriggerEvent,
): Promise<string> {
  const { store, clock, owner, random, owners = null } = dependencies;
  const { repository } = event;
  if (owners !== null && !owners.includes(repository.owner.toLowerCase()))
    return `${repository.owner} is not among BATON_OWNERS`;
  if (!(await mayListen(dependencies, event))) return "no trigger is about it";
  const { bot } = await dependencies.github.identity();
  // What Baton itself did is the work of a run that is bounded by its own limits.
  if (event.sender.id === bot.id) return "own event";
  if (isFull(await readMemory(store, repository.id), clock.now())) {
    // FT3: in a value of its own, and not exact under contention, which nobody needs.
    await store.setValue(heldName(repository.id), (await readHeld(store, repository.id)) + 1);
    return "triggers are at their limit";
  }
  const github = await dependencies.github.installation(repository.installationId);
  const loaded = await loadSettings(github, repository, repository.defaultBranch);
  const rules = loaded.settings.triggers.filter(({ on }) => on === event.on);
  if (rules.length === 0) return "no trigger is about it";
  if (loaded.problems.length > 0) return "the configuration has errors";
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
      for (const rule of rules) did.push(await fire(dependencies, { runner, github, loaded, event, rule }));
      return did.join(", ");
    } finally {
      await store.releaseLease(lease);
    }
  }
}

interface Firing {
  runner: Pick<Runner, "wake">;
  github: Github;
  loaded: LoadedSettings;
  event: TriggerEvent;
  rule: TriggerSettings;
}

async function fire(dependencies: Dependencies, firing: Firing): Promise<string> {
  const { store, clock } = dependencies;
  const { github, event, rule } = firing;
  const { repository } = event;
  const memory = await readMemory(store, repository.id);
  const decide = async (said: string, change: Partial<Memory> = {}): Promise<string> => {
    const decision = { at: clock.now(), rule: rule.name, event: event.on, thread: event.thread?.number ?? null, said };
    const decisions = [...memory.decisions, decision].slice(-decisionsMax);
    await store.setValue(memoryName(repository.id), { ...memory, ...change, decisions } as unknown as Json);
    return `${rule.name}: ${said}`;
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
  const answer = judgeStart({
    rule,
    event: { thread: event.thread?.number ?? null, actor: event.sender.login, byBot: event.sender.kind === "bot" },
    related: await relatedTo(dependencies, github, event),
    past: memory.starts,
    now: clock.now(),
  });
  if (!answer.start) return decide(answer.reason, { folded: fold(memory, rule.name).folded });
  try {
    await begin(dependencies, firing, operationKey);
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw thrown;
    return decide(`Refused: ${error.message} (${error.code})`);
  }
  const start: PastStart = {
    rule: rule.name,
    runId,
    at: clock.now(),
    thread: event.thread?.number ?? null,
    actor: event.sender.login,
    depth: answer.depth,
    parent: answer.parent,
  };
  const starts = [...memory.starts, start].filter(({ at }) => at > clock.now() - limits.triggerChainMs);
  return decide(`Started \`${runId}\`, caused by @${event.sender.login}.`, { starts });
}

async function begin(
  dependencies: Dependencies,
  { runner, github, loaded, event, rule }: Firing,
  operationKey: string,
): Promise<void> {
  const { repository } = event;
  const { settings } = loaded;
  const { bot } = await dependencies.github.identity();
  const actor = await causedBy(github, event, settings);
  if (event.thread === null && !settings.dashboard)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `\`${event.on}\` belongs to no thread, and \`dashboard: false\` leaves it none.`,
    );
  const number =
    event.thread?.number ??
    (await openDashboard(github, repository, (await readBook(dependencies.store, repository.id)).dashboard));
  const issue = await github.issue(repository, number);
  const pullRequest = issue.isPullRequest ? await github.pullRequest(repository, number) : null;
  const verdict = decideCommand({
    command: "run",
    actor,
    ownUserId: bot.id,
    needs: "run",
    headIsFork: pullRequest !== null && pullRequest.headRepositoryId !== repository.id,
    worksOnHead: true,
    settings,
  });
  if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
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

/** CI speaks for who brought the commit. */
async function causedBy(
  github: Github,
  { repository, sender, pushed }: TriggerEvent,
  settings: Settings,
): Promise<Actor> {
  if (pushed === null) return actorOf(github, { repository, author: sender }, listedBots(settings));
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
  const { login, kind } = event.sender;
  return fillText(parseTemplate(key, conditionNames).template, { event: event.facts, actor: { login, kind } }).slice(
    0,
    500,
  );
}

function fold(memory: Memory, rule: string): Memory {
  return { ...memory, folded: { ...memory.folded, [rule]: (memory.folded[rule] ?? 0) + 1 } };
}

function isFull({ starts }: Memory, now: number): boolean {
  return starts.filter(({ at }) => at > now - 3_600_000).length >= limits.triggerStartsPerHourMax;
}

async function readMemory(store: Pick<Dependencies["store"], "value">, repositoryId: number): Promise<Memory> {
  const found = memorySchema.safeParse(await store.value(memoryName(repositoryId)));
  return found.data ?? { starts: [], folded: {}, decisions: [] };
}

/** Whether a rule may be about it, from what was read last: most events in most repositories cost no call. */
async function mayListen({ store }: Pick<Dependencies, "store">, { repository, on }: TriggerEvent): Promise<boolean> {
  const { readAt, listens } = await readBook(store, repository.id);
  return readAt === 0 || listens.includes(on) || (await rulesChangedAt(store, repository.id)) >= readAt;
}

async function readHeld(store: Pick<Dependencies["store"], "value">, repositoryId: number): Promise<number> {
  return z
    .number()
    .catch(0)
    .parse(await store.value(heldName(repositoryId)));
}

function heldName(repositoryId: number): string {
  return `triggers/${repositoryId}/held`;
}

function memoryName(repositoryId: number): string {
  return `triggers/${repositoryId}`;
}

/** What rules decided about events of a thread, newest first: for `/baton why`. */
export async function triggerDecisions(
  { store }: Pick<Dependencies, "store">,
  { id }: Pick<Repository, "id">,
  thread: number,
): Promise<string[]> {
  const { decisions, folded } = await readMemory(store, id);
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
  const full = await readHeld(store, id);
  if (full > 0) held.push(`${full} events started nothing because the repository was at its limit`);
  return lines.length === 0 ? [] : [...lines, ...held];
}
