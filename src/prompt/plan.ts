/**
 * A plan as structure (TOOLS-018): steps with effort, risk, what they need and what they come after, beside its words.
 *
 * P1 A plan without steps, or with steps that make no sense, is still a plan in words; the problems are told, never hidden.
 * P2 What is shown for approval is what the next steps get.
 */
import { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { neutralise } from "../thread/neutralise.ts";

const stepSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  title: z.string().min(1).max(200),
  effort: z.enum(["small", "medium", "large"]),
  risk: z.enum(["low", "medium", "high"]),
  /** Ids of steps that come before. */
  dependsOn: z.array(z.string()).max(20).default([]),
  /** What an agent must be able to do for it, in words: `network`, `browser`. */
  needs: z.array(z.string().max(40)).max(10).default([]),
});
const planSchema = z.strictObject({ steps: z.array(stepSchema).min(1).max(20) });
export type PlanStep = z.output<typeof stepSchema>;

export interface Plan {
  /** The words, without the block that holds the steps. */
  text: string;
  /** In an order in which they can be done; empty where none could be read. */
  steps: PlanStep[];
  problems: string[];
}

export const planFormat = [
  "End with a fenced block marked `json` that holds the steps, for example:",
  "```json",
  '{"steps": [{"id": "sum", "title": "Multiply price by count", "effort": "small", "risk": "low", "dependsOn": [], "needs": []}]}',
  "```",
  "`effort` is small, medium or large; `risk` is low, medium or high; `dependsOn` names ids of steps that come before; `needs` names what else must be there, such as `network`.",
].join("\n");

const block = /^(`{3,}|~{3,})json[ \t]*\n([\s\S]*?)\n\1[ \t]*$/gm;

export function parsePlan(text: string): Plan {
  const found = [...text.matchAll(block)].at(-1);
  if (found === undefined) return { text: text.trim(), steps: [], problems: ["it names no steps"] };
  const words = `${text.slice(0, found.index)}${text.slice(found.index + found[0].length)}`.trim();
  const parsed = planSchema.safeParse(readJson(found[2] ?? ""));
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
  return `${text}\n\n${table.join("\n")}`.trim();
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
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
  return [...twice, ...unknown];
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

function cell(text: string): string {
  return neutralise(text).replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}
