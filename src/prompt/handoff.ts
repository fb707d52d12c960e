/**
 * The result of a step: for another step (bounded, by the two roles), and for people in the pull request.
 * Baton's own measurements follow below the latter (`thread/render/measured.ts`).
 *
 * Owns: splitting a report, and the destination of each section. Does not own: the report's form (`tasks/report.ts`).
 * A1 A handoff never exceeds its tokens, by the estimate of `tokens.ts`. A cut text says so.
 */
import type { AgentInput, AgentOutput } from "../core/effect.ts";

import { defuseSkips } from "../text/commit-effects.ts";
import { cut } from "../text/cut.ts";
import { neutraliseWithin } from "../text/neutralise.ts";
import { pullRequestTitle } from "../text/pull-request-title.ts";
import { cell } from "./cell.ts";
import type { Handoff } from "./facts.ts";
import { type Outcome, type OutcomeAnswer, renderOutcomes, unanswered } from "./outcomes.ts";
import { charactersPerToken } from "./tokens.ts";

const sectionNames = ["Title", "Intent", "Decisions", "Discoveries", "Risks", "Verification", "Next"] as const;
type SectionName = (typeof sectionNames)[number];
type Role = AgentInput["role"];

/** Reads the sections of an agent's report leniently: any heading level, bold instead of headings, missing sections. */
function parseReport(text: string): Partial<Record<SectionName, string>> {
  const found: Partial<Record<SectionName, string>> = {};
  const pattern = /^(?:#{1,6}\s*|\*\*)(Title|Intent|Decisions|Discoveries|Risks|Verification|Next)\b[:*\s]*$/gim;
  const marks = [...text.matchAll(pattern)];
  marks.forEach((mark, index) => {
    const name = sectionNames.find((known) => known.toLowerCase() === (mark[1] ?? "").toLowerCase());
    const body = text.slice((mark.index ?? 0) + mark[0].length, marks[index + 1]?.index ?? text.length).trim();
    if (name !== undefined && body !== "") found[name] = body;
  });
  return found;
}

const questionsMax = 5;

/** An agent's questions for people (`questions: "thread"` in the facts): the lines of a last section `Questions`. */
export function questionsOf(text: string): string[] {
  const below = /^#{1,6}[ \t]*Questions\b[:* \t]*$([\s\S]*)/im.exec(text)?.[1];
  if (below === undefined || /^#{1,6}[ \t]/m.test(below)) return [];
  return below
    .split("\n")
    .map((line) => line.replace(/^[\s>]*(?:[-*]|\d{1,2}[.)])?\s*/, "").trim())
    .filter((line) => line !== "")
    .slice(0, questionsMax)
    .map((line) => cut(line, 500, "…"));
}

/** The same questions for the thread. Mentions, links and commands in them have no effect. */
export function showQuestions(questions: readonly string[]): string {
  return questions.map((question) => cell(question, 500)).join(" ");
}

interface Edge {
  sections: readonly SectionName[];
  /** The list of changed files, as git measured it. */
  diff: boolean;
  tokensMax: number;
}

/**
 * An agent that continues the work gets the decisions and discoveries. An agent that judges it gets the intent and the
 * points to check. It does not get the worker's own verification, because it must find that out.
 */
const goesOn: Edge = { sections: ["Intent", "Decisions", "Discoveries", "Next"], diff: true, tokensMax: 1_500 };
const judges: Edge = { sections: ["Intent", "Decisions", "Risks"], diff: true, tokensMax: 1_000 };
const edges: Readonly<Partial<Record<`${Role}>${Role}`, Edge>>> = {
  // The whole plan goes along as the plan of the run. This edge carries only the rest.
  "plan>implement": { sections: ["Discoveries", "Risks"], diff: false, tokensMax: 500 },
  "implement>verify": judges,
  "implement>review": judges,
  "repair>verify": judges,
  "repair>review": judges,
  "address>verify": judges,
  "address>review": judges,
  // The problem is the step's own task (failures, review). This edge carries only the judge's other discoveries.
  "verify>repair": { sections: ["Discoveries", "Next"], diff: false, tokensMax: 1_000 },
  "review>address": { sections: ["Discoveries", "Next"], diff: false, tokensMax: 1_000 },
};

const filesMax = 40;

/** null: the step left nothing for that role. */
export function handoff(
  from: { role: Role; title: string },
  to: Role,
  output: Pick<AgentOutput, "text" | "files" | "headSha">,
): Handoff | null {
  const { sections, diff, tokensMax } = edges[`${from.role}>${to}`] ?? goesOn;
  const report = parseReport(output.text);
  const parts = sections.flatMap((name) => {
    const body = report[name];
    return body === undefined ? [] : [`${name}: ${body}`];
  });
  if (diff && output.files.length > 0) parts.push(filesOf(output));
  if (parts.length === 0) return null;
  const text = cut(parts.join("\n\n"), tokensMax * charactersPerToken, "\n\n… (the rest of this handoff was cut)");
  return { from: from.role, title: from.title.slice(0, 200), text };
}

function filesOf({ files, headSha }: Pick<AgentOutput, "files" | "headSha">): string {
  const lines = files
    .slice(0, filesMax)
    .map(({ path, added, removed }) => `${path} (+${added ?? "?"} -${removed ?? "?"})`);
  const more = files.length - lines.length;
  return [
    `Changed${headSha === null ? "" : `, at ${headSha}`}:`,
    ...lines,
    ...(more > 0 ? [`and ${more} more files`] : []),
  ].join("\n");
}

function joinReports(reports: readonly Partial<Record<SectionName, string>>[]): Partial<Record<SectionName, string>> {
  return Object.fromEntries(
    sectionNames.flatMap((name) => {
      const bodies = reports.flatMap((report) => (report[name] === undefined ? [] : [report[name]]));
      return bodies.length === 0 ? [] : [[name, bodies.join("\n\n")]];
    }),
  );
}

type Report = Partial<Record<SectionName, string>>;

export function pullRequestText(facts: {
  thread: { number: number; kind: "issue" | "pull-request"; title: string; schedule?: string | undefined };
  plan: string;
  steps: AgentOutput[];
  /** The plan's expected outcomes, and the answers to them. Without an answer they are shown as open. */
  outcomes?: readonly Outcome[];
  answers?: { by: string; answers: readonly OutcomeAnswer[] } | null;
  /** Uses the reports of all steps, not only of the last. */
  shared?: boolean;
  /** The last of `steps`: changes since the pull request was opened. Absent: the last report replaces the others. */
  since?: readonly { title: string; output: AgentOutput }[];
}): { title: string; body: string } {
  const changed = facts.steps.filter(({ headSha }) => headSha !== null);
  const { report, later } = facts.since === undefined ? replacing(facts, changed) : accumulating(facts, changed);
  const section = (name: SectionName, otherwise: string): string =>
    `### ${name}\n\n${neutraliseWithin(report[name] ?? otherwise, 4_000)}`;
  const where = (name: SectionName): string => (report[name] === undefined ? "" : section(name, ""));
  const answered = facts.answers ?? null;
  const outcomes = renderOutcomes(answered?.answers ?? unanswered(facts.outcomes ?? []), answered?.by ?? null);
  const parts = [
    threadLine(facts.thread),
    section("Intent", facts.thread.title),
    later,
    section("Decisions", "The agent named none."),
    where("Discoveries"),
    section("Risks", "The agent named none."),
    section("Verification", "The agent named none; the checks of this pull request are the evidence."),
    where("Next"),
    outcomes === "" ? "" : `### Expected outcomes\n\n${outcomes}`,
    `<details><summary>The plan</summary>\n\n${neutraliseWithin(facts.plan, 8_000)}\n\n</details>`,
    "<sub>Intent, decisions, risks and verification are the agent's words. Checks and the review decide.</sub>",
  ];
  return {
    title: pullRequestTitle(facts.since === undefined ? facts.thread.title : titleOf(report, facts.thread.title)),
    // A repository may use the body as the message of a squash.
    body: defuseSkips(parts.filter((part) => part !== "").join("\n\n")),
  };
}

function replacing(
  { shared }: Parameters<typeof pullRequestText>[0],
  changed: readonly AgentOutput[],
): { report: Report; later: string } {
  const used = shared === true ? changed : changed.slice(-1);
  return { report: joinReports(used.map(({ text }) => parseReport(text))), later: "" };
}

/** The first change says what the pull request is for. Later steps add what they did, and say how it was checked. */
function accumulating(
  { shared, since = [] }: Parameters<typeof pullRequestText>[0],
  changed: readonly AgentOutput[],
): { report: Report; later: string } {
  const after = since.filter(({ output }) => output.headSha !== null);
  const opening = changed.slice(0, changed.length - after.length);
  const first = (shared === true ? opening : opening.slice(-1)).map(({ text }) => parseReport(text));
  const rest = after.map(({ output }) => parseReport(output.text));
  const begun = joinReports(first);
  const all = joinReports([...first, ...rest]);
  const last = [...first, ...rest].toReversed();
  const newest = (name: SectionName): string | undefined => last.find((one) => one[name] !== undefined)?.[name];
  const report: Report = {};
  const set = (name: SectionName, text: string | undefined): void => {
    if (text !== undefined) report[name] = text;
  };
  set("Title", first[0]?.Title);
  set("Intent", begun.Intent);
  for (const name of ["Decisions", "Discoveries", "Risks"] as const) set(name, eachOnce(all[name]));
  set("Verification", newest("Verification"));
  set("Next", last[0]?.Next);
  const lines = after.map(({ title }, index) => {
    const intent = cell(rest[index]?.Intent ?? "", 300);
    return `- ${cell(title, 200)}${intent === "" ? "" : `: ${intent}`}`;
  });
  return { report, later: lines.length === 0 ? "" : `### Since then\n\n${lines.join("\n")}` };
}

/** Several reports repeat decisions that still hold. */
function eachOnce(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const seen = new Set<string>();
  return (
    text
      .split("\n")
      .filter((line) => line.trim() === "" || (!seen.has(line.trim()) && seen.add(line.trim()) !== undefined))
      .join("\n")
      .replaceAll(/\n{3,}/g, "\n\n")
      // One list, not two.
      .replaceAll(/^([-*] [^\n]*)\n\n(?=[-*] )/gm, "$1\n")
      .trim()
  );
}

const titleCharactersMax = 100;
/** Such a title says nothing about the change. */
const emptyTitles = /^(?:changes?|update|fix(?:es)?|implement(?:ed)?|the plan|done|title|n\/?a|none|untitled)\.?$/i;

/** The agent's title, if it is one line that says something. Otherwise the thread's. */
function titleOf({ Title: said = "" }: Report, otherwise: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const title = (lines[0] ?? "").replace(/^[\s#>*"-]+|[\s*".]+$/g, "");
  const fits =
    lines.length === 1 && title.length >= 8 && title.length <= titleCharactersMax && !emptyTitles.test(title);
  return fits ? title : otherwise;
}

/** The dashboard issue stays open, because it is the thread of every schedule. */
function threadLine({ number, kind, schedule }: Parameters<typeof pullRequestText>[0]["thread"]): string {
  if (kind !== "issue") return "";
  return schedule === undefined ? `Closes #${number}` : `For #${number}`;
}
