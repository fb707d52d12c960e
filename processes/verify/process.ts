/** verify: runs checks and commands, and answers expected outcomes one by one, each with evidence. */
import {
  type AgentOutput,
  answerText,
  defineProcess,
  type EffectOutput,
  type Outcome,
  outcomesVerdict,
  type ProcessContext,
  prompts,
  readAnswers,
  readExpected,
  renderOutcomes,
  type Verdict,
} from "../../src/index.ts";
import { readAsked } from "../asked.ts";
import { effectsOf } from "../guide.ts";
import { type VerifyOutput, verifyOutputSchema, type WorkInput, workInputSchema } from "../schema.ts";
import { checksOf, chosen, no, post, presentSha, withoutLogs } from "../stages.ts";

export const verify = defineProcess<WorkInput, VerifyOutput>({
  name: "verify",
  version: 1,
  summary: "Runs checks and commands and answers expected outcomes one by one, with evidence. Changes nothing.",
  reach: "verify-only",
  guide: {
    when: "You want to know whether something is really done. List items after the command are the outcomes, lines that begin with `$` are commands; without a list the outcomes are those of the plan of this thread or pull request, else drawn from what the thread asks for.",
    asks: "Nothing.",
    costs:
      "One reading step, one more where the outcomes are drawn from the thread; commands and checks cost no model.",
    effects: effectsOf("expect", "checks", "command", "verify", "post"),
  },
  stages: ["Expect", "Run", "Verify", "Answer"],
  input: workInputSchema,
  output: verifyOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const asked = readAsked(input.instructions);
    const outcomes = await expected(ctx, input, asked.outcomes);
    if (outcomes.length === 0)
      return {
        verdict: no("Nobody says what should hold. Name it after the command, one list item an outcome."),
        url: null,
        answers: [],
      };
    const checks = input.pullRequest === null ? null : await checksOf(ctx, input, presentSha(input), input.pullRequest);
    const commands = await runAll(ctx, input, asked.commands);
    const seen = [
      ...commands.map(({ verdict }) => ({
        what: verdict.name,
        result: `${verdict.reason}\n${verdict.evidence[0]?.value ?? ""}`,
      })),
      ...(checks === null ? [] : [{ what: "The checks of the pull request", result: checks.reason }]),
    ];
    const read = await ask(
      ctx,
      input,
      "verify",
      "Answer the expected outcomes",
      prompts.verify({ ...input, outcomes, seen }),
    );
    const answered = readAnswers(read.text, outcomes);
    const children = [
      ...(checks === null ? [] : [withoutLogs(checks)]),
      ...commands.map(({ verdict }) => ({ ...verdict, evidence: [] })),
      outcomesVerdict(answered, read.harness),
    ];
    const parts = [
      renderOutcomes(answered.answers, read.harness),
      ...(children.length === 1 ? [] : [children.slice(0, -1).map(line).join("\n")]),
    ];
    const title = `Verification of ${presentSha(input).slice(0, 7)}`;
    const url = await post(ctx, input, answerText({ title, words: "", parts, by: read, sha: presentSha(input) }));
    const failed = children.filter(({ status }) => status !== "passed");
    const reason =
      failed.length === 0
        ? `All ${outcomes.length} expected outcomes hold.`
        : failed.map((one) => one.reason).join(" ");
    return {
      verdict: { name: "result", status: failed.length === 0 ? "passed" : "failed", reason, evidence: [], children },
      url,
      answers: answered.answers,
    };
  },
});

/**
 * Outcomes from the person who asks, otherwise from the plan. If there are none, an agent that does not judge lists them
 * from the thread.
 */
async function expected(ctx: ProcessContext, input: WorkInput, listed: Outcome[]): Promise<Outcome[]> {
  if (listed.length > 0) return listed;
  if (input.planned != null && input.planned.outcomes.length > 0) return input.planned.outcomes;
  return readExpected((await ask(ctx, input, "expect", "Say what should hold", prompts.expect(input))).text);
}

function ask(
  ctx: ProcessContext,
  input: WorkInput,
  name: "expect" | "verify",
  title: string,
  prompt: ReturnType<typeof prompts.expect>,
): Promise<AgentOutput> {
  return ctx.agent(name, {
    title,
    stage: name === "expect" ? "Expect" : "Verify",
    role: "verify",
    access: "read-only",
    baseSha: presentSha(input),
    // The agent that lists the outcomes does not see the work. Otherwise it would expect only the existing behavior.
    ...(name === "expect" || input.pullRequest === null ? {} : { reads: [input.baseSha] }),
    prompt,
    ...chosen(input),
  });
}

interface Ran {
  output: EffectOutput<"shell">;
  verdict: Verdict;
}

async function runAll(ctx: ProcessContext, input: WorkInput, commands: readonly string[][]): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const command of commands) {
    const shown = command.join(" ");
    const output = await ctx.shell("command", {
      title: `Run ${shown}`.slice(0, 200),
      stage: "Run",
      command,
      sha: presentSha(input),
    });
    const how = output.exitCode === null ? `was stopped by ${output.signal}` : `ended with ${output.exitCode}`;
    ran.push({
      output,
      verdict: {
        name: shown.slice(0, 200),
        status: output.exitCode === 0 ? "passed" : "failed",
        reason: `\`${shown.replaceAll("`", "").slice(0, 200)}\` ${how}.`,
        evidence: [{ label: "output", value: output.output.slice(-8_000) }],
        children: [],
      },
    });
  }
  return ran;
}

function line({ status, reason }: Verdict): string {
  return `- ${status === "passed" ? "✅" : "❌"} ${reason}`;
}
