/** Handles a stored delivery: a command, or facts that wake the runs which wait for them. */

import { fireTriggers } from "../begin/fire-triggers.ts";
import { noteFirstPush, noteInstallation, noteSetupDecision } from "../begin/onboard.ts";
import { startDue } from "../begin/start-due.ts";
import { noteDecision, tickDashboard } from "../begin/tick-dashboard.ts";
import { toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Job } from "../ports/store.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { Runner } from "../runner/runner.ts";
import { knownRepositories, noteChange } from "../runner/schedule-book.ts";
import { type TriggerEvent, toTriggerEvent } from "../trigger/event.ts";
import { checkConfig } from "./check-config.ts";
import { toThreadEvent } from "./events.ts";
import { answerGivenUp, handleComment } from "./handle-comment.ts";
import { type DeliveryOutcome, noteOf } from "./outcome.ts";

/**
 * GitHub may be down for hours. After this time Baton gives up: a command gets the reason as its answer. The next event
 * reads facts again.
 */
const patienceMs = 24 * 3_600_000;

export async function handleDelivery(dependencies: Dependencies, runner: Runner, job: Job): Promise<void> {
  const { hook, guid } = job.data as { hook: string; guid: string };
  const { store, log, clock } = dependencies;
  const delivery = await store.delivery(hook, guid);
  if (delivery === null || delivery.state !== "received") return;
  const child = log.child({ delivery: guid, event: delivery.event });
  try {
    const payload: unknown = JSON.parse(delivery.payload);
    // The command goes first. Its error must not drop the rules: a repeated delivery repeats nothing that was done.
    const [handled] = await Promise.allSettled([handle(dependencies, runner, delivery.event, payload)]);
    const [triggered] = await Promise.allSettled([fireAbout(dependencies, runner, delivery.event, payload, guid)]);
    if (handled.status === "rejected") throw handled.reason;
    if (triggered.status === "rejected") throw triggered.reason;
    const [outcome, triggers] = [handled.value, triggered.value];
    await store.finishDelivery(hook, guid, "handled", noteOf(outcome, triggers), job.id);
    child.debug("Delivery handled", { outcome, triggers });
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable" && clock.now() < delivery.receivedAt + patienceMs) throw error;
    child.error("A delivery could not be handled", { error, tries: job.tries });
    const event = toThreadEvent(delivery.event, JSON.parse(delivery.payload));
    const said = event.kind === "comment" ? event : event.kind === "facts" ? event.said : undefined;
    if (said !== undefined) await answerGivenUp(dependencies, said, error);
    await store.finishDelivery(hook, guid, "failed", `${error.code}: ${error.message}`, job.id);
  }
}

/** null: the event is for no rule of `triggers`. */
async function fireAbout(
  dependencies: Dependencies,
  runner: Runner,
  name: string,
  payload: unknown,
  guid: string,
): Promise<string | null> {
  // A job of Actions brings trigger events in itself, into the thread of the future run.
  const isApp = dependencies.publicUrl !== undefined;
  const fired = isApp ? toTriggerEvent(name, payload, guid) : null;
  return fired === null ? null : fireTriggers(dependencies, runner, fired);
}

async function handle(
  dependencies: Dependencies,
  runner: Runner,
  name: string,
  payload: unknown,
): Promise<DeliveryOutcome> {
  const event = toThreadEvent(name, payload);
  switch (event.kind) {
    case "ignored":
      return { kind: "ignored", reason: event.reason };
    case "comment":
      return handleComment(dependencies, runner, event);
    case "installation": {
      const done: string[] = [];
      for (const news of event.news) done.push(await noteInstallation(dependencies, news));
      return { kind: "noted", reason: done.join("; ") };
    }
    case "pushed":
      await noteChange(dependencies, event.repository);
      await noteFirstPush(dependencies, event.repository);
      return { kind: "noted", reason: "the default branch moved" };
    case "schedules": {
      const { repository, dashboard, notice } = event;
      const options = { runner, lateAfterMs: limits.scheduleLateInJobMs, dashboard, notice };
      return { kind: "noted", reason: (await startDue(dependencies, repository, options)) ?? "no schedule is due" };
    }
    case "trigger":
      return { kind: "noted", reason: await fireTriggers(dependencies, runner, event.event, event.dashboard) };
    case "requested": {
      const { owner, name: repositoryName, rule, payload: facts, key } = event;
      const repository = await repositoryNamed(dependencies, owner, repositoryName);
      if (repository === null)
        return { kind: "noted", reason: `no repository ${owner}/${repositoryName} is installed here` };
      const common = { thread: null, paths: null, between: null, pushed: null, sender: null };
      const fired: TriggerEvent = { ...common, on: "http", repository, facts: { payload: facts }, key, rule };
      return { kind: "noted", reason: await fireTriggers(dependencies, runner, fired) };
    }
    case "ticked":
      return { kind: "noted", reason: await tickDashboard(dependencies, runner, event) };
    case "facts": {
      const { decided } = event;
      if (decided !== undefined) {
        await noteDecision(dependencies, decided);
        await noteSetupDecision(dependencies, decided);
      }
      const woken = new Set<string>();
      for (const watch of event.watches) {
        for (const run of await dependencies.store.runs({ watch, active: true })) {
          if (woken.has(run.runId)) continue;
          woken.add(run.runId);
          // Another replica may drive the run. A job finds it after that replica stops. A run that Baton cannot drive does
          // not hold up others.
          if (!(await runner.wake(run.runId, true).catch(() => false)))
            await dependencies.store.write({
              jobs: [{ queue: "run", data: { runId: run.runId, facts: true }, singletonKey: run.runId }],
            });
        }
      }
      const { changed, said } = event;
      return {
        kind: "facts",
        woke: woken.size,
        configuration:
          changed === undefined ? null : await checkConfig(dependencies, changed.repository, changed.number),
        said: said === undefined ? null : await handleComment(dependencies, runner, said),
      };
    }
  }
}

/** Finds a repository by its current name. null: no installation reaches it. */
async function repositoryNamed(
  { store, github }: Pick<Dependencies, "store" | "github">,
  owner: string,
  name: string,
): Promise<Repository | null> {
  const full = `${owner}/${name}`.toLowerCase();
  const isMeant = (one: Repository): boolean => `${one.owner}/${one.name}`.toLowerCase() === full;
  const known = await knownRepositories(store);
  return known?.repositories.find(isMeant) ?? (await github.repositories()).find(isMeant) ?? null;
}
