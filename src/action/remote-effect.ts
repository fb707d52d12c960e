/**
 * One effect of an App's run, performed by this job (`executor: actions`): the first client of the effect protocol.
 *
 * RE1 The job proves its identity by its OIDC token. It has no GitHub token with write access, and the agent has no
 *     GitHub token.
 * RE2 The job always posts a result, even after a failure, a cancel or a stop. It keeps the claim until Baton accepts
 *     the result: on a slow line, commits arrive after a lease ends.
 * RE3 A lost claim ends the work at once: another worker has it.
 * RE4 Only Baton cancels a step. A job that the platform or a person stops has lost it, and another job continues from
 *     its kept work.
 */
import { join } from "node:path";
import { harnessesOf } from "../adapters/harness/index.ts";
import { startModelProxy } from "../adapters/model-proxy/proxy.ts";
import { ownerUpstreamsOf, upstreamsOf } from "../adapters/model-proxy/upstreams.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { createWorkspaces } from "../adapters/workspace/workspaces.ts";
import type { AttemptResult } from "../core/decide.ts";
import type { AgentOutput } from "../core/effect.ts";
import { BatonError, type ErrorData, hasCode, toBatonError } from "../core/errors.ts";
import type { PartialWork } from "../core/event.ts";
import { fold } from "../core/fold.ts";
import type { Prompted } from "../core/instructions.ts";
import { type EffectKey, type RunId, type Usage, usdOf, type Verdict } from "../core/vocabulary.ts";
import { grantRequest } from "../money/budget.ts";
import type { Github } from "../ports/github.ts";
import type { ModelProxy } from "../ports/model-proxy.ts";
import type { RepositoryAccess } from "../ports/workspace.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { perform } from "../runner/perform/agent.ts";
import type { TellMeter } from "../runner/perform/attempt-money.ts";
import { workspaceName } from "../runner/perform/performer.ts";
import type { Ran } from "../runner/perform/route.ts";
import { type ClaimAnswer, claimAnswerSchema, heartbeatAnswerSchema, type Order } from "../runner/remote/protocol.ts";
import { createRedactor } from "../text/redact.ts";
import { EffectClient, type JobTokenSource } from "./effect-client.ts";
import { jobSandbox } from "./prepare-sandbox.ts";
import type { ActionSettings } from "./settings.ts";

/** Resolves with the attempt's result after it was posted. */
export async function performOrder(
  settings: ActionSettings,
  order: Order,
  source: JobTokenSource,
  stop: AbortSignal,
): Promise<AttemptResult> {
  const client = new EffectClient(order, source);
  const claim = claimAnswerSchema.parse(await client.post("claim", {}));
  const cancel = new AbortController();
  const over = new AbortController();
  const notes: { note: string; usage: Usage[]; partial?: PartialWork }[] = [];
  const beating = beat(client, claim, notes, cancel, over.signal);
  const blobs: string[] = [];
  let told: Prompted | null = null;
  let ran: Ran | null = null;
  const models = await startModelProxy(upstreamsOf(settings.harness), ownerUpstreamsOf(settings.harness));
  const { context, workspaces, access, runId } = prepare({
    settings,
    order,
    claim,
    blobs,
    notes,
    models,
    signal: AbortSignal.any([stop, cancel.signal]),
  });
  let result: AttemptResult;
  try {
    try {
      if (claim.spec.bundle !== null) {
        const bytes = Buffer.from(claim.spec.bundle.base64, "base64");
        await workspaces.adoptBundle(access, { headSha: claim.spec.bundle.headSha, bytes });
      }
      result = await perform({
        ...context,
        prompted: async (prompted) => void (told = prompted),
        ran: async (outcome) => void (ran = outcome),
        decided: (routed) => tellChoice(client, { epoch: claim.epoch, routed }),
        meter: meterOf(client, claim.epoch, context.effect.attempts.at(-1)?.reservedUsd ?? 0),
      });
    } catch (thrown) {
      result = { ok: false, error: toBatonError(thrown).toData(), usage: [], kept: null };
    } finally {
      await models.close();
    }
    if (!result.ok && stop.aborted && !cancel.signal.aborted) result = { ...result, error: jobStopped };
    const headSha = result.ok ? (result.output as unknown as AgentOutput).headSha : (result.kept?.headSha ?? null);
    const bytes = headSha === null ? null : await workspaces.bundle(access, headSha);
    const bundle =
      headSha === null || bytes === null ? null : { headSha, base64: Buffer.from(bytes).toString("base64") };
    await client
      .post("result", { epoch: claim.epoch, result: { ...result, blobs, prompted: told, ran: ranOf(ran) }, bundle })
      .catch(async (thrown: unknown) => {
        if (!refused.some((code) => hasCode(thrown, code))) throw thrown;
        result = { ok: false, error: toBatonError(thrown).toData(), usage: result.usage, kept: null };
        await client.post("result", { epoch: claim.epoch, result, bundle: null });
      });
  } finally {
    over.abort();
    await beating;
  }
  await workspaces.remove(access, { runId, name: workspaceName(context.effect, order.attempt) });
  return result;
}

/** A second try cannot fix these errors. The job then at least reports the reason (RE2). */
const refused = ["BATON_PAYLOAD_TOO_LARGE", "BATON_PAYLOAD_INVALID", "BATON_INPUT_INVALID"] as const;
const jobStopped: ErrorData = {
  code: "BATON_ATTEMPT_LOST",
  message: "The job was stopped on GitHub while the agent worked; its work so far is kept.",
};

/**
 * Everything that `perform` needs, from the claim. It folds the run here and uses the worker's own harnesses and
 * workspaces, without store or GitHub.
 */
function prepare(given: {
  settings: ActionSettings;
  order: Order;
  claim: ClaimAnswer;
  blobs: string[];
  notes: { note: string; usage: Usage[]; partial?: PartialWork }[];
  models: ModelProxy;
  signal: AbortSignal;
}) {
  const { settings, order, claim, blobs, notes, models, signal } = given;
  const state = fold(claim.spec.events);
  const effect = state.effects.get(order.effect as EffectKey);
  if (effect === undefined) throw new BatonError("BATON_INPUT_INVALID", `The run has no effect "${order.effect}".`);
  const redact = createRedactor({
    secrets: [...settings.secrets, ...(claim.spec.git.token === null ? [] : [claim.spec.git.token])],
  });
  const log = createLog({ level: settings.logLevel, redact });
  const workspaces = createWorkspaces({ rootDir: join(settings.dataDir, "workspaces"), log });
  const access: RepositoryAccess = {
    repository: state.thread.repository,
    url: claim.spec.git.url,
    token: async () => claim.spec.git.token,
  };
  const dependencies = {
    clock: systemClock,
    log,
    redact,
    workspaces,
    harnesses: harnessesOf(settings.harness, settings.dataDir),
    repositoryCommands: settings.harness.repositoryCommands,
    agentSandbox: jobSandbox(settings, log),
    models,
    store: {
      async putBlob(content: string) {
        blobs.push(content);
        return sha256(content);
      },
      // The App remembers results of earlier attempts. The worker only reads the values in the claim.
      value: async (name: string) => (Object.hasOwn(claim.spec.learned, name) ? claim.spec.learned[name] : null),
      async setValue() {},
    },
    github: { identity: async () => claim.spec.identity },
  };
  const context = {
    // An agent's performer uses no other port. The first test of a runner would reveal a new use.
    dependencies: dependencies as unknown as Dependencies,
    state,
    effect,
    attempt: order.attempt,
    github: { gitAccess: async () => claim.spec.git } as unknown as Github,
    signal,
    report: (note: string, usage: Usage[], partial?: PartialWork) =>
      void notes.push({ note, usage, ...(partial === undefined ? {} : { partial }) }),
    // Replaced once the claim's epoch is known.
    meter: async () => ({ grantedUsd: null, reservedUsd: 0 }),
  };
  return { context, workspaces, access, runId: state.runId as RunId };
}

function ranOf(ran: Ran | null) {
  if (ran === null) return null;
  const { harness, model, durationMs, error } = ran;
  return { harness, model, durationMs, code: error?.code ?? null };
}

/** Before the agent begins, as on the App's own machine. */
async function tellChoice(client: EffectClient, told: { epoch: number; routed: Verdict }): Promise<void> {
  await client.post("heartbeat", told).catch((thrown: unknown) => {
    // An App of an earlier version rejects choices. The work does not depend on that.
    if (toBatonError(thrown).code !== "BATON_INPUT_INVALID") throw thrown;
  });
}

/**
 * The App grants the money of each request. An App of an earlier version grants the reservation from the attempt's
 * start.
 */
function meterOf(client: EffectClient, epoch: number, reservedUsd: number): TellMeter {
  let asks = true;
  return async ({ capUsd, ...metering }) => {
    if (asks) {
      const metered = { ...metering, capUsd: Number.isFinite(capUsd) ? capUsd : null };
      const answer = await client
        .post("heartbeat", { epoch, metered })
        .then((body) => heartbeatAnswerSchema.parse(body))
        .catch((thrown: unknown) => {
          if (toBatonError(thrown).code !== "BATON_INPUT_INVALID") throw thrown;
          return null;
        });
      if (answer?.metered !== undefined) return answer.metered;
      asks = false;
    }
    const { request, usage, held } = metering;
    const usedUsd = usdOf(usage) + usdOf(held);
    const grantedUsd =
      request === null ? null : grantRequest({ ...request, usedUsd, reservedUsd, spareUsd: 0, capUsd });
    return { grantedUsd, reservedUsd };
  };
}

/** Renews the claim, reports the newest milestone, receives a cancellation. */
async function beat(
  client: EffectClient,
  { epoch, heartbeatMs }: ClaimAnswer,
  notes: { note: string; usage: Usage[]; partial?: PartialWork }[],
  cancel: AbortController,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await systemClock.sleepUntil(systemClock.now() + heartbeatMs, over).catch(() => {});
    if (over.aborted) return;
    const newest = notes.splice(0).at(-1);
    try {
      const answer = heartbeatAnswerSchema.parse(await client.post("heartbeat", { epoch, ...newest }));
      if (answer.cancel) cancel.abort("cancelled");
    } catch (thrown) {
      // A lost claim ends the work. A lost network does not, until the claim is lost.
      if (toBatonError(thrown).code === "BATON_LEASE_LOST") return cancel.abort("lost");
      if (newest !== undefined) notes.unshift(newest);
    }
  }
}
