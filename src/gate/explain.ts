/**
 * A verdict in words: one sentence, or the whole tree as Markdown. The comment, the check run, the CLI and the dashboard show
 * the same tree; names and reasons may come from others (check names, paths), so callers neutralise what they publish.
 */
import type { Verdict } from "../core/vocabulary.ts";

const statusWords = {
  passed: "passed",
  failed: "failed",
  pending: "waits",
  skipped: "does not count",
  error: "could not be judged",
} as const satisfies Record<Verdict["status"], string>;

const marks = { passed: "✅", failed: "❌", pending: "⏳", skipped: "➖", error: "⚠️" } as const satisfies Record<
  Verdict["status"],
  string
>;

/** For one line of text: the verdict's own sentence, led by what it means. */
export function explainSentence({ name, status, reason }: Verdict): string {
  return `${oneLine(name)} ${statusWords[status]}: ${oneLine(reason)}`;
}

export interface ExplainOptions {
  /** Lines beyond this are counted, not shown. */
  linesMax?: number;
  depthMax?: number;
}

/** Nested list items, most important first: what failed, what could not be judged, what waits; what passed comes last. */
export function explainLines(verdict: Verdict, { linesMax = 60, depthMax = 5 }: ExplainOptions = {}): string[] {
  const lines: string[] = [];
  let left = 0;
  const walk = (node: Verdict, depth: number): void => {
    if (lines.length >= linesMax || depth > depthMax) {
      left += 1;
    } else {
      lines.push(
        `${"  ".repeat(depth)}- ${marks[node.status]} **${plain(node.name)}** ${statusWords[node.status]}: ${oneLine(node.reason)}${links(node)}`,
      );
    }
    for (const child of [...node.children].sort((a, b) => urgency.indexOf(a.status) - urgency.indexOf(b.status)))
      walk(child, depth + 1);
  };
  walk(verdict, 0);
  return left === 0 ? lines : [...lines, `- and ${left} more`];
}

const urgency: readonly Verdict["status"][] = ["failed", "error", "pending", "skipped", "passed"];

function links({ evidence }: Verdict): string {
  const shown = evidence.filter(({ url }) => url !== undefined && /^https?:\/\/[^\s()<>]+$/.test(url));
  return shown.length === 0 ? "" : ` (${shown.map(({ label, url }) => `[${plain(label)}](${url})`).join(", ")})`;
}

/** A name in bold must not end its line, its emphasis or its link. */
function plain(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_[\]<>|]/g, "\\$&");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
