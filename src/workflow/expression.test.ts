/** Expressions and texts with expressions: their values, the names in them, the places of errors, and that they always end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../core/vocabulary.ts";
import { evaluate, isTrue, parseExpression } from "./expression.ts";
import { fill, fillText, parseTemplate } from "./template.ts";

const contexts = ["inputs", "steps"];
const scope: Record<string, Json> = {
  inputs: { name: "Ann", n: 3, list: [1, "two", null], constructor: "own", deep: { "a-b": { c: true } } },
  steps: { build: { outcome: "failed", outputs: null } },
};
const parsed = (source: string) => {
  const result = parseExpression(source, contexts, true);
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};

describe("an expression", () => {
  it.each<[string, Json]>([
    ["inputs.name", "Ann"],
    ["inputs.n > 2 && 'many' || 'few'", "many"],
    ["inputs.list[1]", "two"],
    ["inputs.deep['a-b'].c", true],
    ["inputs.deep.*.c", [true]],
    ["inputs.nothing.at.all", null],
    ["steps.build.outputs.exitCode", null],
    ["steps.build.outcome == 'FAILED'", true],
    ["inputs.constructor", "own"],
    ["inputs.toString", null],
    ["inputs.__proto__", null],
    ["format('{0} and {1}, {{0}}', inputs.name, inputs.n)", "Ann and 3, {0}"],
    ["join(inputs.list, '-')", "1-two-"],
    ["contains(inputs.name, 'an')", true],
    ["fromJSON('{\"a\": [1]}').a[0]", 1],
    ["toJSON(inputs.list)", '[\n  1,\n  "two",\n  null\n]'],
    ["case(inputs.n == 3, 'three', 'other')", "three"],
    ["!always()", false],
    ["1 / 2 == 3", "?"],
  ])("%s", (source, value) => {
    if (value === "?") expect(parseExpression(source, contexts, true).ok).toBe(false);
    else expect(evaluate(parsed(source), scope)).toEqual(value);
  });

  it.each<[string, RegExp, string | null, number]>([
    ["inptus.name", /There is no `inptus` here\. There are: inputs, steps\./, "inputs", 0],
    ["inputs.n == contans('a', 'b')", /There is no function `contans`\. There are: case, contains/, "contains", 12],
    ["constructor(inputs)", /There is no function `constructor`/, null, 0],
    ["toString()", /There is no function `toString`/, null, 0],
    ["inputs.n ==", /cannot be read: Unexpected end of expression/, null, 9],
    ["inputs.n = 3", /cannot be read: Unexpected symbol/, null, 9],
    ["'open", /cannot be read: Unexpected symbol/, null, 0],
    ["contains('a')", /cannot be read: Too few parameters/, null, 0],
    ["hashFiles('**')", /There is no function `hashFiles`/, null, 0],
    ["", /cannot be read/, null, 0],
  ])("%s is told", (source, message, suggestion, offset) => {
    const result = parseExpression(source, contexts, true);
    expect(result).toMatchObject({
      ok: false,
      problem: { message: expect.stringMatching(message), suggestion, offset },
    });
  });

  it("what it names is found wherever it stands, as far as it is written out", () => {
    const { references, only } = parsed(
      "contains(steps.a.outputs[inputs.key], format('{0}', inputs.x['y'].z)) && steps.b",
    );
    expect(references.map(({ path }) => path.join("."))).toEqual([
      "steps.a.outputs",
      "inputs.key",
      "inputs.x.y.z",
      "steps.b",
    ]);
    expect(only).toBeNull();
    expect(parsed(" inputs.x ").only).toMatchObject({ path: ["inputs", "x"], whole: true });
    expect(parsed("fromJSON(inputs.x).y").references.map(({ path }) => path)).toEqual([["inputs", "x"]]);
  });

  it.each([
    ["text that is no JSON", "fromJSON(inputs.name)"],
    ["JSON that is too deep", `fromJSON('${"[".repeat(200)}${"]".repeat(200)}')`],
    [
      "a text that doubles and doubles",
      Array.from({ length: 40 }).reduce<string>((inner) => `format('{0}{0}{0}{0}', ${inner})`, "'xxxxxxxx'"),
    ],
    ["quotes that double and double", Array.from({ length: 40 }).reduce<string>((inner) => `toJSON(${inner})`, "'\"'")],
    ["a format without its argument", "format('{1}', 'a')"],
  ])("%s gives no value, at once", (_, source) => {
    expect(() => evaluate(parsed(source), scope)).toThrow(
      expect.objectContaining({ code: "BATON_EXPRESSION_INVALID" }),
    );
  });

  it("whatever is written: it is read or refused, and what is read ends, twice the same", () => {
    const atom = fc.constantFrom(
      "inputs.name",
      "inputs.list",
      "steps.build",
      "steps['build'].outcome",
      "'it''s'",
      "3",
      "-1.5",
      "true",
      "null",
      "inputs.*",
      "always()",
      "[",
      "}}",
      "$",
      "inputs[",
    );
    const source = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        atom,
        fc
          .tuple(fc.constantFrom("==", "!=", "<", "&&", "||", ">="), tie("tree"), tie("tree"))
          .map(([op, a, b]) => `(${a} ${op} ${b})`),
        fc
          .tuple(
            fc.constantFrom("format", "join", "contains", "toJSON", "fromJSON", "startsWith", "valueOf"),
            tie("tree"),
            tie("tree"),
          )
          .map(([f, a, b]) => `${f}(${a}, ${b})`),
        tie("tree").map((a) => `!${a}`),
      ),
    })).tree;
    fc.assert(
      fc.property(fc.oneof(source, fc.string()), (text) => {
        const result = parseExpression(text, contexts, true);
        if (!result.ok) {
          expect(result.problem.message).not.toBe("");
          expect(result.problem.offset).toBeLessThanOrEqual(text.length);
          return;
        }
        const once = outcome(() => evaluate(result.value, scope));
        expect(once).toEqual(outcome(() => evaluate(result.value, scope)));
        expect(JSON.parse(JSON.stringify(once))).toEqual(once);
      }),
      { numRuns: 400 },
    );
  });

  it("values survive: what goes in comes out", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "small" }), (value) => {
        const given = JSON.parse(JSON.stringify(value)) as Json;
        fc.pre(!twoSpellings(given));
        expect(evaluate(parsed("inputs"), { inputs: given })).toEqual(given);
        expect(evaluate(parsed("fromJSON(toJSON(inputs))"), { inputs: given })).toEqual(given);
      }),
    );
  });

  it.each<[Json, boolean]>([
    [null, false],
    [0, false],
    ["", false],
    [false, false],
    ["false", true],
    [[], true],
    [{}, true],
    [1, true],
  ])("%j counts as %s", (value, counts) => {
    expect(isTrue(value)).toBe(counts);
  });
});

/** Names of Actions are the same in upper and lower case. */
function twoSpellings(value: Json): boolean {
  if (Array.isArray(value)) return value.some(twoSpellings);
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value).map((key) => key.toLowerCase());
  return new Set(keys).size < keys.length || Object.values(value).some((one) => twoSpellings(one ?? null));
}

function outcome(body: () => Json): Json {
  try {
    return body();
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

describe("a text", () => {
  const filled = (text: string): Json => fill(parseTemplate(text, contexts).template, scope);

  it.each<[string, Json]>([
    ["plain", "plain"],
    ["${{ inputs.n }}", 3],
    ["${{ inputs.list }}", [1, "two", null]],
    [" ${{ inputs.n }}", " 3"],
    ["${{ inputs.name }}: ${{ inputs.list }}${{ inputs.nothing }}!", 'Ann: [1,"two",null]!'],
    ["${{ '}}' }}", "}}"],
    ["$ {{ no }} $", "$ {{ no }} $"],
  ])("%s", (text, value) => {
    expect(filled(text)).toEqual(value);
  });

  it("tells which of its expressions is wrong, and where", () => {
    const { problems } = parseTemplate("${{ inputs.n }} ${{ inputs.n == foo }} ${{ inputs.n", contexts);
    expect(problems).toMatchObject([
      { nth: 1, offset: 13, message: expect.stringContaining("`foo`") },
      { nth: 2, message: expect.stringContaining("no end") },
    ]);
  });

  it("status functions are known only in conditions", () => {
    expect(parseTemplate("${{ always() }}", contexts).problems).toMatchObject([
      { message: "`always()` is known only in `if`." },
    ]);
    expect(parseTemplate("${{ always() }}", contexts, true).problems).toEqual([]);
  });

  it("what is written in goes through the writer, also where nothing is around it", () => {
    for (const text of ["${{ inputs.name }}", "x ${{ inputs.name }}"])
      expect(fillText(parseTemplate(text, contexts).template, scope, () => "?")).toBe(text.replace(/\$.*/, "?"));
  });
});
