/** An agent's findings as a comment: its words without effect, then Baton's tables, then the name of the agent. */
import { neutraliseLine, neutraliseWithin } from "../../text/neutralise.ts";

const wordsMax = 30_000;

export function answerText(answer: {
  title: string;
  /** The agent's own. */
  words: string;
  /** Already without effect. */
  parts?: readonly string[];
  by?: { harness: string; model: string };
  sha: string;
}): string {
  const { title, words, parts = [], by, sha } = answer;
  return [
    `### ${title}`,
    neutraliseWithin(words, wordsMax),
    ...parts,
    `<sub>The words are those of ${by === undefined ? "an agent" : `${neutraliseLine(by.harness)} (${neutraliseLine(by.model)})`}, which read ${sha.slice(0, 10)}; nothing was changed.</sub>`,
  ]
    .filter((part) => part.trim() !== "")
    .join("\n\n");
}
