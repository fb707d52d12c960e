/** Mistakes in YAML processes: each at its line and column, with the allowed values and a suggestion. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KnownProcesses } from "./check.ts";
import { parseProcess } from "./parse.ts";

const known: KnownProcesses = new Map([
  [
    "issue-to-pr",
    {
      input: { type: "object", properties: { instructions: { type: "string" } }, additionalProperties: false },
      output: {},
    },
  ],
  [
    "count",
    {
      input: {
        type: "object",
        properties: { total: { type: "integer" }, label: { type: "string" } },
        required: ["total"],
        additionalProperties: false,
      },
      output: {
        type: "object",
        properties: { sum: { type: "number" } },
        required: ["sum"],
        additionalProperties: false,
      },
    },
  ],
]);

/** `at`: line:column of the first problem, counted from the first line of the text. */
const mistakes: [name: string, text: string, at: string, message: RegExp, suggestion?: string][] = [
  ["no YAML", "summary: [x", "1:12", /not YAML/],
  ["nothing", "", "1:1", /`summary` is missing/],
  ["a key that is there twice", "summary: A\nsummary: B\nsteps: [{ id: a, sleep: { minutes: 1 } }]", "2:1", /twice/],
  [
    "an unknown key",
    "sumary: A\nsteps: []",
    "1:1",
    /"sumary" is not a key here\. Allowed: version, summary, on/,
    "summary",
  ],
  [
    "an unknown key of a step",
    "summary: A\nsteps:\n  - id: a\n    shel: [x]",
    "4:5",
    /"shel" is not a key here/,
    "shell",
  ],
  [
    "an unknown key of an agent",
    "summary: A\nsteps:\n  - id: a\n    agent: { prompt: x, modle: y }",
    "4:25",
    /"modle" is not a key here\. Allowed: prompt, role/,
    "model",
  ],
  [
    "a wrong type",
    "summary: A\nsteps:\n  - id: a\n    shell: npm test",
    "4:12",
    /`steps\.0\.shell` is "npm test"\. Write a list, each entry a text/,
  ],
  [
    "a wrong value",
    "summary: A\nsteps:\n  - id: a\n    agent: { prompt: x, role: implemnt }",
    "4:31",
    /Write one of "plan", "implement"/,
    "implement",
  ],
  [
    "an unknown gate",
    "summary: A\nsteps:\n  - id: a\n    gate: checks-gren",
    "4:11",
    /is "checks-gren"\. Write one of "checks-green"/,
    "checks-green",
  ],
  [
    "an unknown publish",
    "summary: A\nsteps:\n  - id: a\n    publish: { coment: x }",
    "4:16",
    /"coment" is not a key here\. Allowed: comment, pullRequest/,
    "comment",
  ],
  ["a bad id", "summary: A\nsteps:\n  - id: My Step\n    shell: [x]", "3:9", /lower-case letters/],
  [
    "an id twice",
    "summary: A\nsteps:\n  - { id: a, shell: [x] }\n  - { id: a, needs: [], shell: [y] }",
    "4:11",
    /`a` is there twice/,
  ],
  ["no kind", "summary: A\nsteps:\n  - id: a\n    title: x", "3:5", /does nothing\. Give it one of: agent, shell/],
  [
    "two kinds",
    "summary: A\nsteps:\n  - id: a\n    shell: [x]\n    gate: checks-green",
    "5:5",
    /shell and gate at once/,
  ],
  [
    "`with` without `uses`",
    "summary: A\nsteps:\n  - id: a\n    shell: [x]\n    with: { b: c }",
    "5:5",
    /`with` says nothing with `shell`/,
  ],
  [
    "too many steps",
    `summary: A\nsteps:\n${"  - { id: a, shell: [x] }\n".repeat(101)}`,
    "3:3",
    /`steps` has 101 entries; at most 100 are read/,
  ],
  ["no steps", "summary: A\nsteps: []", "2:8", /`steps` has 0 entries; write 1 or more/],
  ["too long a text", `summary: ${"x".repeat(201)}\nsteps: []`, "1:10", /`summary` has 201 characters; at most 200/],
  [
    "a merged map",
    "summary: A\nsteps:\n  - { id: a, <<: { shell: [x] } }",
    "3:14",
    /Maps are not merged \(`<<`\).*write the keys out/,
  ],
  [
    "an alias bomb",
    `a: &a [x, x, x]\nb: &b [${"*a, ".repeat(9)}]\nc: [${"*b, ".repeat(9)}]`,
    "1:1",
    /more than 20 copies by aliases/,
  ],
  ["tabs", "summary: A\nsteps:\n\t- id: a", "3:1", /Tabs are not allowed as indentation/],
  [
    "two documents",
    "summary: A\nsteps: [{ id: a, shell: [x] }]\n---\nsummary: B",
    "3:1",
    /A file is one document: take out/,
  ],
  [
    "a default that is none of the values",
    "summary: A\ninputs: { n: { type: string, enum: [b, c], default: d } }\nsteps: [{ id: a, shell: [x] }]",
    "2:53",
    /default of `n` is not what its type says \(string\): expected "b" or "c"/,
  ],
  [
    "an agent's bound beside the agent",
    "summary: A\nsteps:\n  - id: a\n    agent: { prompt: x }\n    budgetUsd: 1",
    "5:5",
    /`budgetUsd` of an agent stands below `agent`/,
  ],
  [
    "a child run's model without one",
    "summary: A\nsteps:\n  - id: a\n    shell: [x]\n    model: fast",
    "5:5",
    /`model` says nothing with `shell`; it goes with uses/,
  ],
  [
    "a group of a step that needs no worker",
    "summary: A\nsteps:\n  - id: a\n    ask: { question: x }\n    group: db",
    "5:5",
    /`group` says nothing with `ask`; it goes with agent, shell/,
  ],
  [
    "a priority that there is not",
    "summary: A\nsteps:\n  - id: a\n    shell: [x]\n    priority: urgent",
    "5:15",
    /priority/,
  ],
  [
    "a need that is not there",
    "summary: A\nsteps:\n  - { id: build, shell: [x] }\n  - id: b\n    needs: [biuld]\n    shell: [x]",
    "5:13",
    /`b` needs `biuld`, which is not there\. There are: build/,
    "build",
  ],
  [
    "a circle",
    "summary: A\nsteps:\n  - id: a\n    needs: [b]\n    shell: [x]\n  - id: b\n    needs: [a]\n    shell: [x]",
    "7:13",
    /circle: `a` needs `b` needs `a`/,
  ],
  [
    "an expression that cannot be read",
    'summary: A\nsteps:\n  - id: a\n    shell: [echo, "${{ inputs.x == }}"]\ninputs: { x: { type: string } }',
    "4:33",
    /cannot be read/,
  ],
  [
    "an expression without an end",
    "summary: A\nsteps:\n  - id: a\n    agent:\n      prompt: |\n        Look.\n        At ${{ thread.title",
    "7:15",
    /no end/,
  ],
  [
    "an unknown context, in a text of many lines",
    "summary: A\nsteps:\n  - id: a\n    agent:\n      prompt: |\n        See ${{ thread.title }}\n        and ${{ tread.body }}.",
    "7:17",
    /There is no `tread` here/,
    "thread",
  ],
  [
    "an unknown function",
    "summary: A\nsteps:\n  - id: a\n    if: contians(thread.title, 'x')\n    shell: [x]",
    "4:9",
    /no function `contians`/,
    "contains",
  ],
  [
    "an unknown input",
    'summary: A\ninputs: { focus: { type: string, default: a } }\nsteps:\n  - id: a\n    shell: [x, "${{ inputs.fokus }}"]',
    "5:21",
    /There is no `fokus` in `inputs`\. There are: focus/,
    "focus",
  ],
  [
    "an unknown output",
    'summary: A\nsteps:\n  - { id: a, shell: [x] }\n  - id: b\n    shell: [x, "${{ steps.a.outputs.exitcode }}"]',
    "5:21",
    /There is no `exitcode` in `steps\.a\.outputs`\. There are: exitCode, signal/,
    "exitCode",
  ],
  [
    "an unknown output of one's own answer",
    'summary: A\nsteps:\n  - id: a\n    agent: { prompt: x, role: plan, answer: { type: object, properties: { total: { type: integer } } } }\n  - id: b\n    shell: [x, "${{ steps.a.outputs.answer.totl }}"]',
    "6:21",
    /no `totl` in `steps\.a\.outputs\.answer`/,
    "total",
  ],
  [
    "a step that has not ended",
    'summary: A\nsteps:\n  - id: a\n    shell: [x, "${{ steps.b.outputs.exitCode }}"]\n  - { id: b, shell: [x] }',
    "4:21",
    /`b` is not known to have ended here; add it to `needs`/,
  ],
  [
    "an unknown step",
    'summary: A\noutputs: { x: "${{ steps.biuld.outcome }}" }\nsteps: [{ id: build, shell: [x] }]',
    "2:20",
    /no `biuld` in `steps`/,
    "build",
  ],
  ["`always()` in a text", 'summary: A\nsteps: [{ id: a, shell: [x, "${{ always() }}"] }]', "2:34", /only in `if`/],
  [
    "a condition with words around it",
    "summary: A\nsteps:\n  - id: a\n    if: not ${{ always() }}\n    shell: [x]",
    "4:9",
    /one expression, with nothing around it/,
  ],
  [
    "a program that is computed",
    'summary: A\nsteps:\n  - id: a\n    shell: ["${{ thread.title }}", x]',
    "4:13",
    /Which program is run is written out/,
  ],
  ["`at` that is no commit", "summary: A\nsteps: [{ id: a, at: main, shell: [x] }]", "2:22", /40 hexadecimal digits/],
  [
    "two that write before one",
    "summary: A\nsteps:\n  - { id: a, needs: [], agent: { prompt: x } }\n  - { id: b, needs: [], agent: { prompt: x } }\n  - id: c\n    needs: [a, b]\n    publish: pull-request",
    "5:5",
    /`a` and `b` write, and none needs the other/,
  ],
  [
    "an unknown process",
    "summary: A\nsteps:\n  - id: a\n    uses: issue-to-rp",
    "4:11",
    /no process `issue-to-rp`\. There are: issue-to-pr, count/,
    "issue-to-pr",
  ],
  [
    "an unknown input of another process",
    "summary: A\nsteps:\n  - id: a\n    uses: count\n    with: { total: 1, lable: x }",
    "5:23",
    /`count` has no input `lable`\. It has: total, label/,
    "label",
  ],
  [
    "an input that another process needs",
    "summary: A\nsteps:\n  - id: a\n    uses: count",
    "4:11",
    /`count` takes a whole number at `total`, and here is nothing/,
  ],
  [
    "a stage that does not fit the next",
    "summary: A\nsteps:\n  - { id: a, ask: { question: How many? } }\n  - id: b\n    uses: count\n    with:\n      total: ${{ steps.a.outputs.answer }}",
    "7:14",
    /`count` takes a whole number at `total`, and here is a text/,
  ],
  [
    "an output of another process that it does not give",
    'summary: A\nsteps:\n  - id: a\n    uses: count\n    with: { total: 1 }\noutputs: { s: "${{ steps.a.outputs.sun }}" }',
    "6:20",
    /no `sun` in `steps\.a\.outputs`/,
    "sum",
  ],
  [
    "a default of another type",
    "summary: A\ninputs:\n  n: { type: integer, default: many }\nsteps: [{ id: a, shell: [x] }]",
    "3:32",
    /default of `n` is not what its type says \(integer\)/,
  ],
  [
    "a plan without a text",
    "summary: A\nsteps:\n  - id: a\n    breakpoint: { kind: plan }",
    "4:17",
    /`breakpoint\.text` is missing/,
  ],
  [
    "a question of two kinds",
    "summary: A\nsteps:\n  - id: a\n    ask: { question: x, choices: [a, b], confirm: true }",
    "4:42",
    /`confirm` or has `choices`/,
  ],
];

describe("a mistake is told at its place", () => {
  it.each(mistakes)("%s", (_, text, at, message, suggestion) => {
    const parsed = parseProcess(text, known);
    expect(parsed.ok).toBe(false);
    // If several problems are at one place, any of them may come first.
    const first = parsed.problems.find((problem) => message.test(problem.message)) ?? parsed.problems[0];
    expect(first?.message).toMatch(message);
    expect(`${first?.line}:${first?.column}`).toBe(at);
    expect(first?.suggestion ?? undefined).toBe(suggestion);
  });

  it("all at once, in the order of the file", () => {
    const { problems } = parseProcess(
      'summary: A\nsteps:\n  - { id: a, shell: [x, "${{ inputs.a }}"] }\n  - { id: b, needs: [c], shell: [x] }\n  - { id: d, uses: nothing }',
      known,
    );
    expect(problems.map(({ line }) => line)).toEqual([3, 4, 5]);
  });

  it("a file without mistakes has none, whoever it names", () => {
    const text =
      'summary: A\nsteps:\n  - id: a\n    uses: count\n    with: { total: 3 }\n  - { id: b, shell: [x, "${{ steps.a.outputs.sum }}"] }';
    expect(parseProcess(text, known)).toMatchObject({ ok: true, problems: [] });
    // A run that has begun does not check other processes.
    expect(parseProcess(text.replace("count", "gone"), null)).toMatchObject({ ok: true });
  });

  it("no text makes it throw", () => {
    const word = fc.constantFrom(
      "summary: A\n",
      "steps:\n",
      "  - id: a\n",
      "    needs: [a, b]\n",
      '    shell: [x, "${{ steps.a }}"]\n',
      "    if: ${{\n",
      "    with: *x\n",
      "inputs: { a: &x { type: object } }\n",
      "    agent: { prompt: x }\n",
      'outputs: { __proto__: "${{ inputs.constructor }}" }\n',
      "- ",
      "${{",
      "}}",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 14 }).map((words) => words.join("")),
        ),
        (text) => {
          const parsed = parseProcess(text, known);
          for (const { line, column, message } of parsed.problems) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(column).toBeGreaterThanOrEqual(1);
            expect(message).not.toBe("");
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
