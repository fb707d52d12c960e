/**
 * Expected outcomes (W3.1): statements that a person can check, and the answers to them, each with its evidence.
 *
 * Owns: their shape, the format of answers, strict reading, display. Does not own: questions of a process (processes).
 * O1 An outcome without an answer, with two answers or without evidence is not met.
 * O2 An answer is the word of its author. Baton shows it as such, and never makes a gate's verdict of it.
 */
import { z } from "zod";
import type { Verdict } from "../core/vocabulary.ts";
import { cut } from "../text/cut.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { cell } from "./cell.ts";
import { lastJsonBlock } from "./json-block.ts";

/** The runtime stratum contains all of them, and is bounded (`limits.promptPlanCharactersMax`). */
export const outcomesMax = 40;
export const outcomeCharactersMax = 200;
const evidenceCharactersMax = 1_000;

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}(?:\.[0-9]{1,2})?$/);
const outcomeSchema = z.object({ id, statement: z.string().min(1).max(outcomeCharactersMax) });
export type Outcome = z.output<typeof outcomeSchema>;
export const outcomesSchema = z.array(outcomeSchema).max(outcomesMax);

export const outcomeAnswerSchema = z.object({
  ...outcomeSchema.shape,
  met: z.boolean(),
  /** False if nobody answered, or not in the requested form. Then `met` is false, too. */
  answered: z.boolean(),
  /** The evidence. Without an answer: why none counts. */
  evidence: z.string(),
});
export type OutcomeAnswer = z.output<typeof outcomeAnswerSchema>;

export interface OutcomeAnswers {
  /** One answer for each outcome, in order. */
  answers: OutcomeAnswer[];
  /** Problems of the answer as a whole. Baton always shows them. */
  problems: string[];
}

const answersSchema = z.strictObject({
  answers: z
    .array(z.strictObject({ id: z.string(), met: z.boolean(), evidence: z.string().max(20_000) }))
    .max(outcomesMax * 2),
});

/** For an agent to read. Its answer names the ids. */
export function listOutcomes(outcomes: readonly Outcome[]): string {
  return outcomes.map(({ id: name, statement }) => `- ${name}: ${statement.replaceAll(/\s+/g, " ")}`).join("\n");
}

/** The format of an agent's answer, for the end of its prompt. Empty if there are no expected outcomes. */
export function answersFormat(outcomes: readonly Outcome[]): string {
  const [first] = outcomes;
  if (first === undefined) return "";
  return [
    `Answer every expected outcome by its id. Find out yourself, with what you have here; the word of who did the work is no evidence. \`met\` is true only where you saw that it holds. \`evidence\` is what you saw: a command and what it printed, a file and line, or what Baton saw. What you could not find out is not met, and its evidence says why.`,
    "End with a fenced block marked `json` that holds the answers, for example:",
    "```json",
    `{"answers": [{"id": ${JSON.stringify(first.id)}, "met": true, "evidence": "\`npm test\`: 14 passed, among them \`sum of two\`"}]}`,
    "```",
  ].join("\n");
}

export function readAnswers(text: string, outcomes: readonly Outcome[]): OutcomeAnswers {
  const found = lastJsonBlock(text);
  const parsed = answersSchema.safeParse(found?.value ?? null);
  const problems: string[] = [];
  if (found === null) problems.push("there is no block of answers");
  else if (!parsed.success)
    problems.push(
      ...parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".") || "answers"}: ${message}`),
    );
  const given = parsed.data?.answers ?? [];
  const known = new Set(outcomes.map((outcome) => outcome.id));
  for (const { id: other } of given)
    if (!known.has(other)) problems.push(`"${other.slice(0, 60)}" is none of the outcomes`);
  return { answers: outcomes.map((outcome) => answerTo(outcome, given)), problems };
}

function answerTo(outcome: Outcome, given: readonly { id: string; met: boolean; evidence: string }[]): OutcomeAnswer {
  const own = given.filter((one) => one.id === outcome.id);
  const not = (why: string): OutcomeAnswer => ({ ...outcome, met: false, answered: false, evidence: why });
  const [answer] = own;
  if (answer === undefined) return not("Not answered.");
  if (own.length > 1) return not("Answered twice.");
  const evidence = answer.evidence.trim();
  if (evidence === "") return not(`Answered with ${answer.met ? "yes" : "no"}, without evidence.`);
  return { ...outcome, met: answer.met, answered: true, evidence: cut(evidence, evidenceCharactersMax, "…") };
}

const head = "| | | Outcome | Evidence |";

/** For the thread and for pull requests. `by` is the author of the answers. null: nobody was asked yet. */
export function renderOutcomes(answers: readonly OutcomeAnswer[], by: string | null): string {
  if (answers.length === 0) return "";
  const rows = answers.map(({ id: name, statement, met, answered, evidence }) => {
    const mark = met ? "✅" : answered ? "❌" : by === null ? "▫️" : "❔";
    return `| ${mark} | \`${name}\` | ${cell(statement, outcomeCharactersMax)} | ${by === null ? "" : cell(evidence, 400)} |`;
  });
  return [
    head,
    "|---|---|---|---|",
    ...rows,
    "",
    by === null
      ? "<sub>Expected by the plan; answered by nobody yet.</sub>"
      : `<sub>Answered by ${neutraliseLine(by)}: its word, with what it says it saw. ❔ is not met.</sub>`,
  ].join("\n");
}

const words: Readonly<Record<string, string>> = { "✅": "met", "❌": "not met", "❔": "not shown", "▫️": "open" };

/**
 * The same table with names of its columns, and words next to its signs. Processes write it without, and their journals hold
 * that text, so it changes on its way to GitHub.
 */
export function readableOutcomes(text: string): string {
  if (!text.includes(head)) return text;
  return text
    .replaceAll(head, "| State | Name | Outcome | Evidence |")
    .replaceAll(/^\| (✅|❌|❔|▫️) \| (?=`)/gm, (_, sign: string) => `| ${sign} ${words[sign] ?? ""} | `);
}

export function unanswered(outcomes: readonly Outcome[]): OutcomeAnswer[] {
  return outcomes.map((outcome) => ({ ...outcome, met: false, answered: false, evidence: "Not answered." }));
}

/**
 * As a verdict, for a process that ends with the findings of a reviewer or tester. Without expected outcomes, nothing is
 * proven.
 */
export function outcomesVerdict({ answers, problems }: OutcomeAnswers, by: string): Verdict {
  const failed = answers.filter(({ met }) => !met);
  const reason =
    answers.length === 0
      ? "No outcomes were expected, so there was nothing to answer."
      : failed.length === 0
        ? `All ${answers.length} expected outcomes hold, says ${by}.`
        : `${failed.length} of ${answers.length} expected outcomes are not shown to hold, says ${by}: ${failed.map((one) => one.id).join(", ")}.${problems.length === 0 ? "" : ` Of its answer: ${problems.join("; ")}.`}`;
  return {
    name: "outcomes",
    status: answers.length === 0 ? "skipped" : failed.length === 0 ? "passed" : "failed",
    reason,
    evidence: [],
    children: answers.map(({ id: name, statement, met, evidence }) => ({
      name,
      status: met ? "passed" : "failed",
      reason: statement,
      evidence: [{ label: "evidence", value: evidence }],
      children: [],
    })),
  };
}
