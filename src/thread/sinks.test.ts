import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { raceTable } from "../../processes/race/table.ts";
import { alive } from "../../test/fakes/alive.ts";
import { hostileTexts } from "../../test/fakes/hostile.ts";
import { summaryOf } from "../action/report.ts";
import { bothChecks, type ConfigCheck, configCheck, processesCheck } from "../config/check.ts";
import { parseConfig } from "../config/parse.ts";
import { configCheckRun } from "../intake/check-config.ts";
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
  "❌ Baton: failed",
];
const allowed = { headings, tags: /^(?:details|summary|sub)$/, closes: ["#7"] };
const table = (text: string): string => `| a | b |\n|---|---|\n| ${text} | end |`;

const step = (text: string): never =>
  ({ text, headSha: "b".repeat(40), baseSha: "a".repeat(40), files: [], commits: 1 }) as never;

const settings = (parseConfig("") as Extract<ReturnType<typeof parseConfig>, { ok: true }>).settings;
const shown = (check: ConfigCheck): string => {
  const { title, summary } = configCheckRun(check, (text) => text);
  return `${title}\n\n${summary}`;
};
/** A pull request's changes to `baton.yaml`, as the check run shows them. */
const checked = (config: unknown): string => {
  const parsed = parseConfig(stringify(config));
  return shown(configCheck({ path: "baton.yaml", parsed, base: settings }));
};
const job = (text: string) => ({
  verdict: "failed" as const,
  reason: text,
  run: null,
  repositoryUrl: "https://github.com/acme/shop",
  thread: null,
  denied: [text],
  steps: 1,
  statePushes: 1,
  apiCalls: { reads: 0, unchanged: 0, writes: 0 },
});

const sinks: Record<string, (text: string) => string> = {
  "check of a configuration: an unknown key": (text) => checked({ [text]: 1 }),
  "check of a configuration: an unknown key below": (text) => checked({ budget: { [text]: 1 } }),
  "check of a configuration: a wrong value": (text) => checked({ merge: { mode: text }, gates: { noChecks: text } }),
  "check of a configuration: a changed value": (text) =>
    checked({ branchPrefix: text, approvals: { reviewers: [text] } }),
  "check of processes": (text) => {
    const path = `.github/baton/processes/${text}.yaml`;
    const problem = { path: text, line: 1, severity: "error", message: text, suggestion: text } as never;
    const check = processesCheck([{ path, problems: [problem] }]);
    return shown(bothChecks(check, check) ?? check);
  },
  "job's summary": (text) => summaryOf(job(text)),
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
