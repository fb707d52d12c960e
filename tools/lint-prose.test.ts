/** The rules of prose: old sentences fail, their rewrites pass, and no text of this repository breaks a rule. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { proseFindings } from "./lint-prose.ts";
import { type ProseKind, problemsOf } from "./prose/rules.ts";
import { sentencesOf } from "./prose/sentences.ts";
import { commentsIn, textsIn } from "./prose/sources.ts";

const pairs = JSON.parse(readFileSync(join(import.meta.dirname, "prose/fixture.json"), "utf8")) as {
  old: string;
  new: string;
}[];

function rulesOf(text: string, kind: ProseKind = "guide"): string[] {
  return sentencesOf(text).flatMap((one) =>
    problemsOf(one.text, one.words, kind)
      .filter(({ level }) => level === "error")
      .map(({ rule }) => rule),
  );
}

describe("the fixture", () => {
  it("has 200 old sentences and their rewrites", () => {
    expect(pairs.length).toBeGreaterThanOrEqual(200);
    expect(new Set(pairs.map((one) => one.old)).size).toBe(pairs.length);
  });

  it("every old sentence fails", () => {
    expect(pairs.filter((one) => rulesOf(one.old).length === 0)).toEqual([]);
  });

  it("every rewrite passes", () => {
    expect(pairs.filter((one) => rulesOf(one.new).length > 0)).toEqual([]);
  });
});

describe("rules", () => {
  it.each([
    ["a question may begin with its word", "What changed between the two commits?", []],
    ["code is not a word of the sentence", "Run `mend --anew for ever` in the folder.", []],
    ["headings are names", "## What an agent can reach\n\nNothing.", []],
    ["there is no run", "There is no run on this thread.", []],
    ["rules for long runs", "It does not change rules for long runs.", []],
    ["once more than", "Once more than one agent works, Baton waits.", []],
    ["was gone before", "The agent was gone before the push.", []],
    ["as before a time", "It works as before the upgrade.", []],
    ["no different", "This is no different from a retry.", []],
    ["is no longer", "The run is no longer active.", []],
    ["a cell of a table", "| Name | Meaning |\n| --- | --- |\n| a | Whoever asks. |", ["whoever"]],
    ["a cell with a clause", "| Name |\n| --- |\n| What fails is shown to a person. |", ["clause-subject"]],
    ["a column's name is a name", "| Who may ask for it |\n| --- |\n| People. |", []],
    ["the text after a colon", "Two rules: what fails is shown to a person.", ["clause-subject"]],
    ["a question after a colon", "Ask the team: what changed between the two commits?", []],
    ["code after a colon", "Write this: `what fails is shown`.", []],
    ["a second sentence in a list", "- Good.\n- What fails is shown to a person.", ["clause-subject"]],
  ])("%s", (_, text, expected) => {
    expect(rulesOf(text)).toEqual(expected);
  });

  it("long sentences are warnings, by where they stand", () => {
    const sentence = `Baton ${"checks the branch and ".repeat(5)}stops.`;
    expect(problemsOf(sentence, 22, "guide")).toEqual([]);
    expect(problemsOf(sentence, 22, "message")).toMatchObject([{ rule: "length", level: "warning" }]);
  });

  it("texts of the code are found with their lines, values and all", () => {
    const code =
      "const a = 1;\nthrow new Error(`What $" +
      '{a} left is kept for ever.`);\nconst sql = "select a from b where c";\n';
    expect(textsIn("a.ts", code)).toEqual([
      { path: "a.ts", line: 2, text: "What `…` left is kept for ever.", kind: "message" },
    ]);
  });
});

it("comments are read with their lines", () => {
  const [comment] = commentsIn("a.ts", "const a = 1;\n/**\n * Kept.\n */\n");
  expect([comment?.line, comment?.text.trim()]).toEqual([2, "Kept."]);
});

it("no text of this repository breaks a rule", () => {
  const errors = proseFindings(join(import.meta.dirname, "..")).filter(({ level }) => level === "error");
  expect(errors.map(({ path, line, rule, sentence }) => `${path}:${line} ${rule}: ${sentence}`)).toEqual([]);
});
