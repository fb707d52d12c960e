/**
 * Begins a run: gathers the facts once and journals them as its input. One transaction writes the run, the thread and the
 * wake-up.
 */

import { type Settings, settingsSchema } from "../config/schema.ts";
import { workSettingsOf } from "../config/work-settings.ts";
import { BatonError, fromData, toBatonError } from "../core/errors.ts";
import type { RunEvent, StartedBy } from "../core/event.ts";
import type { Priority } from "../core/priority.ts";
import { authorsOf } from "../core/state.ts";
import type { Json, RunId } from "../core/vocabulary.ts";
import { worthwhileUsd } from "../money/budget.ts";
import { forkSettings } from "../policy/fork-lane.ts";
import { outsideOf } from "../policy/paths.ts";
import type { Without } from "../policy/preflight.ts";
import type { CommentFacts, ReviewFacts } from "../ports/github.ts";
import type { Fence } from "../ports/store.ts";
import { refuseHarness } from "../routing/harness-names.ts";
import { createRun, refuseSecondRun, runIdOf } from "../runner/create-run.ts";
import { dayLeft, demandDayLeft } from "../runner/day-budget.ts";
import { dashboardRule, slotOf } from "../runner/ledger-rows.ts";
import { hostsOf, sandboxDecision } from "../runner/perform/confine.ts";
import { sweepFacts, sweepLeftUsd } from "../runner/sweep-memory.ts";
import type { SweepFacts } from "../sweep/facts.ts";
import type { BeginContext } from "./context.ts";
import { demandPlaceOf } from "./demand-place.ts";
import { demandServed } from "./demand-served.ts";
import { type FoundProcess, RepositoryProcesses, readInputs, refuseInputs } from "./load-processes.ts";
import { plannedBefore } from "./planned.ts";
import { demandPreflight } from "./preflight.ts";
import { projectInstructions } from "./project-instructions.ts";
import { reviewFacts } from "./review-facts.ts";

export interface BeginOptions {
  process: string | null;
  harness: string | null;
  model: string | null;
  budgetUsd: number | null;
  instructions: string;
  /** Inputs of a process of the repository. Words of the instructions add to these. */
  inputs?: Record<string, unknown>;
  retryOf: RunId | null;
  /** Things that a person said the run does without. */
  without?: readonly Without[];
  /** The contestants, if the process is a race. */
  race?: RaceChoice;
  /** The rule that begins it. If its thread is the dashboard issue, the text there is not the task. */
  startedBy?: StartedBy;
  /** Default: `low` for a sweep, `normal` for everything else. */
  priority?: Priority;
  /** Minutes until people want the result. Default: no time. */
  deadlineMinutes?: number | null;
  /** The comment at a line whose thread gets the answer. Default: the thread of the run. */
  replyTo?: number | null;
  /** Files and folders that the run is about. Default: the whole repository. */
  paths?: readonly string[];
  /** Further decisions to journal. */
  decided?: RunEvent[];
  /** The lease under which Baton decided to start it. */
  holds?: Fence;
}

export interface RaceChoice {
  contestants: { slug: string; harness: string; model?: string }[];
}

/** The share of a race's budget that is kept for the plan and for repairs of the winner. */
const raceRest = 0.2;

const commentsMax = 30;
/** Branches of earlier runs of a thread or rule, one of which may have an open pull request. */
const branchesTried = 50;

/** Demand (`demandPossible`), choose (process, inputs, budget), gather (`gatherInput`), create. */
export async function beginRun(given: BeginContext, options: BeginOptions): Promise<RunId> {
  const isFork = given.pullRequest !== null && given.pullRequest.headRepositoryId !== given.repository.id;
  const allowed = isFork ? forkSettings(given.settings) : given.settings;
  const context = { ...given, settings: within(allowed, options.paths ?? []) };
  const { dependencies, settings, repository, issue, pullRequest, actor, operationKey } = context;
  const { store } = dependencies;
  const runId = runIdOf(operationKey);
  const thread = {
    repository,
    number: issue.number,
    kind: pullRequest === null ? ("issue" as const) : ("pull-request" as const),
  };
  if ((await store.run(runId)) === null) {
    await refuseSecondRun(store, slotOf({ thread, startedBy: options.startedBy ?? null }), runId);
    const process = options.process ?? settings.process ?? (pullRequest === null ? "issue-to-pr" : "address-review");
    if (process === "race" && options.race === undefined)
      throw new BatonError("BATON_COMMAND_INVALID", "A race needs its contestants: `/baton race claude codex`.");
    if (isFork) demandReading(process, options.instructions, settings);
    await demandPossible(context, options, isFork);
    const found = await processOf(context, process);
    const { definition, file } = found;
    const given = file === null ? { inputs: {}, rest: options.instructions } : readInputs(file, options.instructions);
    // A retry begins with the inputs of its first run, unchanged.
    if (options.retryOf === null) refuseInputs(given.rest, Object.keys(file?.inputs ?? {}));
    const inputs = { ...options.inputs, ...given.inputs };
    // YP2: the smaller one counts.
    const budgetUsd = Math.min(
      options.budgetUsd ?? settings.budget.runUsd,
      file?.budgetUsd ?? Number.POSITIVE_INFINITY,
      process === "sweep" ? await sweepBudget(context) : Number.POSITIVE_INFINITY,
    );
    if (budgetUsd > settings.budget.maxUsd) {
      throw new BatonError(
        "BATON_COMMAND_INVALID",
        `A budget of $${budgetUsd.toFixed(2)} is more than \`budget.maxUsd\` allows ($${settings.budget.maxUsd.toFixed(2)}).`,
      );
    }
    await createRun(dependencies, {
      operationKey,
      definition,
      input: {
        ...(await gatherInput(
          context,
          // A process that only reads does not push or merge.
          { ...options, process, instructions: given.rest, pushes: definition.reach === undefined },
          budgetUsd,
        )),
        ...(file === null ? {} : { inputs }),
      },
      thread,
      requestedBy: actor,
      commentId: context.commentId,
      instructions: options.instructions,
      budgetUsd,
      settings: settings as unknown as Json,
      settingsSha: context.settingsSha,
      retryOf: options.retryOf,
      ...(options.startedBy === undefined ? {} : { startedBy: options.startedBy }),
      priority: options.priority ?? (process === "sweep" ? "low" : "normal"),
      deadline: options.deadlineMinutes == null ? null : dependencies.clock.now() + options.deadlineMinutes * 60_000,
      ...(options.holds === undefined ? {} : { holds: options.holds }),
      events: [
        { type: "policy.decided", action: context.command.name, actor, verdict: context.verdict, operationKey },
        ...(options.decided ?? []),
      ],
    });
  }
  await context.runner.wake(runId, true);
  return runId;
}

/** Settings of a run that is about some paths: every other path is protected. */
function within(settings: Settings, paths: readonly string[]): Settings {
  if (paths.length === 0) return settings;
  const outside = outsideOf(paths);
  const read = settingsSchema.shape.protectedPaths.safeParse([...settings.protectedPaths, outside]);
  if (read.success) return { ...settings, protectedPaths: read.data };
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `\`paths\` cannot be used: ${read.error.issues[0]?.message ?? "they are too long"}. Name fewer, or folders in place of globs.`,
  );
}

/** Money first: a shortage that would refuse every attempt refuses the run. */
async function demandPossible(
  context: BeginContext,
  options: Pick<BeginOptions, "harness" | "model">,
  isFork = false,
): Promise<void> {
  const { dependencies, settings, repository } = context;
  const known = [...dependencies.harnesses.keys()];
  const harness = options.harness ?? settings.harness.default;
  if (!known.includes(harness)) refuseHarness(harness, known);
  if (options.model !== null) demandServed(options.model, options.harness, known, settings);
  const confined = await demandSandbox(context, harness).catch((thrown: unknown) => {
    throw isFork ? laneClosed(toBatonError(thrown).message) : thrown;
  });
  if (isFork && !confined) throw laneClosed("agents run without a sandbox here.");
  if (harness === "command" && settings.harness.command.length > 0 && !dependencies.repositoryCommands && !confined) {
    throw new BatonError(
      "BATON_POLICY_DENIED",
      "`harness.command` in `baton.yaml` names a program, and the operator of this Baton does not let repositories do so. " +
        "The operator can allow it with BATON_REPOSITORY_COMMANDS=allow, or with a working sandbox (`baton sandbox test`). Without the key the operator's own command is used.",
    );
  }
  const [program] = Object.entries(settings.mcp).find(([, { command }]) => command.length > 0) ?? [];
  if (program !== undefined && !dependencies.repositoryCommands && !confined) {
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `\`mcp.${program}\` in \`baton.yaml\` names a program, and the operator of this Baton does not let repositories do so. ` +
        "The operator can allow it with BATON_REPOSITORY_COMMANDS=allow, or with a working sandbox (`baton sandbox test`). Servers with a `url` need no permission.",
    );
  }
  if (settings.executor === "actions" && dependencies.publicUrl === null) {
    throw new BatonError(
      "BATON_POLICY_DENIED",
      "`executor: actions` in `baton.yaml` needs an address at which runners reach this Baton, and its operator has set none (BATON_PUBLIC_URL).",
    );
  }
  demandDayLeft(await dayLeft(dependencies, repository.id, settings.budget));
}

/** A fork's head is read, and nothing of it runs. */
function demandReading(process: string, instructions: string, { executor }: Settings): void {
  if (!["review", "explore", "verify"].includes(process))
    throw new BatonError("BATON_POLICY_DENIED", `\`${process}\` does not read only, so it does not run on a fork.`);
  if (process === "verify" && /^\s*\$\s/m.test(instructions))
    throw new BatonError(
      "BATON_POLICY_DENIED",
      "On a fork, `verify` only reads: it runs no commands. Leave out the lines that begin with `$`.",
    );
  if (executor === "actions") throw laneClosed("`executor: actions` starts agents on runners.");
}

function laneClosed(why: string): BatonError {
  return new BatonError(
    "BATON_POLICY_DENIED",
    `Baton reads a fork's head only in a working sandbox, so it does not read this one: ${why}`,
  );
}

/** True if agents of this run are confined. */
async function demandSandbox({ dependencies, settings }: BeginContext, harness: string): Promise<boolean> {
  // A runner checks its own machine before its agent starts.
  if (settings.executor === "actions" && dependencies.publicUrl !== undefined) return false;
  const decision = await sandboxDecision(dependencies, settings, dependencies.harnesses.get(harness) ?? null);
  if (decision.kind === "refused") throw fromData(decision.error);
  if (decision.kind !== "confined") return false;
  const [refused] = hostsOf(dependencies, settings).refused;
  if (refused !== undefined)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `\`${refused.entry}\` of \`sandbox.network\` or \`mcp\` in \`baton.yaml\` is not reachable here: ${refused.reason}`,
    );
  return true;
}

/** Finds a process by name: first among Baton's own, then among those of the repository. */
async function processOf(context: BeginContext, name: string): Promise<FoundProcess> {
  const { pullRequest } = context;
  const processes = repositoryProcesses(context);
  const found = await processes.find(name);
  if (found === null) throw await processes.unknown(name);
  if (found.file !== null) demandPlaceOf(context.dependencies.processes, found.definition, pullRequest);
  return found;
}

export function repositoryProcesses(
  context: Pick<BeginContext, "dependencies" | "github" | "repository" | "settingsSha">,
): RepositoryProcesses {
  const { dependencies, github, repository, settingsSha } = context;
  return new RepositoryProcesses(dependencies.processes, github, repository, settingsSha);
}

async function gatherInput(
  context: BeginContext,
  options: BeginOptions & { pushes: boolean },
  budgetUsd: number,
): Promise<Record<string, unknown>> {
  const { github, repository, issue, pullRequest, settings, dependencies } = context;
  const baseBranch = pullRequest?.baseRef ?? repository.defaultBranch;
  const baseSha = await github.branchSha(repository, baseBranch);
  if (baseSha === null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `The branch ${baseBranch} has no commit yet, so there is nothing to work from.`,
    );
  const { bot } = await dependencies.github.identity();
  const rule = dashboardRule(options.startedBy);
  const said = rule === null ? await saidIn(context) : { comments: [], reviewIds: [] };
  const comments = said.comments
    .filter(
      ({ author, body }) => author.kind === "user" && author.id !== bot.id && !body.trimStart().startsWith("/baton"),
    )
    .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0))
    .slice(-commentsMax);
  // Baton has already looked up the author of this comment.
  const permissions = new Map<string, string>([[context.actor.login, context.actor.permission]]);
  const author = rule === null ? issue.author.login : context.actor.login;
  for (const login of new Set([author, ...comments.map(({ author }) => author.login)]))
    if (!permissions.has(login)) permissions.set(login, await github.permission(repository, login));
  const branch =
    pullRequest === null
      ? await chooseBranch(context, options.startedBy, options.process === "sweep")
      : { name: pullRequest.headRef, sha: pullRequest.headSha, pullRequest: pullRequest.number };
  const notes = options.pushes
    ? await demandPreflight(context, {
        branch,
        base: { branch: baseBranch, sha: baseSha },
        without: options.without ?? [],
        authors: authorsOf({ startedBy: options.startedBy ?? null }),
      })
    : [];
  return {
    thread: {
      number: issue.number,
      kind: pullRequest === null ? "issue" : "pull-request",
      // The text of the dashboard issue is not a task.
      ...(rule === null
        ? { title: issue.title, body: issue.body }
        : { title: titleOf(options), body: "", schedule: rule }),
      author,
      authorPermission: permissions.get(author) ?? "none",
      comments: comments.map(({ author, body }) => ({
        author: author.login,
        permission: permissions.get(author.login) ?? "none",
        body,
      })),
    },
    instructions: options.instructions,
    repository: { owner: repository.owner, name: repository.name },
    baseBranch,
    baseSha,
    branch: branch.name,
    branchSha: branch.sha,
    projectInstructions: await projectInstructions(context.github, repository, baseSha, options.paths),
    choice: {
      ...(options.harness === null ? {} : { harness: options.harness }),
      ...(options.model === null ? {} : { model: options.model }),
    },
    settings: workSettingsOf(settings),
    planned: await plannedBefore(context),
    planSteps: "required",
    texts: "accumulate",
    ...(said.reviewIds.length === 0 ? {} : { reviewIds: said.reviewIds }),
    pullRequest: branch.pullRequest,
    ...(notes.length === 0 ? {} : { notes }),
    ...((options.paths ?? []).length === 0 ? {} : { paths: options.paths }),
    ...(options.process === "sweep" ? { sweep: await sweepOf(context) } : {}),
    ...(options.replyTo == null ? {} : { replyTo: options.replyTo }),
    ...(options.process === "review" && pullRequest !== null
      ? { review: await reviewFacts(context, pullRequest, options.instructions) }
      : {}),
    ...(options.race === undefined ? {} : { race: await raceInput(context, options.race, branch.name, budgetUsd) }),
  };
}

/** The first line of the task becomes the title of its pull request. */
function titleOf({ startedBy, instructions }: Pick<BeginOptions, "startedBy" | "instructions">): string {
  const [first = ""] = instructions.trim().split("\n");
  const rule = startedBy?.kind === "trigger" ? "Trigger" : "Schedule";
  return first === "" ? `${rule} ${startedBy?.name ?? ""}` : first.slice(0, 120);
}

async function saidIn({ github, repository, issue, pullRequest }: BeginContext): Promise<{
  comments: Pick<CommentFacts, "author" | "body" | "createdAt">[];
  /** Includes requests for changes: the run answers them, and waits for new ones. */
  reviewIds: number[];
}> {
  const comments = await github.comments(repository, issue.number);
  const reviews = pullRequest === null ? [] : await github.reviews(repository, pullRequest.number);
  return {
    comments: [...comments, ...reviewTexts(reviews)],
    reviewIds: reviews.filter(({ state }) => state === "changes-requested").map(({ id }) => id),
  };
}

async function sweepOf({ dependencies, github, repository, settings }: BeginContext): Promise<SweepFacts> {
  if (settings.sweep.detectors.length === 0)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      "`sweep.detectors` in `baton.yaml` is empty, so a sweep finds nothing. Name at least one.",
    );
  const { store, clock } = dependencies;
  return sweepFacts({ store, github, clock }, repository, settings);
}

/** The money that all sweeps together have left. With too little, the run still looks but proposes nothing. */
async function sweepBudget({ dependencies, repository, settings }: BeginContext): Promise<number> {
  const left = await sweepLeftUsd(dependencies, repository.id, settings);
  return left === null ? Number.POSITIVE_INFINITY : Math.max(worthwhileUsd, left);
}

/** Each contestant has an equal share and its own branch, whose name is free. */
async function raceInput(
  { github, repository, settings }: BeginContext,
  { contestants }: RaceChoice,
  branch: string,
  budgetUsd: number,
): Promise<unknown> {
  const named = [];
  for (const contestant of contestants) {
    let name = `${branch}-${contestant.slug}`;
    for (let count = 2; (await github.branchSha(repository, name)) !== null; count += 1)
      name = `${branch}-${contestant.slug}-${count}`;
    named.push({ ...contestant, branch: name });
  }
  const shareUsd = Math.floor((budgetUsd * (1 - raceRest) * 100) / contestants.length) / 100;
  if (shareUsd < worthwhileUsd)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `A budget of $${budgetUsd.toFixed(2)} leaves ${contestants.length} contestants nothing to work with. Give more with \`--budget\`.`,
    );
  return { contestants: named, shareUsd, checks: settings.race.checks };
}

/** Texts of reviews from before the run, each with the places that it names. `/baton run` is asked to address them. */
function reviewTexts(reviews: ReviewFacts[]): Pick<CommentFacts, "author" | "body" | "createdAt">[] {
  return reviews.flatMap(({ author, state, body, comments, submittedAt }) => {
    const places = comments.map(({ path, line, body: text }) => `${path}${line === null ? "" : `:${line}`}: ${text}`);
    const text = [body, ...places].filter((part) => part.trim() !== "").join("\n\n");
    return state === "dismissed" || text === ""
      ? []
      : [{ author, body: `Review (${state}): ${text}`, createdAt: submittedAt }];
  });
}

/**
 * Names a branch such as `baton/issue-12-fix-the-sum`. A branch of an earlier run is used again while its pull request is
 * open.
 */
async function chooseBranch(
  { github, repository, issue, settings, operationKey }: BeginContext,
  startedBy: StartedBy | undefined,
  /** True for a sweep: each one proposes on its own branch. */
  isNew: boolean,
): Promise<{ name: string; sha: string | null; pullRequest: number | null }> {
  const rule = dashboardRule(startedBy);
  const own = rule === null ? `issue-${issue.number}-${slug(issue.title)}` : `${startedBy?.kind}-${rule}`;
  const stem = `${settings.branchPrefix}${own}`;
  for (let count = 1; count <= (isNew ? 1 : branchesTried); count += 1) {
    const name = count === 1 ? stem : `${stem}-${count}`;
    const sha = await github.branchSha(repository, name);
    if (sha === null) return { name, sha: null, pullRequest: null };
    const open = (await github.pullRequestsForBranch(repository, name))[0];
    if (open !== undefined && !isNew) return { name, sha: open.headSha, pullRequest: open.number };
  }
  // Repositories may keep the branches of merged and closed proposals. The run's id is free.
  const name = `${stem}-${runIdOf(operationKey).slice("run_".length).slice(0, 10)}`;
  return { name, sha: await github.branchSha(repository, name), pullRequest: null };
}

function slug(title: string): string {
  const words = title
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return words.slice(0, 40).replace(/-+$/, "") || "work";
}
