/**
 * `agent`: a harness in a workspace. Its result is a commit measured by git.
 *
 * Five stages: prepare, instruct, run, collect, settle. Each uses the results of the earlier ones, and `perform` shows
 * them all.
 *
 * X1 The attempt begins where the last one stopped: from its saved commits. It uses the same session if the harness can
 *    resume.
 * X2 Its usage is metered while it runs. At the reserved amount, Baton stops it and keeps its work.
 * X3 Commits are in the trusted repository before the workspace goes (W4), whatever the harness reports.
 * X4 Git finds the changes of a step that may only read. Baton reports and discards them, whatever the harness
 *    promised.
 */

import type { Settings } from "../../config/schema.ts";
import type { AttemptResult } from "../../core/decide.ts";
import { type AgentInput, type AgentOutput, agentInputSchema, type SandboxReport } from "../../core/effect.ts";
import { type ErrorCode, type ErrorData, fromData, toBatonError } from "../../core/errors.ts";
import type { Kept } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Json, Usage } from "../../core/vocabulary.ts";
import { worthwhileUsd } from "../../money/budget.ts";
import { unpriced } from "../../money/cost.ts";
import type { SandboxDecision } from "../../policy/sandbox.ts";
import type { HarnessResult, ToolServer } from "../../ports/harness.ts";
import type { ImportResult, RepositoryAccess, Workspace } from "../../ports/workspace.ts";
import type { Dependencies } from "../dependencies.ts";
import { forget, performRemotely } from "../remote/remote-agent.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import { Activity } from "./activity.ts";
import { AttemptMoney } from "./attempt-money.ts";
import { changeToJudge } from "./change-to-judge.ts";
import { commitOptions } from "./commit-options.ts";
import { confine, hostsOf, sandboxDecision } from "./confine.ts";
import { instruct } from "./instruct.ts";
import { Meter } from "./meter.ts";
import { OutsidePaths } from "./outside-paths.ts";
import { attemptMarker, type PerformContext, type WorkPerformer, workspaceName } from "./performer.ts";
import { type Routed, remember, route, takenOver } from "./route.ts";
import { setUp } from "./set-up.ts";

export const agentPerformer: WorkPerformer = {
  estimateUsd(state, effect) {
    const share = shareLeft(effect);
    const { attemptUsd } = settingsOf(state).limits;
    // Its meter asks for more when the attempt needs more.
    const { costUsd } = effect.hints;
    if (share === null)
      return costUsd === undefined ? attemptUsd : Math.max(Math.min(costUsd, attemptUsd), worthwhileUsd);
    const { budgetUsd, spentUsd, reservedUsd } = state.money;
    // A share above the run's rest is a bound, not a claim: it makes Baton ask nobody for more money.
    const left = budgetUsd - spentUsd - reservedUsd;
    return Math.max(share > left ? Math.min(share, attemptUsd) : share, worthwhileUsd);
  },
  perform: (context) => (isRemote(context.dependencies, context.state) ? performRemotely(context) : perform(context)),
  settled: forget,
  isRemote,
};

/** The most that the attempt may use in the end, if no other attempt uses the run's rest. */
function ceilingOf({ money: { budgetUsd, spentUsd, reservedUsd } }: RunState, meter: Meter): number {
  return Math.min(meter.reservedUsd + Math.max(0, budgetUsd - spentUsd - reservedUsd), meter.shareUsd);
}

/** The rest of the step's own share of the budget after earlier attempts. null: it has no share. */
function shareLeft(effect: EffectState): number | null {
  const shareUsd = effect.kind === "agent" ? effect.input.shareUsd : undefined;
  if (shareUsd === undefined) return null;
  const spent = effect.attempts.filter(({ endedAt }) => endedAt !== null).flatMap(({ usage }) => usage);
  return Math.max(0, shareUsd - spent.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0));
}

function isRemote({ publicUrl }: Pick<Dependencies, "publicUrl">, state: RunState): boolean {
  return publicUrl !== undefined && settingsOf(state).executor === "actions";
}

/** On this machine. A runner performs an effect with the same code. */
export async function perform(context: PerformContext): Promise<AttemptResult> {
  const prepared = await prepare(context);
  const told = await instructAgent(context, prepared);
  const ran = await runHarness(context, prepared, told);
  const left = await collect(context, prepared, ran);
  return settle(context, prepared, told, ran, left);
}

/** The state before the agent gets a prompt or money. */
interface Prepared {
  settings: Settings;
  routed: Routed;
  input: AgentInput;
  sandboxed: SandboxDecision;
  access: RepositoryAccess;
  /** The kept work of the previous attempt. */
  before: Kept | null;
  /** Name of the workspace. */
  name: string;
  /** The commit that the workspace begins at. */
  baseSha: string;
  workspace: Workspace;
  activity: Activity;
  /** These variables show the agent where the setup's downloads are. */
  variables: Record<string, string>;
}

async function prepare(context: PerformContext): Promise<Prepared> {
  const { dependencies, state, effect, attempt, github } = context;
  const asked = agentInputSchema.parse(effect.input);
  const settings = settingsOf(state);
  const routed = await route(context, asked, settings);
  const input: AgentInput = { ...asked, access: routed.choice.access };
  // Before any fetch, prompt or cost.
  const sandboxed = await sandboxDecision(dependencies, settings, routed.harness);
  if (sandboxed.kind === "refused") throw fromData(sandboxed.error);
  const access = await repositoryAccess(github, state.thread.repository, "read");
  const before = await workBefore(context, input, access);
  const name = workspaceName(effect, attempt);
  const baseSha = before?.headSha ?? input.baseSha;
  await dependencies.workspaces.fetch(access, baseSha).catch((thrown: unknown) => {
    // A commit that only the trusted repository has (of an earlier step, not pushed yet) needs no fetch.
    if (toBatonError(thrown).code !== "BATON_GIT_FAILED") throw thrown;
  });
  const reads = input.reads ?? [];
  for (const sha of reads) await dependencies.workspaces.fetch(access, sha);
  const workspace = await dependencies.workspaces.create(access, { runId: state.runId, name, baseSha, reads });
  const activity = new Activity(dependencies.redact);
  const variables = await setUp(context, {
    settings,
    workspace,
    sandboxed,
    access,
    baseSha,
    isFresh: before === null,
    report: (note) => context.report(dependencies.redact(note), []),
  });
  return { settings, routed, input, sandboxed, access, before, name, baseSha, workspace, activity, variables };
}

interface Told {
  system: string;
  user: string;
  promptId: string;
  servers: ToolServer[];
  /** X1 */
  resumeSessionId: string | null;
}

async function instructAgent(context: PerformContext, prepared: Prepared): Promise<Told> {
  const { dependencies } = context;
  const { settings, routed, input, sandboxed, access, before } = prepared;
  const { harness, choice } = routed;
  const resumeSessionId = before?.harness === harness.name ? before.sessionId : (input.resumeSessionId ?? null);
  const servers = toolServersOf(settings, input.access);
  const { system, user, promptId } = await instruct(context, input, {
    harness,
    model: choice.model,
    settings,
    servers: harness.capabilities.toolServers ? servers.map((server) => server.name) : [],
    network: sandboxed.kind === "confined" ? hostsOf(dependencies, settings).hosts : null,
    takenOverFrom: before === null || before.harness === "" || before.harness === harness.name ? null : before.harness,
    headSha: before?.headSha ?? null,
    resumed: resumeSessionId !== null && harness.capabilities.resume,
    change: await changeToJudge(dependencies, input, async () => access),
  });
  return { system, user, promptId, servers, resumeSessionId };
}

interface RanHarness {
  result: HarnessResult;
  meter: Meter;
  usage: Usage[];
  /** The outside reason for the end. null: there is none. */
  stopped: ErrorData | null;
  /** The last refusal of the model's service. */
  refusal: ErrorData | null;
  sandbox(): SandboxReport | undefined;
}

/** X2 */
async function runHarness(context: PerformContext, prepared: Prepared, told: Told): Promise<RanHarness> {
  const { dependencies, state, effect, attempt, signal } = context;
  const { settings, routed, input, sandboxed, workspace, activity } = prepared;
  const { harness } = routed;
  const meter = new Meter(
    harness.name,
    settings,
    effect.attempts.at(-1)?.reservedUsd ?? 0,
    shareLeft(effect) ?? undefined,
    settings.limits.attemptTokens,
  );
  const money = new AttemptMoney(harness.name, meter, context.meter);
  const ceilingUsd = ceilingOf(state, meter);
  const report = (note: string): void =>
    context.report(dependencies.redact(note), meter.usage(), activity.partial(limits.progressTextCharactersMax));
  const turnsMax = Math.min(input.maxTurns ?? settings.limits.turns, settings.limits.turns);
  const { repository } = state.thread;
  const grant = dependencies.models?.grant({
    repository: `${repository.owner}/${repository.name}`,
    priceUsd: (asked, tokens, priceFactor) => meter.priceUsd(asked, tokens, priceFactor),
    reserve: money.reserve,
    unknownPrice: settings.budget.unknownPrice,
    tokensMax: settings.limits.attemptTokens,
    requestsMax: harness.capabilities.maxTurns ? null : turnsMax,
    models: settings.harness.models.length === 0 ? null : settings.harness.models,
    providers: null,
    onUse(use) {
      meter.count(use);
      activity.counted(grant?.uses().reduce((sum, { requests }) => sum + requests, 0) ?? use.requests);
      report(activity.note);
    },
    onRefusal: ({ status, inARow }) => report(`The model's service answered ${status}; ${inARow} in a row`),
  });
  const confined = confine(dependencies, sandboxed, {
    settings,
    workspace,
    harness,
    models: grant?.models ?? {},
    // A verifier builds and runs the tree, so it needs to write there.
    treeReadOnly: input.access === "read-only" && input.role !== "verify",
    onDenied: report,
  });
  const outside = new OutsidePaths(
    [workspace.path, ...workspace.writable],
    confined.confinement?.policy.readable ?? null,
  );
  const capped = AbortSignal.any([signal, meter.exceeded, ...(grant === undefined ? [] : [grant.stopped])]);
  const result = await harness.run(
    {
      cwd: workspace.path,
      homePath: workspace.homePath,
      systemPrompt: told.system,
      prompt: told.user,
      access: input.access,
      model: routed.choice.model,
      resumeSessionId: told.resumeSessionId,
      maxTurns: turnsMax,
      maxUsd: ceilingUsd,
      timeoutMs: Math.min(effect.timeoutMs ?? Number.POSITIVE_INFINITY, settings.limits.agentMinutes * 60_000),
      silenceMs: settings.limits.silenceMinutes * 60_000,
      attemptMarker: attemptMarker(dependencies, state, effect, attempt),
      command: settings.harness.command,
      toolServers: told.servers,
      ...(grant === undefined ? {} : { models: grant.models }),
      confinement: confined.confinement,
      variables: {
        ...prepared.variables,
        BATON_RUN: state.runId,
        BATON_STEP: effect.key,
        BATON_BASE_SHA: prepared.baseSha,
        BATON_ROLE: input.role,
      },
    },
    (event) => {
      meter.take(event);
      if (event.type === "usage") money.reported();
      outside.take(event);
      const note = activity.take(event);
      if (note !== null) report(note);
    },
    capped,
  );
  // Leftover programs of the agent can send no further request, and interrupted requests are counted.
  await grant?.revoke();
  await money.told();
  const usage = meter.settle(result);
  if (meter.fell) report("The harness reported less usage than before; the larger figures count.");
  return {
    result,
    meter,
    usage,
    stopped: grant?.stopReason() ?? confined.limit()?.toData() ?? null,
    refusal: grant?.refusal() ?? null,
    sandbox: () => confined.report(outside.paths),
  };
}

interface Left {
  imported: ImportResult;
  /** X4 */
  discarded: string[];
  transcriptId: string | null;
}

/** X3: even after a failure, a cap or a cancel, Baton first saves the existing work. */
async function collect(context: PerformContext, prepared: Prepared, { result }: RanHarness): Promise<Left> {
  const { dependencies, state } = context;
  const { input, access, name, routed } = prepared;
  const transcriptId =
    result.transcript === "" ? null : await dependencies.store.putBlob(dependencies.redact(result.transcript));
  const writes = input.access === "write";
  const imported = writes
    ? await importWork(context, input, access, name, input.baseSha, routed.harness.name)
    : nothing;
  const discarded = writes ? [] : await strayChanges(context, access, name, prepared.baseSha);
  await dependencies.workspaces.remove(access, { runId: state.runId, name });
  return { imported, discarded, transcriptId };
}

/** The result of the attempt: an error with the kept work, or the output of the step. */
async function settle(
  context: PerformContext,
  { settings, routed, input, before, activity }: Prepared,
  { promptId }: Told,
  { result, meter, usage, stopped, refusal, sandbox: sandboxReport }: RanHarness,
  { imported, discarded, transcriptId }: Left,
): Promise<AttemptResult> {
  const { dependencies, state, signal } = context;
  const { store, clock } = dependencies;
  const { learned = store } = context;
  const { harness, choice } = routed;
  const sandbox = sandboxReport();
  const aside = asideOf(imported);
  const kept: Kept = {
    headSha: imported.headSha ?? before?.headSha ?? null,
    sessionId: result.sessionId,
    harness: harness.name,
    partial: activity.partial(),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...aside,
    ...(transcriptId === null ? {} : { transcriptId }),
  };
  const error = withinShare(
    errorOf(result, meter, signal, stopped, refusal) ??
      unpriced(usage, settings.budget.unknownPrice) ??
      emptyEnd(result, imported, discarded),
    input,
    meter,
  );
  const { durationMs } = result;
  const ran = { harness: harness.name, model: choice.model, role: input.role, error, usage, durationMs };
  await (context.ran === undefined ? remember({ clock, store: learned }, ran, state) : context.ran(ran));
  if (error !== null) return { ok: false, error: takenOver(error, routed), usage, kept };
  const output: AgentOutput = {
    harness: harness.name,
    model: usage[0]?.model ?? choice.model ?? "unknown",
    text: dependencies.redact(result.text),
    sessionId: result.sessionId,
    baseSha: input.baseSha,
    headSha: imported.headSha,
    commits: imported.commits,
    files: imported.files,
    rescued: imported.rescued,
    ...(discarded.length === 0 ? {} : { discarded: discarded.slice(0, limits.discardedPathsMax) }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...aside,
    turns: result.turns,
    transcriptId,
    promptId,
  };
  return { ok: true, output: output as unknown as Json, usage };
}

/** No commit of the agent is lost silently. */
function asideOf({ aside = [] }: ImportResult): Pick<Kept, "aside"> {
  if (aside.length === 0) return {};
  return {
    aside: aside.slice(0, limits.asideMax).map(({ name, headSha, commits, ref }) => ({ name, headSha, commits, ref })),
  };
}

/** X4 */
async function strayChanges(
  { dependencies, state, effect }: PerformContext,
  access: RepositoryAccess,
  name: string,
  baseSha: string,
): Promise<string[]> {
  try {
    const paths = await dependencies.workspaces.strayChanges(access, { runId: state.runId, name, baseSha });
    if (paths.length > 0)
      dependencies.log.warn("A step that only reads changed files; they are discarded", {
        runId: state.runId,
        key: effect.key,
        paths: paths.length,
      });
    return paths;
  } catch (thrown) {
    // Baton removes the tree in any case. Only its changes stay unknown.
    dependencies.log.warn("Baton could not find what a read-only step changed", { key: effect.key, error: thrown });
    return [];
  }
}

const nothing: ImportResult = { headSha: null, commits: 0, files: [], rescued: false };

/** A step that must not write gets only read-only servers. */
function toolServersOf({ mcp }: Settings, access: AgentInput["access"]): ToolServer[] {
  return Object.entries(mcp)
    .filter(([, server]) => access === "write" || server.access === "read-only")
    .map(([name, { command, environment, url }]) =>
      url === null ? { name, command, variables: environment } : { name, url },
    );
}

async function importWork(
  context: PerformContext,
  input: AgentInput,
  access: RepositoryAccess,
  name: string,
  baseSha: string,
  harness: string,
): Promise<ImportResult> {
  const { dependencies, state, effect } = context;
  return dependencies.workspaces.import(
    access,
    { runId: state.runId, name, baseSha },
    await commitOptions(context, harness, input.commitSubject ?? effect.title),
  );
}

function keptBefore(effect: EffectState): Kept | null {
  for (const attempt of [...effect.attempts].reverse()) if (attempt.kept !== null) return attempt.kept;
  return null;
}

/**
 * The kept work of the previous attempt. If its worker died, the work that remains in its workspace.
 * An incomplete change is a start for the next attempt, and is never discarded.
 */
async function workBefore(context: PerformContext, input: AgentInput, access: RepositoryAccess): Promise<Kept | null> {
  const { effect, attempt, dependencies, state } = context;
  const kept = keptBefore(effect);
  const last = effect.attempts.find((one) => one.attempt === attempt - 1);
  if (last?.error?.code !== "BATON_ATTEMPT_LOST" || last.kept !== null) return kept;
  const name = workspaceName(effect, last.attempt);
  try {
    const left =
      input.access === "write" ? await importWork(context, input, access, name, input.baseSha, "unknown") : nothing;
    await dependencies.workspaces.remove(access, { runId: state.runId, name });
    return left.headSha === null ? kept : { headSha: left.headSha, sessionId: null, harness: "" };
  } catch (thrown) {
    dependencies.log.warn("Nothing could be saved from a lost attempt", {
      key: effect.key,
      attempt: last.attempt,
      error: thrown,
    });
    return kept;
  }
}

function errorOf(
  result: HarnessResult,
  meter: Meter,
  signal: AbortSignal,
  stopped: ErrorData | null,
  refusal: ErrorData | null,
): ErrorData | null {
  if (signal.aborted)
    return {
      code: "BATON_CANCELLED",
      message: "The step was cancelled while the harness ran; its work so far is kept.",
    };
  if (meter.exceeded.aborted && meter.exceeded.reason === "tokens") {
    return {
      code: "BATON_HARNESS_TOKENS",
      message: `The tokens of this step are used: ${meter.tokens()} of ${meter.tokensMax} (\`limits.attemptTokens\`). Its work so far is kept.`,
    };
  }
  if (meter.exceeded.aborted && meter.exceeded.reason === "price") return meter.unpriced();
  if (meter.exceeded.aborted) {
    return {
      code: "BATON_BUDGET_EXCEEDED",
      message: `The harness reached ${meter.claimedUsd().toFixed(2)} USD, the rest of the run's budget. Its work so far is kept.`,
    };
  }
  if (result.ok) return null;
  // The proxy ended the attempt, so the harness's own error adds nothing.
  if (stopped !== null) return stopped;
  if (refusal !== null && result.error !== null) {
    // The service's own error is known here in full. The longer one of two pauses applies.
    if (serviceErrors.has(refusal.code) && isVague(result.error.code)) return refusal;
    if (refusal.code === result.error.code && refusal.retryAfterMs !== undefined)
      return { ...result.error, retryAfterMs: refusal.retryAfterMs };
  }
  return result.error ?? { code: "BATON_HARNESS_CRASHED", message: "The harness ended without a result." };
}

/** Errors of the service that end a step permanently, or for the time that it states. */
const serviceErrors: ReadonlySet<ErrorCode> = new Set([
  "BATON_MODEL_UNKNOWN",
  "BATON_PROMPT_TOO_LONG",
  "BATON_HARNESS_QUOTA",
]);

/** True if the harness reports only a failure, or the same error with less detail. */
function isVague(code: ErrorCode): boolean {
  return serviceErrors.has(code) || code === "BATON_HARNESS_CRASHED" || code === "BATON_HARNESS_OUTPUT";
}

/** An end without a word and without a change did nothing, whatever the harness reports. */
function emptyEnd(
  { text }: HarnessResult,
  { commits, files }: ImportResult,
  discarded: readonly string[],
): ErrorData | null {
  if (text.trim() !== "" || commits > 0 || files.length + discarded.length > 0) return null;
  return { code: "BATON_HARNESS_OUTPUT", message: "The agent ended without a word and changed nothing." };
}

/** A step that has used up its own share does not wait for money. Other steps of the run continue with their shares. */
function withinShare(error: ErrorData | null, { shareUsd }: AgentInput, meter: Meter): ErrorData | null {
  if (shareUsd === undefined || error?.code !== "BATON_BUDGET_EXCEEDED") return error;
  return {
    code: "BATON_SHARE_EXCEEDED",
    message: `It used ${meter.spentUsd().toFixed(2)} USD of the ${shareUsd.toFixed(2)} USD that are its share. Its work so far is kept.`,
  };
}
