/**
 * race: several harnesses make the same change at once. The repository's CI decides, then the smaller diff, then the cost.
 * The winner continues as issue-to-pr does.
 *
 * N1 A contestant that fails, spends its share or changes nothing is out, and the table says so. The others continue.
 * N2 However the race ends, even by a cancel, no contestant's branch stays, unless another author pushed to it.
 * N3 A push by a contestant follows the same rules as any push: protected paths need a person.
 */
import {
  type AgentOutput,
  BatonError,
  defineProcess,
  hasCode,
  outcomesOf,
  type Plan,
  type ProcessContext,
  prompts,
  renderPlan,
  toBatonError,
} from "../../src/index.ts";
import { type WorkOutput, workOutputSchema } from "../schema.ts";
import {
  begin,
  ended,
  makePlan,
  no,
  protectedPathsAllowed,
  publish,
  untilApproved,
  type Work,
  write,
} from "../stages.ts";
import { type Contestant, nameOf, type RaceInput, raceInputSchema } from "./input.ts";
import { type Entry, type Finish, judge } from "./judge.ts";
import { raceTable, raceVerdict, type Shown } from "./table.ts";

interface Raced {
  entry: Entry;
  shown: Shown;
  contestant: Contestant;
  /** The contestant's work, from which the winner continues. */
  work: Work;
}

/** Branches that a push was requested for. Baton deletes each at the end (N2). */
type Pushed = Map<string, string>;

export const race = defineProcess<RaceInput, WorkOutput>({
  name: "race",
  version: 1,
  summary:
    "Several agents make the same change at once; CI, then the smaller diff, then the cost choose the one that becomes the pull request.",
  guide: {
    when: "You want to choose among the work of several agents: `/baton race`, which names them.",
    asks: "As `issue-to-pr`.",
    costs: "A planning step, one writing step for each contestant within its share, then as `issue-to-pr`.",
  },
  // A pull request already has a branch, so the other contestants would have none.
  on: ["issue"],
  stages: ["Plan", "Race", "Judge", "Publish", "Checks", "Review", "Finish"],
  input: raceInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const plan = await makePlan(ctx, input);
    if (plan === null) return ended(null, no("The plan was rejected, so nothing was changed."));
    const pushed: Pushed = new Map();
    try {
      const raced = await contend(ctx, input, plan, pushed);
      const judgement = judge(raced.map(({ entry }) => entry));
      const winner = raced.find(({ entry }) => entry === judgement.winner?.entry);
      await ctx.publish("verdict", {
        title: "Say who won the race",
        stage: "Judge",
        publish: {
          operation: "comment",
          number: input.thread.number,
          body: raceTable(
            judgement,
            raced.map(({ shown }) => shown),
          ),
          verdict: raceVerdict(judgement),
        },
      });
      if (winner === undefined) return ended(null, { ...no(judgement.sentence), children: [raceVerdict(judgement)] });
      const { harness, model } = winner.contestant;
      const own = { ...input, choice: { harness, ...(model === undefined ? {} : { model }) } };
      const { work } = winner;
      await publish(ctx, own, work);
      await prune(ctx, pushed);
      const output = await untilApproved(ctx, own, work);
      return {
        ...output,
        verdict: { ...output.verdict, children: [...output.verdict.children, raceVerdict(judgement)] },
      };
    } catch (thrown) {
      await prune(ctx, pushed);
      throw thrown;
    }
  },
});

/** Runs all contestants at once, each independently. Only a cancel ends them together. */
async function contend(ctx: ProcessContext, input: RaceInput, plan: Plan, pushed: Pushed): Promise<Raced[]> {
  const { contestants } = input.race;
  const branches = Object.fromEntries(
    contestants.map((contestant) => [
      contestant.slug,
      (own: ProcessContext) => compete(own, input, contestant, plan, pushed),
    ]),
  );
  const raced = await ctx.parallel("race", branches);
  return contestants.map(({ slug }) => raced[slug] as Raced);
}

async function compete(
  ctx: ProcessContext,
  race: RaceInput,
  contestant: Contestant,
  plan: Plan,
  pushed: Pushed,
): Promise<Raced> {
  const { harness, model, branch } = contestant;
  const name = nameOf(contestant);
  const input = { ...race, branch, choice: { harness, ...(model === undefined ? {} : { model }) } };
  const work = begin(input, renderPlan(plan), outcomesOf(plan));
  const raced = (finish: Finish, costUsd: number | null, pullRequest: number | null = null): Raced => {
    const step = work.steps.at(-1) ?? null;
    return {
      entry: { name, costUsd, finish },
      shown: { model: step?.model ?? model ?? "", pullRequest },
      contestant,
      work,
    };
  };
  const out = (reason: string): Raced => raced({ state: "out", reason }, work.steps.at(-1)?.costUsd ?? null);
  try {
    const changed = await write(ctx, input, work, {
      name: "implement",
      title: `${name}: implement the plan`,
      stage: "Race",
      prompt: prompts.implement({ ...input, plan: work.plan, outcomes: work.outcomes }),
      shareUsd: race.race.shareUsd,
      onlyHarness: true,
    });
    if (!changed) return out("changed nothing");
    if (!(await protectedPathsAllowed(ctx, input, work))) return out("changed protected paths, and nobody allowed it");
    pushed.set(branch, work.headSha);
    const { sha } = await ctx.publish("push", {
      title: `Push ${branch}`,
      stage: "Race",
      publish: { operation: "push", branch, sha: work.headSha, expectedSha: null },
    });
    work.headSha = sha ?? work.headSha;
    pushed.set(branch, work.headSha);
    const pullRequest = race.race.checks === "push" ? null : await draft(ctx, race, contestant);
    const checks = await ctx.gate(
      "checks",
      {
        title: `${name}: checks on ${work.headSha.slice(0, 7)}`,
        stage: "Race",
        gate: "checks-green",
        sha: work.headSha,
        ...(pullRequest === null ? {} : { pullRequest }),
        options: { baseBranch: race.baseBranch },
      },
      { timeoutMs: race.settings.checksTimeoutMs * 2 },
    );
    const failedChecks = checks.children.filter(({ status }) => status === "failed").length;
    const step = work.steps.at(-1) as AgentOutput;
    const finish: Finish = {
      state: "judged",
      green: checks.status === "passed",
      failedChecks,
      lines: step.files.reduce((sum, { added, removed }) => sum + (added ?? 0) + (removed ?? 0), 0),
      sha: work.headSha,
    };
    return raced(finish, step.costUsd ?? null, pullRequest);
  } catch (thrown) {
    if (hasCode(thrown, "BATON_CANCELLED")) throw thrown;
    const { code, message, details } = toBatonError(thrown);
    const cost = work.steps.at(-1)?.costUsd ?? (details?.["costUsd"] === undefined ? null : Number(details["costUsd"]));
    return raced({ state: "out", reason: `${code}: ${message}` }, cost);
  }
}

/** Opens a draft for CI that begins only with a pull request. If GitHub has no drafts, the branch must be enough. */
async function draft(ctx: ProcessContext, input: RaceInput, contestant: Contestant): Promise<number | null> {
  try {
    const { number } = await ctx.publish("draft", {
      title: `Open a draft for the checks of ${nameOf(contestant)}`,
      stage: "Race",
      publish: {
        operation: "pull-request",
        head: contestant.branch,
        base: input.baseBranch,
        title: `Race: ${nameOf(contestant)}`,
        body: "One of several tries at the same change. This draft is here so that the checks run on it; it is closed when the race is over, and the winner becomes a pull request of its own.",
        draft: true,
      },
    });
    return number;
  } catch (thrown) {
    if (
      !["BATON_GITHUB_CONFLICT", "BATON_GITHUB_DENIED"].some((code) => hasCode(thrown, code as "BATON_GITHUB_DENIED"))
    )
      throw thrown;
    return null;
  }
}

/** GitHub closes the draft of a deleted branch. If a deletion fails, its step shows that, and the run continues. */
async function prune(ctx: ProcessContext, pushed: Pushed): Promise<void> {
  const branches = [...pushed];
  pushed.clear();
  const deleteAll = async (shielded: ProcessContext): Promise<void> => {
    for (const [branch, sha] of branches) {
      try {
        await shielded.publish("delete", {
          title: `Delete ${branch}`,
          stage: "Judge",
          publish: { operation: "delete-branch", branch, expectedSha: sha },
        });
      } catch (thrown) {
        if (!(thrown instanceof BatonError)) throw thrown;
      }
    }
  };
  // GitHub may refuse writes for an hour.
  await ctx.shielded("prune", deleteAll, { atMostMs: 2 * 3_600_000 });
}
