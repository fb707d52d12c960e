/** What one step leaves to people: the agent's word under its own heading, facts measured by git beside it. */
import type { AgentOutput, FileChange } from "../core/effect.ts";
import { cut } from "../thread/cut.ts";
import { neutralise } from "../thread/neutralise.ts";

const sectionNames = ["Intent", "Decisions", "Risks", "Verification"] as const;
type SectionName = (typeof sectionNames)[number];

/** The sections of an agent's report, leniently: any heading level, bold instead of headings, missing ones left out. */
export function parseHandoff(text: string): Partial<Record<SectionName, string>> {
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
    `### What changed (measured by git)\n\n${diffStat(facts.steps)}`,
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

function diffStat(steps: AgentOutput[]): string {
  const files = new Map<string, FileChange>();
  for (const step of steps) {
    for (const file of step.files) {
      const known = files.get(file.path);
      const add = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);
      files.set(
        file.path,
        known === undefined
          ? file
          : { path: file.path, added: add(known.added, file.added), removed: add(known.removed, file.removed) },
      );
    }
  }
  const rows = [...files.values()]
    .slice(0, 60)
    .map(
      ({ path, added, removed }) =>
        `| \`${neutralise(path).replaceAll("|", "\\|").replaceAll("`", "'")}\` | ${added === null ? "binary" : `+${added}`} | ${removed === null ? "" : `−${removed}`} |`,
    );
  const more = files.size > rows.length ? `\n\n… and ${files.size - rows.length} more files` : "";
  return ["| File | | |", "|---|--:|--:|", ...rows].join("\n") + more;
}
