import { describe, expect, it } from "vitest";
import { raceTable } from "../../processes/race/table.ts";
import { alive } from "../../test/fakes/alive.ts";
import { hostileTexts } from "../../test/fakes/hostile.ts";
import { cell } from "../prompt/cell.ts";
import { pullRequestText, showQuestions } from "../prompt/handoff.ts";
import { renderOutcomes } from "../prompt/outcomes.ts";
import { answerText } from "./render/answer.ts";
import { verdictTree } from "./render/parts.ts";

const headings = [
  "Intent",
  "Decisions",
  "Discoveries",
  "Risks",
  "Verification",
  "Next",
  "Expected outcomes",
  "The race",
  "Title",
];
const allowed = { headings, tags: /^(?:details|summary|sub)$/, closes: ["#7"] };
const table = (text: string): string => `| a | b |\n|---|---|\n| ${text} | end |`;

const step = (text: string): never =>
  ({ text, headSha: "b".repeat(40), baseSha: "a".repeat(40), files: [], commits: 1 }) as never;

const sinks: Record<string, (text: string) => string> = {
  "pull request's body": (text) =>
    pullRequestText({
      thread: { number: 7, kind: "issue", title: text },
      plan: text,
      steps: [step(`## Intent\n${text}\n## Risks\n${text}`)],
    }).body,
  "pull request's title": (text) =>
    pullRequestText({ thread: { number: 7, kind: "issue", title: text }, plan: "", steps: [] }).title,
  answer: (text) =>
    answerText({ title: "Title", words: text, by: { harness: text, model: text }, sha: "a".repeat(40) }),
  outcomes: (text) => renderOutcomes([{ id: "a", statement: text, met: true, answered: true, evidence: text }], text),
  questions: (text) => showQuestions([text, text]),
  "verdict tree": (text) =>
    verdictTree({
      name: text,
      status: "failed",
      reason: text,
      evidence: [
        { label: text, value: text },
        { label: text, value: text, url: text },
        { label: "check", value: text, url: "https://github.com/acme/shop/runs/1" },
      ],
      children: [{ name: text, status: "passed", reason: text, evidence: [], children: [] }],
    }),
  cell: (text) => table(cell(text, 60)),
  race: (text) =>
    raceTable(
      {
        judged: [
          { entry: { name: text, finish: { state: "out", reason: text }, costUsd: 1 }, place: null, reason: text },
        ],
        winner: null,
        sentence: text,
      } as never,
      [{ model: text, pullRequest: null }],
    ),
};

describe.each(Object.entries(sinks))("empty-tag-undoes-the-neutraliser, in the %s", (_, sink) => {
  it("is dead, and closes what it opens", () => {
    const wrong = hostileTexts.flatMap((text) => {
      const out = sink(text);
      const effects = alive(out, allowed);
      return effects.length === 0 ? [] : [{ text, effects, out: out.slice(0, 300) }];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});
