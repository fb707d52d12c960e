/** What one step leaves to people: the agent's word under its own headings. What Baton measured is put below it (`thread/render/measured.ts`). */
import type { AgentOutput } from "../core/effect.ts";
import { cut } from "../thread/cut.ts";
import { neutralise } from "../thread/neutralise.ts";

const sectionNames = ["Intent", "Decisions", "Risks", "Verification"] as const;
type SectionName = (typeof sectionNames)[number];

/** The sections of an agent's report, leniently: any heading level, bold instead of headings, missing ones left out. */
function parseHandoff(text: string): Partial<Record<SectionName, string>> {
  const found: Partial<Record<SectionName, string>> = {};
  const pattern = /^(?:#{1,6}\s*|\*\*)(Intent|Decisions|Risks|Verification)\b[:*\s]*$/gim;
  const marks = [...text.matchAll(pattern)];
  marks.forEach((mark, index) => {
    const name = sectionNames.find((known) => known.toLowerCase() === (mark[1] ?? "").toLowerCase());
    const body = text.slice((mark.index ?? 0) + mark[0].length, marks[index + 1]?.index ?? text.length).trim();
    if (name !== undefined && body !== "") found[name] = body;
  });
  return found;
}

export function pullRequestText(facts: {
  thread: { number: number; kind: "issue" | "pull-request"; title: string };
  plan: string;
  steps: AgentOutput[];
}): { title: string; body: string } {
  const last = [...facts.steps].reverse().find(({ headSha }) => headSha !== null);
  const report = parseHandoff(last?.text ?? "");
  const section = (name: SectionName, otherwise: string): string =>
    `### ${name}\n\n${cut(neutralise(report[name] ?? otherwise), 4_000)}`;
  const parts = [
    facts.thread.kind === "issue" ? `Closes #${facts.thread.number}` : "",
    section("Intent", facts.thread.title),
    section("Decisions", "The agent named none."),
    section("Risks", "The agent named none."),
    section("Verification", "The agent named none; the checks of this pull request are the evidence."),
    `<details><summary>The plan</summary>\n\n${cut(neutralise(facts.plan), 8_000)}\n\n</details>`,
    "<sub>Intent, decisions, risks and verification are the agent's words. Checks and the review decide.</sub>",
  ];
  return {
    title: cut(neutralise(facts.thread.title).replaceAll(/\s+/g, " ").trim() || "Change", 200, "…"),
    body: parts.filter((part) => part !== "").join("\n\n"),
  };
}
