/**
 * A plan as structure (TOOLS-018): steps with effort, risk, what they need and what they come after, beside its words.
 *
 * P1 A plan without steps, or with steps that make no sense, is still a plan in words; the problems are told, never hidden.
 * P2 What is shown for approval is what the next steps get.
 */
import { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { cell } from "./cell.ts";
import { lastJsonBlock } from "./json-block.ts";
import { type Outcome, outcomeCharactersMax, outcomesMax } from "./outcomes.ts";

const stepSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  title: z.string().min(1).max(200),
  effort: z.enum(["small", "medium", "large"]),
  risk: z.enum(["low", "medium", "high"]),
  /** Ids of steps that come before. */
  dependsOn: z.array(z.string()).max(20).default([]),
  /** What an agent must be able to do for it, in words: `network`, `browser`. */
  needs: z.array(z.string().max(40)).max(10).default([]),
  /** What holds when it is done, each a statement that somebody else can check. */
  outcomes: z.array(z.string().min(1).max(outcomeCharactersMax)).max(10).default([]),
  /** Paths that it may change (`process/scope.ts`); empty: any. */
  scope: z.array(z.string().max(300)).max(50).default([]),
  /** A person approves it before it begins. */
  approval: z.boolean().default(false),
});
const stepsMax = 20;
const planSchema = z.strictObject({ steps: z.array(stepSchema).min(1).max(stepsMax) });
export type PlanStep = z.output<typeof stepSchema>;

export interface Plan {
  /** The words, without the block that holds the steps. */
  text: string;
  /** In an order in which they can be done; empty where none could be read. */
  steps: PlanStep[];
  problems: string[];
}

const example = {
  id: "sum",
  title: "Multiply price by count",
  effort: "small",
  risk: "low",
  dependsOn: [],
  needs: [],
  outcomes: ["Two items at 3 cost 6, which a test shows"],
};

/** `more`: keys that each step has besides, with an example of their values. */
export function planFormat(more: Partial<PlanStep> = {}): string {
  return [
    "End with a fenced block marked `json` that holds the steps, for example:",
    "```json",
    JSON.stringify({ steps: [{ ...example, ...more }] }),
    "```",
    "`effort` is small, medium or large; `risk` is low, medium or high; `dependsOn` names ids of steps that come before; `needs` names what else must be there, such as `network`; `outcomes` are statements that hold when the step is done, each of which somebody else can check as true or false.",
    `Ids are lower-case words joined by hyphens. At most ${stepsMax} steps with ${outcomesMax} outcomes in all; a title or an outcome has at most ${outcomeCharactersMax} characters. No other keys.`,
  ].join("\n");
}

export function parsePlan(text: string): Plan {
  const found = lastJsonBlock(text);
  if (found === null) return { text: text.trim(), steps: [], problems: ["it names no steps"] };
  const words = found.rest;
  const parsed = planSchema.safeParse(found.value);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.join(".") || "steps"}: ${message}`);
    return { text: words, steps: [], problems };
  }
  const { steps } = parsed.data;
  const problems = contradictions(steps);
  const ordered = problems.length > 0 ? [] : inOrder(steps);
  if (ordered === null) return { text: words, steps: [], problems: ["its steps wait for each other in a circle"] };
  return { text: words, steps: ordered, problems };
}

/** The plan as people approve it and agents get it. */
export function renderPlan({ text, steps, problems }: Plan): string {
  if (steps.length === 0)
    return `${text}\n\n_The plan has no steps that could be read: ${problems.join("; ")}._`.trim();
  const rows = steps.map(({ id, title, effort, risk, dependsOn, needs }) =>
    [
      `\`${id}\``,
      cell(title),
      effort,
      risk,
      dependsOn.map((other) => `\`${other}\``).join(", "),
      cell(needs.join(", ")),
    ].join(" | "),
  );
  const table = [
    "| Step | What | Effort | Risk | After | Needs |",
    "|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ];
  const expected = outcomesOf({ steps }).map(({ id, statement }) => `- \`${id}\` ${cell(statement)}`);
  const outcomes = expected.length === 0 ? "" : `\n\nExpected outcomes:\n${expected.join("\n")}`;
  return `${text}\n\n${table.join("\n")}${outcomes}`.trim();
}

/** What the steps are to come to, with ids that answers name: `sum.1`. */
export function outcomesOf({ steps }: Pick<Plan, "steps">): Outcome[] {
  return steps.flatMap(({ id, outcomes }) =>
    outcomes.map((statement, index) => ({ id: `${id}.${index + 1}`, statement })),
  );
}

function contradictions(steps: PlanStep[]): string[] {
  const ids = steps.map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `two steps are called "${id}"`);
  const unknown = steps.flatMap(({ id, dependsOn }) =>
    dependsOn
      .filter((other) => !ids.includes(other))
      .map((other) => {
        const meant = nearest(other, ids);
        return `"${id}" comes after "${other.slice(0, 40)}", which is no step${meant === null ? "" : ` (was "${meant}" meant?)`}`;
      }),
  );
  const outcomes = steps.reduce((sum, step) => sum + step.outcomes.length, 0);
  const tooMany = outcomes > outcomesMax ? [`it names ${outcomes} outcomes, at most ${outcomesMax} are answered`] : [];
  return [...twice, ...unknown, ...tooMany];
}

/** Each after what it depends on, otherwise as given; null: a circle. */
function inOrder(steps: readonly PlanStep[]): PlanStep[] | null {
  const ordered: PlanStep[] = [];
  const left = [...steps];
  while (left.length > 0) {
    const next = left.findIndex(({ dependsOn }) => dependsOn.every((id) => ordered.some((done) => done.id === id)));
    if (next === -1) return null;
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}
