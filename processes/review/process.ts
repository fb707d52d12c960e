/**
 * review: an agent that did not write a pull request's change reviews it. Its findings become comments on the lines of the
 * change.
 *
 * RV1 Every finding is verified before it is posted: by its line and quote (`place`), and by a second look.
 * RV2 Baton posts nothing twice. With nothing to say, it posts nothing.
 */
import {
  type AgentOutput,
  afterSecondLook,
  answerText,
  BatonError,
  blockingOf,
  type Choice,
  chooseReview,
  defineProcess,
  type EffectOutput,
  type Finding,
  findingComment,
  type Outcome,
  type OutcomeAnswers,
  outcomesVerdict,
  type ProcessContext,
  postedMax,
  postedOf,
  prompts,
  type ReviewFacts,
  type ReviewLines,
  readAnswers,
  readFindings,
  readSecondLook,
  renderFindings,
  renderOutcomes,
  reviewGate,
  reviewGateName,
  standingList,
  summaryText,
  type Verdict,
  withFindings,
} from "../../src/index.ts";
import { readAsked } from "../asked.ts";
import { effectsOf } from "../guide.ts";
import { type ReviewOutput, reviewOutputSchema, type WorkInput, workInputSchema } from "../schema.ts";
import { chosen, no, post, presentSha } from "../stages.ts";

/** Enough to read the places of some findings. */
const secondLookTurns = 20;

export const review = defineProcess<WorkInput, ReviewOutput>({
  name: "review",
  version: 1,
  summary: "Reads the change of a pull request and comments on its lines. Changes and approves nothing.",
  on: ["pull-request"],
  reach: "verify-only",
  guide: {
    when: "You want a pull request looked at before people review it. List items after the command, else what the plan of this pull request expects, are outcomes that the reviewer answers one by one, with evidence. The next review reads only what changed since; words after the command ask for a look at the whole change.",
    asks: "Nothing; it never approves.",
    costs: "One reading step, and a short one of a cheap model that checks the findings.",
    effects: {
      review: "an agent reads the change",
      ...effectsOf("place", "second-look", "post-review", "gate", "post"),
    },
  },
  stages: ["Review", "Verify", "Answer"],
  input: workInputSchema,
  output: reviewOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const listed = readAsked(input.instructions).outcomes;
    const outcomes = listed.length > 0 ? listed : (input.planned?.outcomes ?? []);
    const headSha = presentSha(input);
    const facts = input.review ?? null;
    if (facts === null || input.pullRequest === null) return inOneComment(ctx, input, outcomes, headSha);
    const scene: Scene = { input, facts, headSha, pullRequest: input.pullRequest };
    // The same head has the same findings. Only people's answers to them may differ.
    if (facts.since === headSha) return end(ctx, scene, { choice: standing(facts), read: null, answered: null });
    const read = await ask(ctx, input, {
      outcomes,
      headSha,
      reads: facts.since ?? input.baseSha,
      lines: {
        since: facts.since,
        nits: facts.nits,
        open: openIn(facts).map(({ path, line, text }, index) => ({ id: `e${index + 1}`, path, line, text })),
        closed: facts.earlier.filter(({ state }) => state === "closed").map(({ path, text }) => ({ path, text })),
        instructions: facts.instructions,
      },
    });
    const answered = outcomes.length === 0 ? null : readAnswers(read.text, outcomes);
    const said = readFindings(read.text, { answered: answered !== null });
    if (said.findings === null) return unreadable(ctx, input, { read, words: said.words, answered, headSha });
    const placement = await ctx.place("place", {
      title: "Find the lines of the findings",
      stage: "Verify",
      baseSha: input.baseSha,
      sha: headSha,
      since: facts.since,
      findings: said.findings,
      earlier: openIn(facts).map(({ fingerprint, path, side }) => ({ fingerprint, path, side })),
    });
    const fixedIds = new Set(said.earlier.filter(({ fixed }) => fixed).map(({ id }) => id));
    const fixed = new Set(
      openIn(facts).flatMap(({ fingerprint }, index) => (fixedIds.has(`e${index + 1}`) ? [fingerprint] : [])),
    );
    const candidates = chooseReview(placement, facts, fixed);
    const look = await lookAgain(ctx, scene, candidates);
    const choice = afterSecondLook(candidates, look.agreed);
    return end(ctx, scene, {
      choice,
      read,
      answered,
      words: said.words,
      findings: said.findings,
      secondLook: look.state,
    });
  },
});

interface Scene {
  input: WorkInput;
  facts: ReviewFacts;
  headSha: string;
  pullRequest: number;
}

function openIn({ earlier }: ReviewFacts): ReviewFacts["earlier"] {
  return earlier.filter(({ state }) => state === "open");
}

function standing(facts: ReviewFacts): Choice {
  const nothing = { placed: [], outside: facts.outside, left: [], gone: [] };
  return chooseReview(nothing, facts, new Set());
}

function ask(
  ctx: ProcessContext,
  input: WorkInput,
  {
    outcomes,
    headSha,
    reads,
    lines,
  }: {
    outcomes: Outcome[];
    headSha: string;
    reads: string;
    lines?: ReviewLines;
  },
): Promise<AgentOutput> {
  return ctx.agent("review", {
    title: `Review ${headSha.slice(0, 7)}`,
    stage: "Review",
    role: "review",
    access: "read-only",
    baseSha: headSha,
    reads: [reads],
    prompt: prompts.review({ ...input, outcomes, headSha, ...(lines === undefined ? {} : { lines }) }),
    ...chosen(input),
  });
}

/** A look that fails or answers nothing readable leaves the findings as they are, and the review says so. */
async function lookAgain(
  ctx: ProcessContext,
  { input, facts, headSha }: Scene,
  { post: found }: Choice,
): Promise<{ agreed: ReadonlySet<string> | null; state: "agreed" | "off" | "missing" }> {
  if (facts.secondLookUsd === null || found.length === 0) return { agreed: null, state: "off" };
  const named = found.map((finding, index) => ({ ...finding, id: `f${index + 1}` }));
  try {
    const looked = await ctx.agent("second-look", {
      title: `Check ${named.length} finding${named.length === 1 ? "" : "s"} again`,
      stage: "Verify",
      role: "verify",
      access: "read-only",
      baseSha: headSha,
      shareUsd: facts.secondLookUsd,
      maxTurns: secondLookTurns,
      prompt: prompts.secondLook({ ...input, headSha, findings: named }),
      ...chosen(input),
      model: "fast",
    });
    const holds = readSecondLook(looked.text);
    if (holds === null) return { agreed: null, state: "missing" };
    const agreed = named.filter(({ id }) => holds.includes(id)).map(({ fingerprint }) => fingerprint);
    return { agreed: new Set(agreed), state: "agreed" };
  } catch (thrown) {
    if (!(thrown instanceof BatonError) || thrown.code === "BATON_CANCELLED") throw thrown;
    return { agreed: null, state: "missing" };
  }
}

interface Read {
  choice: Choice;
  /** null: nothing changed since the review before. */
  read: AgentOutput | null;
  answered: OutcomeAnswers | null;
  words?: string;
  findings?: Finding[];
  secondLook?: "agreed" | "off" | "missing";
}

/** Posts the review and the check, and says what the run found. */
async function end(ctx: ProcessContext, scene: Scene, result: Read): Promise<ReviewOutput> {
  const { facts, headSha } = scene;
  const { choice, answered, read, findings = [] } = result;
  const blocking = blockingOf(choice);
  const posted = await postReview(ctx, scene, result);
  const held = answered === null ? null : outcomesVerdict(answered, read?.harness ?? "an agent");
  const verdict = judge(blocking.all, held, headSha);
  await postGate(ctx, scene, choice);
  const known = facts.earlier.filter(({ fingerprint }) => !choice.post.some((one) => one.fingerprint === fingerprint));
  return {
    verdict,
    url: posted?.url ?? null,
    findings,
    answers: answered?.answers ?? [],
    // Findings without a thread are posted again by the next review.
    ...(posted !== null && posted.sha === null
      ? {}
      : {
          reviewed: {
            sha: headSha,
            reviewId: posted?.number ?? facts.reviewId,
            findings: [...known.map(postedOf), ...choice.post.map(postedOf)].slice(-postedMax),
            outside: choice.outside,
            complete: choice.notPosted.tooMany === 0,
            blocking: blocking.threads,
            list: standingList(choice),
          },
        }),
  };
}

/** null: there is nothing to say. */
async function postReview(
  ctx: ProcessContext,
  { facts, headSha, pullRequest }: Scene,
  { choice, read, answered, words = "", secondLook = "off" }: Read,
): Promise<EffectOutput<"publish"> | null> {
  const isSilent = choice.post.length + choice.outside.length + choice.resolved.length === 0 && answered === null;
  if (isSilent && facts.reviewId === null) return null;
  const parts = answered === null ? [] : [renderOutcomes(answered.answers, read?.harness ?? "an agent")];
  const body = summaryText({ sha: headSha, since: facts.since, words, choice, parts, by: read, secondLook });
  const blocks = choice.post.some(({ severity }) => severity === "blocking");
  const { post: comments, resolved } = choice;
  return ctx.publish("post-review", {
    title: "Post the review",
    stage: "Answer",
    publish: {
      operation: "review",
      pullRequest,
      sha: headSha,
      event: blocks ? facts.event : "comment",
      body,
      bodyWithFindings: withFindings(body, comments),
      comments: comments.map((one) => ({
        path: one.path,
        side: one.side,
        line: one.line,
        startLine: one.startLine,
        body: findingComment(one),
      })),
      earlier: facts.reviewId,
      resolve: resolved.flatMap(({ threadId }) => threadId ?? []),
      withdraw: blockingOf(choice).threads === 0,
    },
  });
}

async function postGate(ctx: ProcessContext, { facts, headSha }: Scene, choice: Choice): Promise<void> {
  const { gate, override } = facts;
  if (gate === "off") return;
  const result = reviewGate({ gate, override, blocking: blockingOf(choice).threads, list: standingList(choice) });
  await ctx.publish("gate", {
    title: `Set the check ${reviewGateName}`,
    stage: "Answer",
    publish: { operation: "check", sha: headSha, name: reviewGateName, ...result },
  });
}

async function unreadable(
  ctx: ProcessContext,
  input: WorkInput,
  {
    read,
    words,
    answered,
    headSha,
  }: { read: AgentOutput; words: string; answered: OutcomeAnswers | null; headSha: string },
): Promise<ReviewOutput> {
  const parts = [
    "_The findings could not be read as a list; they are in the words above._",
    ...(answered === null ? [] : [renderOutcomes(answered.answers, read.harness)]),
  ];
  const title = `Review of ${headSha.slice(0, 7)}`;
  const url = await post(ctx, input, answerText({ title, words, parts, by: read, sha: headSha }));
  const held = answered === null ? null : outcomesVerdict(answered, read.harness);
  return { verdict: judge(null, held, headSha), url, findings: null, answers: answered?.answers ?? [] };
}

/** As an older Baton did, and within another process: all findings in one comment of the thread. */
async function inOneComment(
  ctx: ProcessContext,
  input: WorkInput,
  outcomes: Outcome[],
  headSha: string,
): Promise<ReviewOutput> {
  const read = await ask(ctx, input, { outcomes, headSha, reads: input.baseSha });
  const answered = outcomes.length === 0 ? null : readAnswers(read.text, outcomes);
  const { words, findings } = readFindings(read.text, { answered: answered !== null });
  if (findings === null) return unreadable(ctx, input, { read, words, answered, headSha });
  const parts = [
    renderFindings(findings),
    ...(answered === null ? [] : [renderOutcomes(answered.answers, read.harness)]),
  ];
  const title = `Review of ${headSha.slice(0, 7)}`;
  const url = await post(ctx, input, answerText({ title, words, parts, by: read, sha: headSha }));
  const held = answered === null ? null : outcomesVerdict(answered, read.harness);
  const blocking = findings.filter(({ severity }) => severity === "blocking").length;
  return { verdict: judge(blocking, held, headSha), url, findings, answers: answered?.answers ?? [] };
}

function judge(blocking: number | null, held: Verdict | null, headSha: string): Verdict {
  const children = held === null ? [] : [held];
  if (blocking === null) return { ...no("The findings could not be read, so this counts as no review."), children };
  if (blocking > 0)
    return { ...no(`${blocking} finding${blocking === 1 ? "" : "s"} that should not be merged.`), children };
  if (held?.status === "failed") return { ...no(held.reason), children };
  return {
    name: "result",
    status: "passed",
    reason: "Reviewed, with nothing that speaks against merging. The approval is yours.",
    evidence: [{ label: "head", value: headSha }],
    children,
  };
}
