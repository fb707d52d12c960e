/**
 * An agent effect on a runner: requested by `workflow_dispatch`, claimed over HTTP, with its commits imported by git.
 *
 * RA1 A repeated request is harmless: the second job finds the attempt claimed and ends.
 * RA2 After a restart, Baton waits for the same attempt. Only a silent or absent worker loses it.
 * RA3 Baton measures the worker's changes again here, from the step's own base. A base that the worker names has no
 *     effect.
 * RA4 After an attempt, only the epoch of its result stays, no longer than the run's other leftovers.
 */
import { type AttemptResult, unsettled } from "../../core/decide.ts";
import { type AgentInput, type AgentOutput, agentInputSchema } from "../../core/effect.ts";
import { BatonError, type ErrorData, toBatonError } from "../../core/errors.ts";
import type { Kept } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import type { Json, Usage } from "../../core/vocabulary.ts";
import { readValue, removeValues, writeValue } from "../../ports/values.ts";
import type { BundleImport } from "../../ports/workspace.ts";
import type { Dependencies } from "../dependencies.ts";
import { redactedPartial } from "../perform/activity.ts";
import { commitOptions } from "../perform/commit-options.ts";
import { hooksOf } from "../perform/instruct.ts";
import { type PerformContext, workspaceName } from "../perform/performer.ts";
import { learnedOnRunners, remember } from "../perform/route.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import { type Asked, attemptValues, type KeptResult, wholeResult } from "./attempt-values.ts";
import { type Attempt, operationOf } from "./claims.ts";
import type { Order } from "./protocol.ts";

export async function performRemotely(context: PerformContext): Promise<AttemptResult> {
  const { dependencies, state, effect, attempt: number } = context;
  const attempt: Attempt = { run: state.runId, effect: effect.key, attempt: number };
  const operation = operationOf(attempt);
  refuseHooks(dependencies, state.process);
  if ((await readValue(dependencies.store, attemptValues(operation).asked)) === null) await ask(context, attempt);
  const kept = await waitForResult(context, operation);
  if (kept === null || typeof kept === "string") return lost(kept, unsettled(effect));
  const { result, bundle } = kept;
  if (result.prompted != null && result.prompted.key === effect.key && result.prompted.attempt === number)
    await context.prompted?.(result.prompted);
  const input = agentInputSchema.parse(effect.input);
  await learn(context, input, result);
  if (!result.ok) {
    const taken =
      bundle === null ? null : await takeIn(context, input, bundle.headSha, result.kept?.harness ?? "unknown");
    const left = keptOf(context, result.kept, bundle);
    // The imported commits replace the worker's own claim.
    const kept =
      left !== null && taken !== null && left.headSha === bundle?.headSha ? { ...left, headSha: taken.headSha } : left;
    return { ok: false, error: result.error, usage: result.usage, kept: redactedKept(kept, dependencies.redact) };
  }
  const { headSha } = result.output;
  if (headSha !== null && bundle?.headSha !== headSha)
    throw new BatonError("BATON_TREE_REFUSED", "The worker names a commit that it did not bring.");
  const taken = headSha === null ? null : await takeIn(context, input, headSha, result.output.harness);
  const output: AgentOutput = {
    ...result.output,
    text: dependencies.redact(result.output.text),
    baseSha: input.baseSha,
    headSha: taken?.headSha ?? null,
    files: taken?.files ?? [],
  };
  return { ok: true, output: output as unknown as Json, usage: result.usage };
}

/**
 * For the next choice on runners of this repository. A local attempt is remembered in the same way for local choices.
 */
async function learn(
  { dependencies, state }: PerformContext,
  { role }: AgentInput,
  { ran, usage }: KeptResult["result"],
): Promise<void> {
  if (ran == null || !dependencies.harnesses.has(ran.harness)) return;
  const { code, ...rest } = ran;
  const store = learnedOnRunners(dependencies.store, state.thread.repository.id);
  const error = code === null ? null : { code, message: "" };
  await remember({ store, clock: dependencies.clock }, { ...rest, role, usage, error });
}

/**
 * A job has Baton's own processes and no plugins. An instruction that a hook would change must not go out unchanged.
 */
function refuseHooks(dependencies: Dependencies, process: { name: string; version: number }): void {
  const [first] = hooksOf(dependencies, process);
  if (first !== undefined)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `\`onInstructionsLoaded\` of ${first.name} changes what agents are told, which \`executor: actions\` cannot do. Use \`executor: local\`.`,
    );
}

/** The attempt's end is in the journal, so the two sides' exchanged data are no longer needed (RA4). */
export async function forget({ store, log }: Pick<Dependencies, "store" | "log">, attempt: Attempt): Promise<void> {
  const operation = operationOf(attempt);
  const { asked, seen, cancel, bundle, result } = attemptValues(operation);
  try {
    const kept = await readValue(store, result);
    if (kept !== null) await writeValue(store, result, { epoch: kept.epoch });
    await removeValues(store, [asked, seen, cancel, bundle]);
  } catch (thrown) {
    log.warn("Baton keeps the files of a runner's attempt until it deletes old rows", {
      operation,
      error: toBatonError(thrown),
    });
  }
}

/** The start of the next attempt: commits of this attempt, or of an earlier one. */
function keptOf({ effect }: PerformContext, kept: Kept | null, bundle: KeptResult["bundle"]): Kept | null {
  if (kept === null || kept.headSha === null) return kept;
  const known = [bundle?.headSha, ...effect.attempts.map((attempt) => attempt.kept?.headSha)];
  return known.includes(kept.headSha) ? kept : { ...kept, headSha: null };
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
  const { runnerWorkflow } = settingsOf(state);
  const started = await github
    .dispatchWorkflow(repository, runnerWorkflow, repository.defaultBranch, { effect: JSON.stringify(order) })
    .catch((thrown: unknown) => {
      throw undispatched(toBatonError(thrown), runnerWorkflow, repository.defaultBranch);
    });
  const asked: Asked = { at: clock.now(), job: started?.id ?? null, url: started?.url ?? null };
  await writeValue(store, attemptValues(operationOf(attempt)).asked, asked);
}

/** The missing setup is known here, and GitHub's own message does not explain it to readers of the thread. */
function undispatched(error: BatonError, workflow: string, branch: string): BatonError {
  const missing = missingFor(error, workflow, branch);
  if (missing === null) return error;
  const code = error.code === "BATON_GITHUB_DENIED" ? error.code : "BATON_RUNNER_ABSENT";
  const message = `\`executor: actions\` cannot start ${workflow}: ${missing}. GitHub says: ${error.message}`;
  return new BatonError(code, message, { cause: error });
}

function missingFor({ code, message }: BatonError, workflow: string, branch: string): string | null {
  const path = `\`.github/workflows/${workflow}\``;
  if (code === "BATON_GITHUB_DENIED")
    return "the App lacks the permission `actions: write`. Set Actions to “Read and write” in the App's settings, then accept it in this installation";
  if (code === "BATON_GITHUB_NOT_FOUND")
    return `there is no ${path} on ${branch} (\`runnerWorkflow\`). \`/baton setup\` proposes it`;
  if (code !== "BATON_GITHUB_CONFLICT") return null;
  if (/disabled workflow/i.test(message))
    return `the workflow is disabled. Enable it: Actions → ${workflow} → “Enable workflow”, or \`gh workflow enable ${workflow}\``;
  if (/workflow_dispatch/.test(message)) return `${path} on ${branch} has no \`on: workflow_dispatch\``;
  if (/unexpected inputs/i.test(message)) return `${path} on ${branch} takes no input \`effect\``;
  return /actions has been disabled/i.test(message) ? "GitHub Actions is disabled for this repository" : null;
}

/**
 * A string: why there will be no result.
 * null: this Baton is stopping, or the last words after a cancellation did not come.
 */
async function waitForResult(context: PerformContext, operation: string): Promise<KeptResult | string | null> {
  const { dependencies, effect, signal, report } = context;
  const { store, clock } = dependencies;
  const since = clock.now();
  const values = attemptValues(operation);
  const asked = await readValue(store, values.asked);
  // The worker claimed before this Baton began to wait, so its requests found nobody. Its time starts now (RA2).
  const heardFrom = (await readValue(store, values.seen)) === null ? 0 : since;
  let cancelledAt: number | null = null;
  let told = false;
  let looked = since;
  for (;;) {
    const result = wholeResult(await readValue(store, values.result));
    if (result !== null) return result;
    if (signal.aborted) {
      // "left" and "lost": another replica, or this Baton's next start, continues to wait.
      if (signal.reason !== "cancelled") return null;
      cancelledAt ??= await cancel(dependencies, operation);
      if (clock.now() > cancelledAt + limits.remoteLastWordsMs) return null;
    }
    const seen = await readValue(store, values.seen);
    if (seen === null && clock.now() > Math.max(asked?.at ?? 0, since) + limits.remoteClaimMs) {
      await fence(dependencies, operation);
      return `No runner came within ${limits.remoteClaimMs / 60_000} minutes.${pageOf(asked)} Is there a runner that is free, and does it reach ${dependencies.publicUrl}?`;
    }
    if (seen !== null && clock.now() > Math.max(seen.at, heardFrom) + limits.remoteLeaseMs) {
      await fence(dependencies, operation);
      return `The runner, job ${seen.job}, was silent for ${limits.remoteLeaseMs / 1_000} s.${pageOf(asked)}`;
    }
    if (seen === null && clock.now() >= looked + limits.remoteJobLookMs) {
      looked = clock.now();
      // The claim may have arrived between the job's end and this check.
      if ((await isOver(context, asked)) && (await readValue(store, values.seen)) === null) {
        await fence(dependencies, operation);
        return `The runner's job ended without asking for the step.${pageOf(asked)} Its log says why: often \`permissions: id-token: write\` is missing, or it does not reach ${dependencies.publicUrl}.`;
      }
    }
    if (seen !== null && !told) {
      told = true;
      report(`on a runner, job ${seen.job}`, effect.attempts.at(-1)?.usage ?? []);
    }
    await clock.sleepUntil(clock.now() + limits.remoteLookMs);
  }
}

function pageOf(asked: Asked | null): string {
  return asked?.url == null ? "" : ` See ${asked.url}.`;
}

async function isOver({ github, state, dependencies }: PerformContext, asked: Asked | null): Promise<boolean> {
  if (asked?.job == null) return false;
  return (
    (await github.workflowRunIsOver(state.thread.repository, asked.job).catch((thrown: unknown) => {
      dependencies.log.debug("A runner's job could not be looked at", { error: toBatonError(thrown) });
      return null;
    })) === true
  );
}

async function cancel({ store, clock }: Pick<Dependencies, "store" | "clock">, operation: string): Promise<number> {
  await writeValue(store, attemptValues(operation).cancel, true);
  return clock.now();
}

/** Acquires the claim's lease, so that a worker that wakes up again finds its epoch refused. */
async function fence(
  { store, clock, owner }: Pick<Dependencies, "store" | "clock" | "owner">,
  operation: string,
): Promise<void> {
  await store.acquireLease(operation, owner, clock.now(), limits.remoteLeaseMs);
}

/** `usage`: the worker's reports, and the maximum of its requests under way. Nobody gets the rest. */
function lost(why: string | null, usage: Usage[]): AttemptResult {
  const error: ErrorData =
    why === null
      ? { code: "BATON_CANCELLED", message: "The step was cancelled while a runner worked on it." }
      : { code: "BATON_ATTEMPT_LOST", message: why, retryAfterMs: 0 };
  return { ok: false, error, usage, kept: null };
}

async function takeIn(
  context: PerformContext,
  input: AgentInput,
  headSha: string,
  harness: string,
): Promise<BundleImport> {
  const { dependencies, state, effect, attempt: number, github } = context;
  const operation = operationOf({ run: state.runId, effect: effect.key, attempt: number });
  const base64 = await readValue(dependencies.store, attemptValues(operation).bundle);
  if (base64 === null) throw new BatonError("BATON_TREE_REFUSED", "The worker's bundle is not there any more.");
  if (input.access !== "write") throw new BatonError("BATON_TREE_REFUSED", "A step that only reads brought commits.");
  const access = await repositoryAccess(github, state.thread.repository, "read");
  await dependencies.workspaces.fetch(access, state.thread.repository.defaultBranch);
  await dependencies.workspaces.fetch(access, input.baseSha).catch(() => {});
  return dependencies.workspaces.importBundle(
    access,
    {
      runId: state.runId,
      name: workspaceName(effect, number),
      baseSha: input.baseSha,
      headSha,
      bytes: Buffer.from(base64, "base64"),
    },
    await commitOptions(context, harness, input.commitSubject ?? effect.title),
  );
}

/** The worker redacted its known secrets; this Baton knows more. */
function redactedKept(kept: Kept | null, redact: (text: string) => string): Kept | null {
  return kept?.partial === undefined ? kept : { ...kept, partial: redactedPartial(kept.partial, redact) };
}
