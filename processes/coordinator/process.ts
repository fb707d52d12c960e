/** coordinator: divides a task among several agents at once, and joins their work into one pull request. */
import {
  type AgentOutput,
  compilePlan,
  defineProcess,
  type Handoff,
  handoff,
  outcomesOf,
  type Plan,
  type PlanOutcome,
  type PlanStep,
  type ProcessContext,
  prompts,
  renderPlan,
} from "../../src/index.ts";
import { effectsOf, untilApprovedEffects } from "../guide.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import {
  begin,
  chosen,
  ended,
  makePlan,
  no,
  protectedPathsAllowed,
  publish,
  untilApproved,
  type Work,
  whoAnswers,
} from "../stages.ts";

export const coordinator = defineProcess<WorkInput, WorkOutput>({
  name: "coordinator",
  version: 1,
  summary:
    "Parts an issue into steps that several agents do at once, each in its own paths, and joins them into one pull request.",
  on: ["issue"],
  guide: {
    when: "An issue is large, and its parts touch different files.",
    asks: "Approval of the plan (`breakpoints.plan: ask`), of steps that the plan marks, of paths outside a step's scope, of protected paths, and a review.",
    costs:
      "A planning step and one writing step for each step of the plan; a step whose changes could not be merged is done again. Repairs and rounds of review as with `issue-to-pr`.",
    effects: effectsOf(
      "plan",
      "plan-question",
      "plan-approval",
      "approval",
      "step",
      "outside",
      "join",
      ...untilApprovedEffects,
    ),
  },
  stages: ["Plan", "Work", "Publish", "Checks", "Review", "Finish"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const plan = await makePlan(ctx, input, {
      promptOf: (said) => prompts.split({ ...input, ...whoAnswers(input), ...said }),
      problemsOf: (made) =>
        made.steps.length === 0 ? made.problems : compilePlan(made.steps).problems.map(({ message }) => message),
      revisionsMax: 2,
    });
    if (plan === null) return ended(null, no("The plan was rejected, so nothing was changed."));
    const work: Work = { ...begin(input, renderPlan(plan), outcomesOf(plan)), shared: true };
    const done = await carryOut(ctx, input, work, plan);
    if (work.steps.length === 0) return ended(work, no(`No step changed anything. ${told(done)}`.trim()));
    if (!(await protectedPathsAllowed(ctx, input, work, work.steps)))
      return ended(work, no("Protected paths were changed and nobody allowed it, so nothing was published."));
    const whole = Object.values(done.steps).every(({ outcome }) => outcome === "done" || outcome === "unchanged");
    await publish(ctx, input, work, { draft: !whole });
    // Existing work stays as a draft. Baton never calls half of the work done.
    if (!whole) return ended(work, no(`Not all steps were done, so #${work.pullRequest} is a draft. ${told(done)}`));
    return untilApproved(ctx, input, work);
  },
});

/** Runs the steps in waves. Then `work` has the head, the steps' reports and their results. */
async function carryOut(
  ctx: ProcessContext,
  input: WorkInput,
  work: Work,
  plan: Plan,
): Promise<PlanOutcome<AgentOutput>> {
  const done = await ctx.plan<PlanStep, AgentOutput>("work", plan.steps, {
    baseSha: work.headSha,
    stage: "Work",
    outside: input.settings.protectedPathsBreakpoint === "ask" ? "ask" : "refuse",
    run: (branch, { step, baseSha, conflict, before, beside }) =>
      branch.agent("step", {
        title: `${conflict === null ? "" : "Again: "}${step.title}`.slice(0, 200),
        stage: "Work",
        role: "implement",
        access: "write",
        baseSha,
        commitSubject: step.title.slice(0, 72),
        prompt: prompts.step({
          ...input,
          plan: work.plan,
          outcomes: work.outcomes,
          step: { id: step.id, title: step.title },
          conflict: conflict?.paths ?? [],
          worker: { paths: step.scope, others: beside.map(({ title }) => title) },
          handoffs: step.dependsOn.flatMap((id) => left(plan, id, before[id])),
        }),
        ...chosen(input),
      }),
  });
  work.headSha = done.headSha;
  work.steps.push(
    ...Object.values(done.steps).flatMap(({ outcome, output }) =>
      outcome === "done" && output !== null ? [output] : [],
    ),
  );
  if (work.steps.length > 0) work.last = { role: "implement", title: "The steps of the plan" };
  return done;
}

function left({ steps }: Plan, id: string, output: AgentOutput | undefined): Handoff[] {
  const title = steps.find((step) => step.id === id)?.title ?? id;
  const found = output === undefined ? null : handoff({ role: "implement", title }, "implement", output);
  return found === null ? [] : [found];
}

/** The reasons of the steps that are not done. */
function told({ steps }: PlanOutcome<AgentOutput>): string {
  return Object.entries(steps)
    .filter(([, { outcome }]) => outcome !== "done")
    .map(([id, { outcome, reason }]) => `\`${id}\` ${outcome}: ${reason}`)
    .join(" ");
}
