/**
 * The stages of the processes of this folder: each asks for effects and returns the input of the next one.
 *
 * Owns: publish, checks with repair, review with feedback, finish. Does not own: the order of the stages (the `process.ts`
 * files).
 * T1 Only the gate's verdict on the exact head counts as green. A run without that evidence never passes.
 * T2 Baton judges every new head again: checks first, then review.
 */
import {
  type AgentOutput,
  BatonError,
  type BreakpointOutput,
  baseNow,
  type Evidence,
  type Handoff,
  handoff,
  hasCode,
  isOnlyAbsence,
  matchesAny,
  type Outcome,
  type Plan,
  type ProcessContext,
  type Prompt,
  parsePlan,
  prompts,
  pullRequestText,
  questionsOf,
  renderPlan,
  showQuestions,
  toBatonError,
  type Verdict,
  workSettings,
} from "../src/index.ts";
import type { WorkInput, WorkOutput } from "./schema.ts";

export interface Work {
  /** The aim of the run: a plan, or the feedback to address. */
  plan: string;
  /** The expected outcomes of the plan. */
  outcomes: Outcome[];
  headSha: string;
  /** The last known remote head of the branch. null until the first push. */
  pushedSha: string | null;
  steps: AgentOutput[];
  /** The writing steps since this run first wrote the pull request's text. null: it has not yet. */
  since: { title: string; output: AgentOutput }[] | null;
  /** Subjects of commits so far. */
  subjects: string[];
  /** The last writing step. */
  last: { role: "implement" | "repair" | "address"; title: string } | null;
  pullRequest: number | null;
  /** The base branch when the work began. */
  begunFor: string;
  /** The number of updates of the head from its base. */
  updates: number;
  /** Several agents did it together. The pull request's text has a report of each. */
  shared?: boolean;
}

export function begin(input: WorkInput, plan: string, outcomes: Outcome[] = []): Work {
  return {
    plan,
    outcomes,
    headSha: input.branchSha ?? input.baseSha,
    pushedSha: input.branchSha,
    steps: [],
    since: null,
    subjects: [],
    last: null,
    pullRequest: input.pullRequest,
    begunFor: input.baseBranch,
    updates: 0,
  };
}

/** The commit that read-only agents see: the head of the work, or of the base branch if there is no work. */
export function presentSha(input: WorkInput): string {
  return input.branchSha ?? input.baseSha;
}

/** An agent that still asks after these rounds plans with the answers it has. */
const questionRoundsMax = 2;

/** If people approve the plan, they are available for questions. */
export function whoAnswers({ settings }: WorkInput): { questions?: "thread" } {
  return settings.planBreakpoint === "ask" ? { questions: "thread" } : {};
}

/**
 * Makes a plan in words and steps. A person approves it if `breakpoints.plan` is `ask`. null: rejected. A plan without a
 * readable step goes back once. A second one in a row fails the run. `problemsOf` lists obstacles to the plan. With
 * obstacles, the agent revises the plan, at most `revisionsMax` times.
 */
export async function makePlan(
  ctx: ProcessContext,
  input: WorkInput,
  {
    promptOf = (said) => prompts.plan({ ...input, ...whoAnswers(input), ...said }),
    problemsOf = () => [],
    revisionsMax = 0,
  }: {
    promptOf?: (said: { last?: string; feedback: string }) => Prompt;
    problemsOf?: (plan: Plan) => readonly string[];
    revisionsMax?: number;
  } = {},
): Promise<Plan | null> {
  /** All requests since the first attempt. An agent that revises a plan for one request must not forget the earlier ones. */
  const said: string[] = [];
  let last = "";
  let asked = 0;
  let unreadable = false;
  for (let revisions = 0; ; ) {
    const planned = await ctx.agent("plan", {
      title: said.length === 0 ? "Plan the change" : "Revise the plan",
      stage: "Plan",
      role: "plan",
      access: "read-only",
      baseSha: presentSha(input),
      prompt: promptOf({ ...(last === "" ? {} : { last }), feedback: said.join("\n\n") }),
      ...chosen(input),
    });
    const questions =
      asked < questionRoundsMax && input.settings.planBreakpoint === "ask" ? questionsOf(planned.text) : [];
    if (questions.length > 0) {
      asked += 1;
      const { answer, by } = await ctx.ask("plan-question", {
        title: "Answer what the plan depends on",
        stage: "Plan",
        question: showQuestions(questions),
        answerKind: "text",
      });
      said.push(`You asked:\n${questions.join("\n")}\n\n@${by.login} answered:\n${answer}`);
      continue;
    }
    last = planned.text;
    const plan = parsePlan(last);
    if (input.planSteps === "required") {
      if (plan.steps.length === 0) {
        const why = plan.problems.join("; ");
        if (unreadable)
          throw new BatonError(
            "BATON_PLAN_INVALID",
            `The plan has no steps that Baton can read, twice in a row: ${why}.`,
          );
        unreadable = true;
        said.push(
          `Baton could not read the steps of the plan: ${why}. Write the plan again and end it with the steps.`,
        );
        continue;
      }
      unreadable = false;
    }
    const problems = problemsOf(plan);
    if (problems.length > 0) {
      if (revisions >= revisionsMax) throw new BatonError("BATON_PLAN_INVALID", problems.join(" "));
      revisions += 1;
      said.push(`The plan could not be carried out as it was:\n${problems.join("\n")}`);
      continue;
    }
    if (input.settings.planBreakpoint === "auto") return plan;
    const answer = await ctx.breakpoint("plan-approval", {
      title: "Approve the plan",
      stage: "Plan",
      kind: "plan",
      subject: { text: renderPlan(plan) },
    });
    if (answer.decision === "approved") return plan;
    if (answer.decision === "rejected") return null;
    said.push(
      `${answer.by === null ? "Somebody" : `@${answer.by.login}`} asked for changes of the plan:\n${answer.feedback}`,
    );
  }
}

/** Posts the findings in the thread, and returns the comment's address. */
export async function post(ctx: ProcessContext, input: WorkInput, body: string): Promise<string | null> {
  const { url } = await ctx.publish("post", {
    title: "Say it in the thread",
    stage: "Answer",
    publish:
      input.replyTo === undefined || input.pullRequest === null
        ? { operation: "comment", number: input.thread.number, body }
        : { operation: "reply", pullRequest: input.pullRequest, to: input.replyTo, body },
  });
  return url;
}

/** One writing agent step from the current head. False: it changed nothing. */
export async function write(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  step: {
    name: "implement" | "repair" | "address";
    title: string;
    stage: string;
    prompt: Prompt;
    /** If several agents share the budget, this agent's share. */
    shareUsd?: number;
    onlyHarness?: boolean;
    fixes?: { detector: string; fingerprints: string[] };
  },
): Promise<boolean> {
  const last = work.steps.at(-1);
  const output = await ctx.agent(step.name, {
    title: step.title,
    stage: step.stage,
    role: step.name,
    access: "write",
    baseSha: work.headSha,
    prompt: step.prompt,
    commitSubject: subjectOf(input, work, step),
    ...(step.shareUsd === undefined ? {} : { shareUsd: step.shareUsd }),
    ...(step.onlyHarness === undefined ? {} : { onlyHarness: step.onlyHarness }),
    ...(step.fixes === undefined ? {} : { fixes: step.fixes }),
    ...(last?.sessionId == null ? {} : { resumeSessionId: last.sessionId }),
    ...chosen(input),
  });
  work.steps.push(output);
  work.since?.push({ title: step.title, output });
  work.last = { role: step.name, title: step.title };
  if (output.headSha === null || output.headSha === work.headSha) return false;
  work.headSha = output.headSha;
  return true;
}

/** The subject of changes that the agent leaves uncommitted. Two commits of one run do not share a subject. */
function subjectOf(input: WorkInput, work: Work, step: { name: string; title: string }): string {
  const whole = input.thread.title.slice(0, 72);
  if (input.texts === undefined) return whole;
  const said = step.name === "implement" ? whole : step.title.slice(0, 60);
  const before = work.subjects.filter((subject) => subject === said).length;
  work.subjects.push(said);
  return before === 0 ? said : `${said.slice(0, 64)} (${before + 1})`;
}

/** A step's input from earlier steps. */
function goesOn(
  { plan, outcomes, steps, last }: Work,
  to: "repair" | "address",
): { plan: string; outcomes: Outcome[]; handoffs: Handoff[] } {
  const output = steps.at(-1);
  const left = output === undefined || last === null ? null : handoff(last, to, output);
  return { plan, outcomes, handoffs: left === null ? [] : [left] };
}

export function chosen(input: WorkInput): { harness?: string; model?: string } {
  return {
    ...(input.choice.harness === undefined ? {} : { harness: input.choice.harness }),
    ...(input.choice.model === undefined ? {} : { model: input.choice.model }),
  };
}

/** A person must allow changes of CI, of Baton's own configuration and the like before they leave this machine. */
export async function protectedPathsAllowed(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  steps: readonly AgentOutput[] = work.steps.slice(-1),
): Promise<boolean> {
  const touched = [...new Set(steps.flatMap(({ files }) => files.map(({ path }) => path)))].filter((path) =>
    matchesAny(path, input.settings.protectedPaths),
  );
  if (touched.length === 0) return true;
  if (input.settings.protectedPathsBreakpoint === "deny") return false;
  const answer = await ctx.breakpoint("protected-paths", {
    title: `Allow changes of ${touched.length} protected path${touched.length === 1 ? "" : "s"}`,
    stage: "Publish",
    kind: "protected-paths",
    subject: {
      paths: touched,
      text: touched.map((path) => `- \`${path}\``).join("\n"),
      change: { baseSha: presentSha(input), sha: work.headSha },
    },
  });
  return answer.decision === "approved";
}

/** Pushes the head by compare-and-swap, and opens or refreshes the pull request. */
export async function publish(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  { draft = false }: { draft?: boolean } = {},
): Promise<void> {
  const { sha } = await ctx.publish("push", {
    title: `Push ${input.branch}`,
    stage: "Publish",
    publish: { operation: "push", branch: input.branch, sha: work.headSha, expectedSha: work.pushedSha },
  });
  // GitHub's signed commits have other ids, and checks, reviews and the merge are about those.
  work.headSha = sha ?? work.headSha;
  work.pushedSha = work.headSha;
  const text = pullRequestText({
    thread: input.thread,
    plan: work.plan,
    steps: work.steps,
    outcomes: work.outcomes,
    ...(work.shared === undefined ? {} : { shared: work.shared }),
    ...(input.texts === undefined ? {} : { since: work.since ?? [] }),
  });
  work.since ??= [];
  const measured = { baseBranch: input.baseBranch, sha: work.headSha };
  if (work.pullRequest === null) {
    const opened = await ctx.publish("pull-request", {
      title: "Open the pull request",
      stage: "Publish",
      publish: {
        operation: "pull-request",
        head: input.branch,
        base: input.baseBranch,
        title: text.title,
        body: text.body,
        draft,
        measured,
      },
    });
    work.pullRequest = opened.number;
  } else if (input.pullRequest === null) {
    await ctx.publish("refresh", {
      title: "Refresh the pull request's text",
      stage: "Publish",
      publish: { operation: "update-pull-request", pullRequest: work.pullRequest, body: text.body, measured },
    });
  }
}

/** The verdict of the repository's own checks on a commit. */
export function checksOf(
  ctx: ProcessContext,
  input: WorkInput,
  sha: string,
  pullRequest: number | null,
): Promise<Verdict> {
  return ctx.gate(
    "checks",
    {
      title: `Checks on ${sha.slice(0, 7)}`,
      stage: "Checks",
      gate: "checks-green",
      sha,
      ...(pullRequest === null ? {} : { pullRequest }),
      options: { baseBranch: input.baseBranch },
    },
    // The gate has its own time limit per check. This limit only ends a gate that Baton cannot read at all.
    { timeoutMs: input.settings.checksTimeoutMs * 2 },
  );
}

/** The gate on the exact head. While a check is red, its logs go to a repair step and a new push, up to the limit. */
export async function makeChecksGreen(ctx: ProcessContext, input: WorkInput, work: Work): Promise<Verdict> {
  for (let repairs = 0; ; repairs += 1) {
    let checks = await checksOf(ctx, input, work.headSha, work.pullRequest);
    for (let now = baseNow(checks); now !== null; now = baseNow(checks)) {
      if (!(await followBase(ctx, input, work, now))) return { ...withoutLogs(checks), reason: basePathsRefused(now) };
      checks = await checksOf(ctx, input, work.headSha, work.pullRequest);
    }
    if (checks.status !== "failed") return checks;
    // No change of the code can make CI start. So this goes to people, and no agent costs money for it.
    if (isOnlyAbsence(checks)) return withoutLogs(checks);
    if (repairs >= input.settings.repairAttempts) {
      return {
        ...withoutLogs(checks),
        reason: `Still red after ${repairs} repair${repairs === 1 ? "" : "s"} (limit ${input.settings.repairAttempts}): ${checks.reason}`,
      };
    }
    const changed = await write(ctx, input, work, {
      name: "repair",
      title: `Repair the checks (${repairs + 1} of ${input.settings.repairAttempts})`,
      stage: "Checks",
      prompt: prompts.repair({ ...input, ...goesOn(work, "repair"), checks }),
    });
    if (!changed)
      return { ...withoutLogs(checks), reason: `The repair changed nothing, so the checks stay red: ${checks.reason}` };
    if (!(await protectedPathsAllowed(ctx, input, work)))
      return { ...withoutLogs(checks), reason: "The repair changed protected paths and nobody allowed it." };
    await publish(ctx, input, work);
  }
}

const basePathsRefused = (base: string): string =>
  `The base is now \`${base}\`, which protects paths that this change touches, and nobody allowed it.`;

/**
 * Somebody changed the pull request's base branch. From now on, the new branch's rules, settings and approvers count. False:
 * the new branch protects changed paths, and nobody allowed the change.
 */
async function followBase(ctx: ProcessContext, input: WorkInput, work: Work, now: string): Promise<boolean> {
  const before = input.settings.protectedPaths;
  const { branch, sha, settings } = await ctx.base("base", {
    title: `The base is now ${now}: read its rules and settings`.slice(0, 200),
    stage: "Checks",
    pullRequest: work.pullRequest as number,
  });
  Object.assign(input, { baseBranch: branch, baseSha: sha, settings: workSettings(settings) });
  const known = work.steps.map((step) => ({
    ...step,
    files: step.files.filter(({ path }) => !matchesAny(path, before)),
  }));
  return protectedPathsAllowed(ctx, input, work, known);
}

/** A review of exactly this head by a permitted person. */
async function askForReview(ctx: ProcessContext, input: WorkInput, work: Work): Promise<BreakpointOutput> {
  if (input.settings.reviewBreakpoint === "auto")
    return { decision: "approved", by: null, feedback: "", sha: work.headSha, reviewId: null };
  const pullRequest = work.pullRequest;
  if (pullRequest === null) throw new Error("A review needs a pull request.");
  if (input.settings.reviewers.length + input.settings.teams.length > 0) await requestReview(ctx, input, pullRequest);
  return ctx.breakpoint("review", {
    title: `Review of ${work.headSha.slice(0, 7)}`,
    stage: "Review",
    kind: "review",
    subject: { pullRequest, sha: work.headSha, ...elsewhere(input, work) },
  });
}

/** Named only if it differs from the run's first base, which is the default. */
function elsewhere(input: WorkInput, work: Work): { base?: string } {
  return input.baseBranch === work.begunFor ? {} : { base: input.baseBranch };
}

/** The request is a courtesy. If GitHub refuses a reviewer, the step shows that, and everybody permitted may still review. */
async function requestReview(ctx: ProcessContext, input: WorkInput, pullRequest: number): Promise<void> {
  const { reviewers, teams } = input.settings;
  try {
    await ctx.publish("request-review", {
      title: "Request a review",
      stage: "Review",
      publish: { operation: "request-review", pullRequest, reviewers, teams },
    });
  } catch (thrown) {
    const refused = ["BATON_GITHUB_CONFLICT", "BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND"] as const;
    if (!refused.some((code) => hasCode(thrown, code))) throw thrown;
  }
}

/** The agent gets the text of the review as feedback. False: it changed nothing. */
export async function addressReview(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  feedback: string,
  stage: "Address" | "Review" = "Review",
): Promise<boolean> {
  const changed = await write(ctx, input, work, {
    name: "address",
    title: "Address the review",
    stage,
    prompt: prompts.address({ ...input, ...goesOn(work, "address"), feedback }),
  });
  if (!changed || !(await protectedPathsAllowed(ctx, input, work))) return false;
  await publish(ctx, input, work);
  return true;
}

/** Checks and review in turn until both hold for one head, or one of them ends the run. */
export async function untilApproved(ctx: ProcessContext, input: WorkInput, work: Work): Promise<WorkOutput> {
  for (let round = 1; ; round += 1) {
    const checks = await makeChecksGreen(ctx, input, work);
    if (checks.status !== "passed") return ended(work, checks);
    const review = await askForReview(ctx, input, work);
    switch (review.decision) {
      case "approved": {
        const finished = await finish(ctx, input, work, checks, review.by?.login ?? null);
        // null: the head moved between approval and merge, so Baton judges the new head again (T2).
        if (finished !== null) return finished;
        break;
      }
      case "rejected":
        return ended(work, {
          ...no(`The pull request was closed or the work rejected. ${review.feedback}`.trim()),
          children: [checks],
        });
      case "voided": {
        const refused = await followMove(ctx, input, work, review);
        if (refused !== null) return refused;
        break;
      }
      case "changes-requested":
        if (round > input.settings.reviewRounds)
          return ended(
            work,
            no(
              `Changes were asked for ${round} times; the limit is ${input.settings.reviewRounds} (\`limits.reviewRounds\`).`,
            ),
          );
        if (!(await addressReview(ctx, input, work, review.feedback)))
          return ended(work, no("The agent changed nothing that may be published in answer to the review."));
        break;
    }
  }
}

/** The head or base moved, and the run continues from there. Not null: it cannot. */
async function followMove(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  { sha, base }: Pick<BreakpointOutput, "sha" | "base">,
): Promise<WorkOutput | null> {
  work.headSha = sha ?? work.headSha;
  work.pushedSha = work.headSha;
  if (base === undefined || (await followBase(ctx, input, work, base))) return null;
  return ended(work, no(basePathsRefused(base)));
}

async function finish(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  checks: Verdict,
  approvedBy: string | null,
): Promise<WorkOutput | null> {
  const pullRequest = work.pullRequest as number;
  const evidence: Evidence[] = [
    { label: "pull request", value: `#${pullRequest}` },
    { label: "head", value: work.headSha },
    ...(approvedBy === null ? [] : [{ label: "approved by", value: `@${approvedBy}` }]),
  ];
  const passed = (reason: string): Verdict => ({
    name: "result",
    status: "passed",
    reason,
    evidence,
    children: [checks],
  });
  const approval =
    approvedBy === null ? "no review was asked for (`breakpoints.review: auto`)" : `approved by @${approvedBy}`;
  if (input.settings.merge === "manual") {
    return { ...ended(work, passed(`Checks are green and ${approval}; merging is left to people.`)), approvedBy };
  }
  const left = (said: string): WorkOutput => ({
    ...ended(
      work,
      passed(`Checks are green and ${approval}. GitHub did not merge it, so merging is left to people: ${said}`),
    ),
    approvedBy,
  });
  const methods = methodsFrom(input.settings.mergeMethod);
  let queued = false;
  for (let tries = 1; ; tries += 1) {
    const refusal = queued ? null : await merge(ctx, input, work, methods[0] as MergeMethod);
    if (refusal === null && !queued)
      return { ...ended(work, passed(`Merged: checks are green and ${approval}.`)), merged: true, approvedBy };
    if (tries > mergeTriesMax) return left(refusal?.said ?? "too many tries");
    if (refusal?.kind === "method" && methods.length > 1) {
      methods.shift();
      continue;
    }
    if (refusal?.kind === "behind" && work.updates < branchUpdatesMax && (await bringUpToDate(ctx, work, pullRequest)))
      return null;
    if (refusal?.kind === "queue") queued = await enqueue(ctx, input, work, pullRequest);
    const waited = await ctx.breakpoint("merge-wait", {
      title: queued ? `Wait for the merge queue of #${pullRequest}` : `Wait until GitHub merges #${pullRequest}`,
      stage: "Finish",
      kind: "merge",
      subject: {
        pullRequest,
        sha: work.headSha,
        ...(refusal === null ? {} : { text: `GitHub does not merge #${pullRequest} yet: ${refusal.said}` }),
        ...(queued ? { queued } : {}),
        ...elsewhere(input, work),
      },
    });
    if (waited.decision === "voided") return followMove(ctx, input, work, waited);
    if (waited.decision !== "approved") return queued ? left(waited.feedback) : ended(work, no(waited.feedback));
    queued = false;
  }
}

/** Between two tries, a person or GitHub has changed something. */
const mergeTriesMax = 10;
/** The head of a busy base moves again and again. After this many updates, a queue or a person must merge. */
const branchUpdatesMax = 3;

type MergeMethod = WorkInput["settings"]["mergeMethod"];

/** The possible methods, the configured one first. */
function methodsFrom(configured: MergeMethod): MergeMethod[] {
  return [configured, ...(["squash", "merge", "rebase"] as const).filter((method) => method !== configured)];
}

interface Refusal {
  kind: string;
  /** GitHub's own words. */
  said: string;
}

/** null: merged. A moved head or base is not a refusal: the wait for the merge sees it. */
async function merge(ctx: ProcessContext, input: WorkInput, work: Work, method: MergeMethod): Promise<Refusal | null> {
  try {
    await ctx.publish("merge", {
      title: "Merge",
      stage: "Finish",
      publish: {
        operation: "merge",
        pullRequest: work.pullRequest as number,
        sha: work.headSha,
        method,
        ...elsewhere(input, work),
      },
    });
    return null;
  } catch (thrown) {
    const refused = ["BATON_GITHUB_CONFLICT", "BATON_MERGE_REFUSED", "BATON_MERGE_LATER"] as const;
    if (!refused.some((code) => hasCode(thrown, code))) throw thrown;
    const { message, details } = toBatonError(thrown);
    return { kind: details?.["refusal"] ?? "waits", said: details?.["said"] ?? message };
  }
}

/** Merges the base into the head, which Baton then judges again. False: GitHub did not do it. */
async function bringUpToDate(ctx: ProcessContext, work: Work, pullRequest: number): Promise<boolean> {
  work.updates += 1;
  try {
    const { sha } = await ctx.publish("update-branch", {
      title: "Bring the branch up to date with its base",
      stage: "Finish",
      publish: { operation: "update-branch", pullRequest, sha: work.headSha },
    });
    work.headSha = sha ?? work.headSha;
    work.pushedSha = work.headSha;
    return true;
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_MERGE_REFUSED") && !hasCode(thrown, "BATON_GITHUB_CONFLICT")) throw thrown;
    return false;
  }
}

async function enqueue(ctx: ProcessContext, input: WorkInput, work: Work, pullRequest: number): Promise<boolean> {
  try {
    await ctx.publish("enqueue", {
      title: "Put it into the merge queue",
      stage: "Finish",
      publish: { operation: "enqueue", pullRequest, sha: work.headSha, ...elsewhere(input, work) },
    });
    return true;
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_MERGE_REFUSED") && !hasCode(thrown, "BATON_GITHUB_CONFLICT")) throw thrown;
    return false;
  }
}

export function ended(work: Work | null, verdict: Verdict): WorkOutput {
  const pushed = work?.pushedSha ?? null;
  return {
    verdict: withoutLogs(verdict),
    pullRequest: work?.pullRequest ?? null,
    headSha: pushed,
    merged: false,
    approvedBy: null,
    ...(work === null || work.plan === "" ? {} : { planned: { plan: work.plan, outcomes: work.outcomes } }),
  };
}

export function no(reason: string): Verdict {
  return { name: "result", status: "failed", reason, evidence: [], children: [] };
}

/** Logs are for the repair step. A verdict for people links to the check instead. */
export function withoutLogs(verdict: Verdict): Verdict {
  return {
    ...verdict,
    evidence: verdict.evidence.filter(({ label }) => label !== "log"),
    children: verdict.children.map(withoutLogs),
  };
}
