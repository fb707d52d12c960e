/** review: an agent that did not write a pull request's change reviews it, and lists its findings in the thread. */
import {
  answerText,
  defineProcess,
  outcomesVerdict,
  prompts,
  readAnswers,
  readFindings,
  renderFindings,
  renderOutcomes,
  type Verdict,
} from "../../src/index.ts";
import { readAsked } from "../asked.ts";
import { effectsOf } from "../guide.ts";
import { type ReviewOutput, reviewOutputSchema, type WorkInput, workInputSchema } from "../schema.ts";
import { chosen, no, post, presentSha } from "../stages.ts";

export const review = defineProcess<WorkInput, ReviewOutput>({
  name: "review",
  version: 1,
  summary: "Reads the change of a pull request and names findings in the thread. Changes and approves nothing.",
  on: ["pull-request"],
  reach: "verify-only",
  guide: {
    when: "You want a pull request looked at before people review it. List items after the command, else what the plan of this pull request expects, are outcomes that the reviewer answers one by one, with evidence.",
    asks: "Nothing; it never approves.",
    costs: "One reading step.",
    effects: { review: "an agent reads the change", ...effectsOf("post") },
  },
  stages: ["Review", "Answer"],
  input: workInputSchema,
  output: reviewOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const listed = readAsked(input.instructions).outcomes;
    const outcomes = listed.length > 0 ? listed : (input.planned?.outcomes ?? []);
    const headSha = presentSha(input);
    const read = await ctx.agent("review", {
      title: `Review ${headSha.slice(0, 7)}`,
      stage: "Review",
      role: "review",
      access: "read-only",
      baseSha: headSha,
      reads: [input.baseSha],
      prompt: prompts.review({ ...input, outcomes, headSha }),
      ...chosen(input),
    });
    const answered = outcomes.length === 0 ? null : readAnswers(read.text, outcomes);
    const { words, findings } = readFindings(read.text, { answered: answered !== null });
    const parts = [
      findings === null
        ? "_The findings could not be read as a list; they are in the words above._"
        : renderFindings(findings),
      ...(answered === null ? [] : [renderOutcomes(answered.answers, read.harness)]),
    ];
    const title = `Review of ${headSha.slice(0, 7)}`;
    const url = await post(ctx, input, answerText({ title, words, parts, by: read, sha: headSha }));
    const held = answered === null ? null : outcomesVerdict(answered, read.harness);
    return {
      verdict: judge(findings?.filter(({ severity }) => severity === "blocking").length ?? null, held, headSha),
      url,
      findings,
      answers: answered?.answers ?? [],
    };
  },
});

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
