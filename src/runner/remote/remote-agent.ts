/**
 * An agent effect that a runner performs: asked for by `workflow_dispatch`, claimed over HTTP, its commits taken in by git.
 *
 * RA1 Asked for twice is harmless: the second job finds the attempt claimed and ends.
 * RA2 A Baton that starts anew waits for the same attempt; only a silent or absent worker loses it.
 * RA3 What the worker says it changed is measured again here.
 */
import type { AttemptResult } from "../../core/decide.ts";
import { type AgentOutput, agentInputSchema } from "../../core/effect.ts";
import { BatonError, type ErrorData } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { Dependencies } from "../dependencies.ts";
import { hooksOf } from "../perform/instruct.ts";
import { type PerformContext, workspaceName } from "../perform/performer.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import { type Attempt, operationOf } from "./claims.ts";
import type { Order, ResultRequest } from "./protocol.ts";

interface KeptResult {
  epoch: number;
  result: ResultRequest["result"];
  bundle: { headSha: string; baseSha: string; id: string } | null;
}

export async function performRemotely(context: PerformContext): Promise<AttemptResult> {
  const { dependencies, state, effect, attempt: number, signal } = context;
  const attempt: Attempt = { run: state.runId, effect: effect.key, attempt: number };
  const operation = operationOf(attempt);
  refuseHooks(dependencies, state.process);
  if ((await dependencies.store.value(`${operation}/asked`)) === null) await ask(context, attempt);
  const kept = await waitForResult(context, operation);
  if (kept === null) return lost(signal);
  const { result } = kept;
  if (result.prompted != null && result.prompted.key === effect.key && result.prompted.attempt === number)
    await context.prompted?.(result.prompted);
  if (!result.ok) {
    if (kept.bundle !== null) await takeIn(context, kept.bundle);
    return { ok: false, error: result.error, usage: result.usage, kept: result.kept };
  }
  const output: AgentOutput = { ...result.output, text: dependencies.redact(result.output.text) };
  if (output.headSha !== null) {
    if (kept.bundle?.headSha !== output.headSha)
      throw new BatonError("BATON_TREE_REFUSED", "The worker names a commit that it did not bring.");
    output.files = await takeIn(context, kept.bundle);
  }
  return { ok: true, output: output as unknown as Json, usage: result.usage };
}

/** A job has Baton's own processes and no plugins: what a hook would have changed must not go out unchanged. */
function refuseHooks(dependencies: Dependencies, process: { name: string; version: number }): void {
  const [first] = hooksOf(dependencies, process);
  if (first !== undefined)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `\`onInstructionsLoaded\` of ${first.name} changes what agents are told, which \`executor: actions\` cannot do. Use \`executor: local\`.`,
    );
}

async function ask({ dependencies, state, github }: PerformContext, attempt: Attempt): Promise<void> {
  const { publicUrl, store, clock } = dependencies;
  if (publicUrl == null)
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      "`executor: actions` needs an address at which runners reach this Baton. Set BATON_PUBLIC_URL where it runs.",
    );
  const order: Order = { ...attempt, endpoint: publicUrl };
  const { repository } = state.thread;
  await github.dispatchWorkflow(repository, settingsOf(state).runnerWorkflow, repository.defaultBranch, {
    effect: JSON.stringify(order),
  });
  await store.setValue(`${operationOf(attempt)}/asked`, { at: clock.now() });
}

/** null: the worker never came, fell silent, or this Baton is being stopped. */
async function waitForResult(
  { dependencies, effect, signal, report }: PerformContext,
  operation: string,
): Promise<KeptResult | null> {
  const { store, clock } = dependencies;
  const asked = ((await store.value(`${operation}/asked`)) as { at: number } | null)?.at ?? clock.now();
  let cancelledAt: number | null = null;
  let told = false;
  for (;;) {
    const result = (await store.value(`${operation}/result`)) as KeptResult | null;
    if (result !== null) return result;
    if (signal.aborted) {
      // "left" and "lost": somebody else, or this Baton's next start, waits on.
      if (signal.reason !== "cancelled") return null;
      cancelledAt ??= await cancel(dependencies, operation);
      if (clock.now() > cancelledAt + limits.remoteLastWordsMs) return null;
    }
    const seen = (await store.value(`${operation}/seen`)) as { at: number; job: string } | null;
    if (seen === null && clock.now() > asked + limits.remoteClaimMs) return fence(dependencies, operation);
    if (seen !== null && clock.now() > seen.at + limits.remoteLeaseMs) return fence(dependencies, operation);
    if (seen !== null && !told) {
      told = true;
      report(`on a runner, job ${seen.job}`, effect.attempts.at(-1)?.usage ?? []);
    }
    await clock.sleepUntil(clock.now() + limits.remoteLookMs);
  }
}

async function cancel({ store, clock }: Dependencies, operation: string): Promise<number> {
  await store.setValue(`${operation}/cancel`, true);
  return clock.now();
}

/** Takes the claim away, so that a worker that wakes up again finds its epoch refused. */
async function fence({ store, clock, owner }: Dependencies, operation: string): Promise<null> {
  await store.acquireLease(operation, owner, clock.now(), limits.remoteLeaseMs);
  return null;
}

function lost(signal: AbortSignal): AttemptResult {
  const error: ErrorData = signal.aborted
    ? { code: "BATON_CANCELLED", message: "The step was cancelled while a runner worked on it." }
    : { code: "BATON_ATTEMPT_LOST", message: "The runner went away, or never came.", retryAfterMs: 0 };
  return { ok: false, error, usage: [], kept: null };
}

async function takeIn(
  { dependencies, state, effect, attempt, github }: PerformContext,
  { headSha, baseSha, id }: NonNullable<KeptResult["bundle"]>,
): Promise<AgentOutput["files"]> {
  const base64 = await dependencies.store.blob(id);
  if (base64 === null) throw new BatonError("BATON_TREE_REFUSED", "The worker's bundle is not there any more.");
  const input = agentInputSchema.parse(effect.input);
  if (input.access !== "write") throw new BatonError("BATON_TREE_REFUSED", "A step that only reads brought commits.");
  const access = await repositoryAccess(github, state.thread.repository, "read");
  await dependencies.workspaces.fetch(access, state.thread.repository.defaultBranch);
  await dependencies.workspaces.fetch(access, input.baseSha).catch(() => {});
  await dependencies.workspaces.importBundle(
    access,
    {
      runId: state.runId,
      name: workspaceName(effect, attempt),
      baseSha,
      headSha,
      bytes: Buffer.from(base64, "base64"),
    },
    {
      filesMax: limits.workspaceFilesChangedMax,
      blobBytesMax: limits.workspaceBlobBytesMax,
      importBytesMax: limits.importBytesMax,
    },
  );
  return dependencies.workspaces.diffStat(access, input.baseSha, headSha);
}
