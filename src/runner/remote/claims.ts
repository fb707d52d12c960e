/**
 * The App's side of the effect protocol: claims are in the store, so that any replica can answer any request.
 *
 * RC1 One worker holds an attempt: a lease with an epoch, free again after `limits.remoteLeaseMs` of silence.
 * RC2 A worker must be a job of the repository's own runner workflow, on the default branch of the run's repository. If
 *     GitHub reported the workflow run that was started for this attempt, the job must belong to it.
 * RC3 A worker gets a token that only reads the contents of the run's repository: no remote effect needs more.
 * RC4 Schemas check everything that a worker posts, and git checks its commits. A worker never writes to GitHub.
 */

import type { z } from "zod";
import { progress, routed } from "../../core/decide.ts";
import { agentInputSchema } from "../../core/effect.ts";
import { BatonError, toBatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import { runIdSchema, runValuePrefix } from "../../core/vocabulary.ts";
import type { JobIdentity } from "../../ports/job-identity.ts";
import type { Lease } from "../../ports/store.ts";
import { isKept, readValue, writeValue } from "../../ports/values.ts";
import type { Dependencies } from "../dependencies.ts";
import { redactedPartial } from "../perform/activity.ts";
import { changeToJudge } from "../perform/change-to-judge.ts";
import { promptFor } from "../perform/instruct.ts";
import { meterAttempt } from "../perform/meter-attempt.ts";
import { learnedFor } from "../perform/route.ts";
import { repositoryAccess } from "../repository-access.ts";
import type { Runner } from "../runner.ts";
import { settingsOf } from "../settings-of.ts";
import { attemptValues, type KeptResult } from "./attempt-values.ts";
import type { ClaimAnswer, heartbeatAnswerSchema, heartbeatRequestSchema, ResultRequest } from "./protocol.ts";

export interface Attempt {
  run: string;
  effect: string;
  attempt: number;
}

export const remoteWorker = "actions";

/** The prefix of leases that are claims. */
export const claimPrefix = runValuePrefix;

export function operationOf({ run, effect, attempt }: Attempt): string {
  return `${claimPrefix}${run}/${effect}/${attempt}`;
}

export class EffectClaims {
  readonly #dependencies: Dependencies;
  readonly #runner: Runner;

  constructor(dependencies: Dependencies, runner: Runner) {
    this.#dependencies = dependencies;
    this.#runner = runner;
  }

  async claim(attempt: Attempt, job: JobIdentity): Promise<ClaimAnswer> {
    const { store, clock } = this.#dependencies;
    const { state, effect } = await this.#attempt(attempt, job);
    const operation = operationOf(attempt);
    const values = attemptValues(operation);
    const asked = await readValue(store, values.asked);
    if (asked === null && (await isKept(store, values.asked)))
      throw conflict("Baton cannot read which workflow run was started for this attempt.");
    if (asked?.job != null && asked.job !== job.workflowRunId)
      throw conflict(`The job is of workflow run ${job.workflowRunId}; run ${asked.job} was started for this attempt.`);
    const before = await readValue(store, values.seen);
    if (effect.status !== "running" || (await isKept(store, values.result)))
      throw conflict(`Attempt ${attempt.attempt} of "${effect.key}" has ended meanwhile.`);
    // Before the lease: slow or failing work uses none of the worker's time and leaves no claim.
    const spec = await this.#spec(state, effect);
    // The answer to the worker's first claim was lost. It gets the next epoch, so that only one of them continues.
    if (before?.job === job.workflowRunId)
      await store.releaseLease({ name: operation, owner: ownerOf(job), epoch: before.epoch, expiresAt: 0 });
    const lease = await store.acquireLease(operation, ownerOf(job), clock.now(), limits.remoteLeaseMs);
    if (lease === null) throw conflict("Another job has claimed this attempt.");
    await writeValue(store, values.seen, { at: clock.now(), job: job.workflowRunId, epoch: lease.epoch });
    return {
      epoch: lease.epoch,
      leaseMs: limits.remoteLeaseMs,
      heartbeatMs: limits.remoteHeartbeatMs,
      spec,
    };
  }

  async #spec(state: RunState, effect: EffectState): Promise<ClaimAnswer["spec"]> {
    const { store, github, log, redact } = this.#dependencies;
    const { repository } = state.thread;
    const input = agentInputSchema.parse(effect.input);
    const settings = settingsOf(state);
    const installation = await github.installation(repository.installationId);
    const { appId, slug, bot } = await github.identity();
    const startSha = startOf(effect, input.baseSha);
    const change = await changeToJudge(this.#dependencies, input, () =>
      repositoryAccess(installation, repository, "read"),
    );
    const learned = await learnedFor({ dependencies: this.#dependencies, state, effect }, input, settings).catch(
      (thrown: unknown) => {
        log.debug("A runner chooses without what was learned", { error: toBatonError(thrown) });
        return {};
      },
    );
    return {
      effect: {
        title: input.title,
        role: input.role,
        access: input.access,
        baseSha: input.baseSha,
        startSha,
        timeoutMs: effect.timeoutMs ?? null,
        budgetUsd: effect.attempts.at(-1)?.reservedUsd ?? 0,
        prompt: promptFor(input, settings, change, redact),
      },
      events: await store.read(state.runId),
      learned,
      bundle: await this.#bundle(state, startSha),
      git: await installation.gitAccess(repository, "read"),
      identity: { appId, slug, bot },
    };
  }

  async heartbeat(
    attempt: Attempt,
    job: JobIdentity,
    { epoch, note, usage, partial, routed: verdict, metered: metering }: z.output<typeof heartbeatRequestSchema>,
  ): Promise<z.output<typeof heartbeatAnswerSchema>> {
    const { store, clock, redact } = this.#dependencies;
    const { state, effect } = await this.#attempt(attempt, job);
    await this.#hold(attempt, job, epoch);
    const values = attemptValues(operationOf(attempt));
    await writeValue(store, values.seen, { at: clock.now(), job: job.workflowRunId, epoch });
    if (verdict !== undefined)
      await this.#runner.change(state.runId, (now) => routed(now, effect.key, attempt.attempt, verdict));
    if (note !== undefined)
      await this.#runner.change(state.runId, (now) =>
        progress(now, effect.key, attempt.attempt, {
          note,
          usage,
          partial: partial && redactedPartial(partial, redact),
        }),
      );
    const money =
      metering === undefined
        ? {}
        : {
            metered: await meterAttempt(
              this.#dependencies,
              state,
              (decide) => this.#runner.change(state.runId, decide),
              { key: effect.key, attempt: attempt.attempt },
              { ...metering, capUsd: metering.capUsd ?? Number.POSITIVE_INFINITY },
            ),
          };
    return { ...money, cancel: (await isKept(store, values.cancel)) || !state.open.has(effect.key) };
  }

  async finish(attempt: Attempt, job: JobIdentity, request: ResultRequest): Promise<{ taken: true }> {
    const { store, redact } = this.#dependencies;
    const values = attemptValues(operationOf(attempt));
    // protocol.EP2: the first answer may be lost, and the attempt may be over by now.
    const before = await readValue(store, values.result);
    if (before?.epoch === request.epoch) return { taken: true };
    const { state, effect } = await this.#attempt(attempt, job);
    // The last words came too late (RA4): nobody would read or remove them.
    if ((await readValue(store, values.asked)) === null)
      throw conflict(`Attempt ${attempt.attempt} of "${effect.key}" has ended meanwhile.`);
    await this.#hold(attempt, job, request.epoch);
    for (const blob of request.result.blobs) await store.putBlob(redact(blob));
    if (request.bundle !== null) await writeValue(store, values.bundle, request.bundle.base64);
    const kept: KeptResult = {
      epoch: request.epoch,
      result: request.result,
      bundle: request.bundle === null ? null : { headSha: request.bundle.headSha },
    };
    await writeValue(store, values.result, kept);
    await this.#runner.wake(state.runId, false);
    return { taken: true };
  }

  /** Only this Baton has the commits of earlier steps that were not pushed. */
  async #bundle(state: RunState, headSha: string): Promise<{ headSha: string; base64: string } | null> {
    const { github, workspaces } = this.#dependencies;
    const installation = await github.installation(state.thread.repository.installationId);
    const access = await repositoryAccess(installation, state.thread.repository, "read");
    await workspaces.fetch(access, state.thread.repository.defaultBranch);
    await workspaces.fetch(access, headSha);
    const bytes = await workspaces.bundle(access, headSha);
    return bytes === null ? null : { headSha, base64: Buffer.from(bytes).toString("base64") };
  }

  /** The current attempt, if this job may work on it. */
  async #attempt(
    { run, effect: key, attempt }: Attempt,
    job: JobIdentity,
  ): Promise<{ state: RunState; effect: EffectState }> {
    const runId = runIdSchema.safeParse(run);
    const state = runId.success ? await this.#runner.state(runId.data) : null;
    // A job of another repository must not learn whether the run exists.
    if (state === null || state.thread.repository.id !== job.repositoryId)
      throw new BatonError("BATON_NO_RUN", `There is no run "${run.slice(0, 60)}" of this repository.`);
    const { owner, name, defaultBranch } = state.thread.repository;
    const expected = `${owner}/${name}/.github/workflows/${settingsOf(state).runnerWorkflow}@refs/heads/${defaultBranch}`;
    if (job.workflowRef.toLowerCase() !== expected.toLowerCase()) {
      throw new BatonError(
        "BATON_POLICY_DENIED",
        `The job runs ${job.workflowRef}; only ${expected} may work for this repository (\`runnerWorkflow\`).`,
      );
    }
    const effect = [...state.effects.values()].find((one) => one.key === key);
    const current = effect?.attempts.at(-1);
    // A cancelled attempt counts, too: Baton tells its worker to stop, and reads its last words.
    if (effect === undefined || current?.attempt !== attempt || current.worker !== remoteWorker)
      throw conflict(`Attempt ${attempt} of "${key}" is not waiting for a worker.`);
    return { state, effect };
  }

  async #hold(attempt: Attempt, job: JobIdentity, epoch: number): Promise<void> {
    const { store, clock } = this.#dependencies;
    const lease: Lease = { name: operationOf(attempt), owner: ownerOf(job), epoch, expiresAt: 0 };
    if ((await store.renewLease(lease, clock.now(), limits.remoteLeaseMs)) === null)
      throw conflict(`The claim with epoch ${epoch} is lost; another worker goes on.`);
  }
}

/** The result of an earlier attempt, or the step's own base. */
function startOf(effect: EffectState, baseSha: string): string {
  const kept = effect.attempts.findLast((one) => one.kept?.headSha != null)?.kept?.headSha;
  return kept ?? baseSha;
}

function ownerOf({ workflowRunId }: JobIdentity): string {
  return `job:${workflowRunId}`;
}

function conflict(message: string): BatonError {
  return new BatonError("BATON_LEASE_LOST", message);
}
