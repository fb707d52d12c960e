/**
 * One effect of an App's run, performed by this job (`executor: actions`): the first client of the effect protocol.
 *
 * RE1 The job proves itself by its OIDC token; it holds no token of GitHub that may write, and the agent holds none at all.
 * RE2 Whatever happens, a result is posted: also that it failed, was cancelled, or that the job is being stopped.
 * RE3 A claim that is lost ends the work at once: another worker has it.
 */
import { join } from "node:path";
import { z } from "zod";
import { harnessesOf } from "../adapters/harness/index.ts";
import { startModelProxy } from "../adapters/model-proxy/proxy.ts";
import { upstreamsOf } from "../adapters/model-proxy/upstreams.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { createWorkspaces } from "../adapters/workspace/workspaces.ts";
import type { AttemptResult } from "../core/decide.ts";
import type { AgentOutput } from "../core/effect.ts";
import { BatonError, errorDataSchema, toBatonError } from "../core/errors.ts";
import type { Partial } from "../core/event.ts";
import { fold } from "../core/fold.ts";
import type { Prompted } from "../core/instructions.ts";
import type { EffectKey, RunId, Usage, Verdict } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { ModelProxy } from "../ports/model-proxy.ts";
import type { RepositoryAccess } from "../ports/workspace.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { perform } from "../runner/perform/agent.ts";
import { workspaceName } from "../runner/perform/performer.ts";
import { type ClaimAnswer, claimAnswerSchema, heartbeatAnswerSchema, type Order } from "../runner/remote/protocol.ts";
import { createRedactor } from "../thread/redact.ts";
import type { ActionSettings } from "./settings.ts";

export interface JobTokenSource {
  url: string;
  token: string;
}

const triesMax = 6;

/** Resolves with what the attempt came to, after it was posted. */
export async function performOrder(
  settings: ActionSettings,
  order: Order,
  source: JobTokenSource,
  stop: AbortSignal,
): Promise<AttemptResult> {
  const client = new Client(order, source);
  const claim = claimAnswerSchema.parse(await client.post("claim", {}));
  const cancel = new AbortController();
  const over = new AbortController();
  const notes: { note: string; usage: Usage[]; partial?: Partial }[] = [];
  const beating = beat(client, claim, notes, cancel, over.signal);
  const blobs: string[] = [];
  let told: Prompted | null = null;
  const models = await startModelProxy(upstreamsOf(settings.harness));
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
    if (claim.spec.bundle !== null) {
      const bytes = Buffer.from(claim.spec.bundle.base64, "base64");
      await workspaces.adoptBundle(access, { headSha: claim.spec.bundle.headSha, bytes });
    }
    result = await perform({
      ...context,
      prompted: async (prompted) => void (told = prompted),
      decided: (routed) => tellChoice(client, { epoch: claim.epoch, routed }),
    });
  } catch (thrown) {
    result = { ok: false, error: toBatonError(thrown).toData(), usage: [], kept: null };
  } finally {
    over.abort();
    await models.close();
    await beating;
  }
  const headSha = result.ok ? (result.output as unknown as AgentOutput).headSha : (result.kept?.headSha ?? null);
  const bytes = headSha === null ? null : await workspaces.bundle(access, headSha);
  await client.post("result", {
    epoch: claim.epoch,
    result: { ...result, blobs, prompted: told },
    bundle: headSha === null || bytes === null ? null : { headSha, base64: Buffer.from(bytes).toString("base64") },
  });
  await workspaces.remove(access, { runId, name: workspaceName(context.effect, order.attempt) });
  return result;
}

/** What `perform` needs, from the claim: the run folded here, the worker's own harnesses and workspaces, no store and no GitHub. */
function prepare(given: {
  settings: ActionSettings;
  order: Order;
  claim: ClaimAnswer;
  blobs: string[];
  notes: { note: string; usage: Usage[]; partial?: Partial }[];
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
    models,
    store: {
      async putBlob(content: string) {
        blobs.push(content);
        return sha256(content);
      },
      // What replicas share of harnesses' health is the App's; this job tries the one it was given.
      value: async () => null,
      async setValue() {},
    },
    github: { identity: async () => claim.spec.identity },
  };
  const context = {
    // An agent's performer uses no other port; a use that is added shows in the first test of a runner.
    dependencies: dependencies as unknown as Dependencies,
    state,
    effect,
    attempt: order.attempt,
    github: { gitAccess: async () => claim.spec.git } as unknown as Github,
    signal,
    report: (note: string, usage: Usage[], partial?: Partial) =>
      void notes.push({ note, usage, ...(partial === undefined ? {} : { partial }) }),
  };
  return { context, workspaces, access, runId: state.runId as RunId };
}

/** Before the agent begins, as for one on the App's own machine. */
async function tellChoice(client: Client, told: { epoch: number; routed: Verdict }): Promise<void> {
  await client.post("heartbeat", told).catch((thrown: unknown) => {
    // An App of an earlier version takes no choices; the work is as good without.
    if (toBatonError(thrown).code !== "BATON_INPUT_INVALID") throw thrown;
  });
}

/** Keeps the claim, tells the newest milestone, hears of a cancellation. */
async function beat(
  client: Client,
  { epoch, heartbeatMs }: ClaimAnswer,
  notes: { note: string; usage: Usage[]; partial?: Partial }[],
  cancel: AbortController,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await systemClock.sleepUntil(systemClock.now() + heartbeatMs, over).catch(() => {});
    if (over.aborted) return;
    try {
      const newest = notes.splice(0).at(-1);
      const answer = heartbeatAnswerSchema.parse(await client.post("heartbeat", { epoch, ...newest }));
      if (answer.cancel) cancel.abort("cancelled");
    } catch (thrown) {
      // A lost claim ends the work; a lost network does not, until the claim is.
      if (toBatonError(thrown).code === "BATON_LEASE_LOST") return cancel.abort("lost");
    }
  }
}

const refusalSchema = z.object({ code: errorDataSchema.shape.code, message: z.string() });

class Client {
  readonly #base: string;
  readonly #source: JobTokenSource;
  readonly #audience: string;

  constructor({ run, effect, attempt, endpoint }: Order, source: JobTokenSource) {
    this.#base = `${endpoint}/api/v1/effects/${encodeURIComponent(run)}/${encodeURIComponent(effect)}/${attempt}`;
    this.#audience = endpoint;
    this.#source = source;
  }

  /** Tried again on faults of the way; each try with a fresh token, which lives minutes only. */
  async post(verb: "claim" | "heartbeat" | "result", body: object): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#post(verb, body);
      } catch (thrown) {
        const error = toBatonError(thrown, "BATON_GITHUB_UNAVAILABLE");
        if (error.code !== "BATON_GITHUB_UNAVAILABLE" || attempt >= triesMax) throw error;
        await systemClock.sleepUntil(systemClock.now() + 500 * 2 ** attempt);
      }
    }
  }

  async #post(verb: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.#base}/${verb}`, {
      method: "POST",
      headers: { authorization: `Bearer ${await this.#token()}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok) return answer;
    const refusal = refusalSchema.safeParse(answer);
    if (refusal.success && response.status < 500) throw new BatonError(refusal.data.code, refusal.data.message);
    throw new BatonError("BATON_GITHUB_UNAVAILABLE", `Baton answers ${response.status} to ${verb}.`);
  }

  async #token(): Promise<string> {
    const url = new URL(this.#source.url);
    url.searchParams.set("audience", this.#audience);
    const response = await fetch(url, { headers: { authorization: `bearer ${this.#source.token}` } });
    const answer = z.object({ value: z.string() }).safeParse(await response.json().catch(() => null));
    if (!response.ok || !answer.success)
      throw new BatonError("BATON_GITHUB_UNAVAILABLE", `The platform gives no job token: ${response.status}.`);
    return answer.data.value;
  }
}
