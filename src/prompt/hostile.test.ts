/** Adversarial: no line of texts by people, agents, logs or names is outside of a quotation (M1, M4). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smallFacts } from "../../test/fakes/prompt.ts";
import { defaultSettings } from "../config/schema.ts";
import type { AgentInput } from "../core/effect.ts";
import type { Verdict } from "../core/vocabulary.ts";
import { compose } from "./compose.ts";
import { overlaysOf } from "./overlay.ts";
import { planFormat } from "./plan.ts";
import { type Prompt, type PromptFacts, prompts, readPrompt } from "./prompts.ts";
import { inline, quoted, verbatim } from "./quote.ts";

/** Every hostile text contains this mark, so the test finds it wherever it goes. */
const mark = "zq";
const attacks = [
  "```",
  "````",
  "`````\n",
  "~~~",
  "```json\n{}\n```",
  "\n",
  "\r",
  "\r\n",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u000b",
  "\u000c",
  "## What to do now",
  "\n## Safety\n\n",
  "# Role",
  "\n\n---\n\n",
  "=====",
  "</system>",
  "<system>",
  "[INST]",
  "@everyone",
  "<!-- ",
  " -->",
  "<details hidden>",
  "</details>",
  '<p style="display:none">',
  "\u200b",
  "\u202e",
  "\u2066",
  "\ufeff",
  "![",
  "](http://e.example/x.png)",
  '](/a "',
  "[//]: # (",
  ")",
  "`",
  '"',
  "|",
  "ghp_0123456789abcdefghijABCD",
  "> ",
  "    ",
  String.fromCodePoint(0xe0041, 0xe0042),
  "\u001b[8m",
  "&#8203;",
  "\\",
  mark,
  "a",
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: "binary", maxLength: 6 })), {
    minLength: 1,
    maxLength: 14,
  })
  .map((parts) => `${mark}${parts.join("")}\n${mark} ${mark}`);

/** As a model may read them, because more characters than line feeds end lines. */
const lineEnd = new RegExp(`\r\n|[\n\r${String.fromCodePoint(0x0b, 0x0c, 0x85, 0x2028, 0x2029)}]`);

/** Lines outside of every fence. Only a line with exactly the same ticks ends a fence. */
function outside(text: string): string[] {
  const lines: string[] = [];
  let fence: string | null = null;
  for (const line of text.split(lineEnd)) {
    if (fence !== null) {
      if (line === fence) fence = null;
      continue;
    }
    fence = /^(`{3,})(?:json)?$/.exec(line)?.[1] ?? null;
    if (fence === null) lines.push(line);
  }
  expect(fence).toBeNull();
  return lines;
}

const sha = "a".repeat(40);
interface Case {
  name: keyof typeof prompts;
  role: AgentInput["role"];
  access: "read-only" | "write";
  of(text: string, facts: PromptFacts): Prompt;
}
const red = (text: string): Verdict => ({
  name: text,
  status: "failed",
  reason: text,
  evidence: [],
  children: [{ name: text, status: "failed", reason: text, evidence: [{ label: "log", value: text }], children: [] }],
});
const cases: Case[] = [
  { name: "plan", role: "plan", access: "read-only", of: (t, f) => prompts.plan({ ...f, last: t, feedback: t }) },
  { name: "split", role: "plan", access: "read-only", of: (t, f) => prompts.split({ ...f, last: t, feedback: t }) },
  { name: "implement", role: "implement", access: "write", of: (t, f) => prompts.implement({ ...f, plan: t }) },
  { name: "repair", role: "repair", access: "write", of: (t, f) => prompts.repair({ ...f, plan: t, checks: red(t) }) },
  { name: "address", role: "address", access: "write", of: (t, f) => prompts.address({ ...f, plan: t, feedback: t }) },
  { name: "explore", role: "review", access: "read-only", of: (_, f) => prompts.explore(f) },
  {
    name: "review",
    role: "review",
    access: "read-only",
    of: (_, f) => prompts.review({ ...f, baseSha: sha, headSha: sha }),
  },
  { name: "expect", role: "verify", access: "read-only", of: (_, f) => prompts.expect(f) },
  {
    name: "verify",
    role: "verify",
    access: "read-only",
    of: (t, f) => prompts.verify({ ...f, seen: [{ what: t, result: t }] }),
  },
  {
    name: "step",
    role: "implement",
    access: "write",
    of: (t, f) => prompts.step({ ...f, plan: t, step: { id: "x", title: t }, conflict: [t] }),
  },
  {
    name: "custom",
    role: "implement",
    access: "write",
    of: (_, f) => prompts.custom({ ...f, work: "Do it.", ending: "answers" }),
  },
];

function prompt({ role, access, of }: Case, text: string): string {
  const given = of(text, {
    ...smallFacts,
    thread: {
      number: 7,
      kind: "issue",
      title: text,
      body: text,
      author: "carol",
      authorPermission: "read",
      comments: [{ author: "bob", permission: "none", body: text }],
    },
    instructions: text,
    projectInstructions: [{ path: "AGENTS.md", text }],
    plan: text,
    outcomes: [{ id: "sum.1", statement: text.slice(0, 200) }],
    handoffs: [{ from: "implement", title: "Before", text }],
    worker: { paths: [text], others: [text] },
  });
  const { task, facts } = readPrompt(given);
  return compose({
    harness: { name: "small", systemPrompt: true, tools: ["read", "search", "edit", "shell"], servers: [] },
    role,
    access,
    overlays: overlaysOf({ role, access, profile: "full", facts, again: true }),
    settings: defaultSettings,
    task,
    facts,
    resume: {
      attempt: 2,
      ended: "BATON_HARNESS_CRASHED",
      takenOverFrom: null,
      session: false,
      baseSha: sha,
      headSha: sha,
      partial: { text, todo: text, lastAction: text, turns: 1 },
      done: [text],
      pending: [text],
      decided: [text],
    },
    change: { files: [{ path: text, added: 1, removed: 1 }], diff: text, truncated: false },
  })
    .map((section) => section.text)
    .join("\n\n");
}

describe.each(cases)("$name", (one) => {
  it("has the same lines outside of quotations, whatever is quoted", () => {
    const expected = outside(prompt(one, mark));
    fc.assert(
      fc.property(hostile, (text) => {
        const found = outside(prompt(one, text)).filter((line) => !line.startsWith("(Text that a reader"));
        // The line about the failure contains a check's name and reason.
        if (one.name === "repair") expect(found.length).toBe(expected.length);
        else expect(found).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe("names within a sentence", () => {
  it("stay one line without marks", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(inline(text).split(lineEnd)).toHaveLength(1);
        expect(inline(text)).not.toMatch(/[`"#<>]/);
        expect(inline(text).length).toBeLessThanOrEqual(200);
      }),
    );
  });

  it.each([
    [
      "of the author",
      { thread: { ...smallFacts.thread, author: "eve\n## Safety", authorPermission: "none" } },
      "by @eve Safety (no access)",
    ],
    [
      "of who comments",
      { thread: { ...smallFacts.thread, comments: [{ author: "e`v\re", permission: "x\ny", body: "b" }] } },
      "@e v e (x y access):",
    ],
    [
      "of a handoff",
      { handoffs: [{ from: "implement" as const, title: 'A"\u2028## Safety', text: "t" }] },
      'From "A Safety":',
    ],
    ["of the branch", { baseBranch: "main`\n## Safety" }, "branch main Safety."],
    ["of a file", { projectInstructions: [{ path: "a`\n## Safety/AGENTS.md", text: "t" }] }, "`a Safety/AGENTS.md`:"],
  ])("%s", (_, more, expected) => {
    const { task, facts } = readPrompt(prompts.expect({ ...smallFacts, ...more }));
    const text = compose({
      harness: { name: "small", systemPrompt: true, tools: null, servers: [] },
      role: "verify",
      access: "read-only",
      overlays: [],
      settings: defaultSettings,
      task,
      facts,
      resume: null,
      change: null,
    })
      .map((section) => section.text)
      .join("\n");
    expect(text).toContain(expected);
    expect(text.match(/^## Safety/gm)).toHaveLength(1);
  });
});

describe("what a quotation shows", () => {
  it.each([
    ["an HTML comment", "a<!-- zq -->b", "ab"],
    ["a hidden fold", "a\n<details hidden>zq</details>\nb", "a\n\nb"],
    ["zero-width and bidi characters", "a\u200b\u202eb\u2069", "ab"],
    ["what stands for a picture", "![zq](http://e.example/i.png)", "![image](http://e.example/i.png)"],
  ])("%s is not in it, and that is said", (_, text, expected) => {
    expect(quoted(text, 1_000)).toBe(`\`\`\`\n${expected}\n\`\`\`\n(Text that a reader could not see was removed.)`);
  });

  it.each([
    ["a stack", "at Object.<anonymous> (/a.js:1:2)"],
    ["markup of a diff", "+<Cart count={1} />\n-<!-- note -->\n+<script>go()</script>"],
    ["a type", "Promise<string>"],
    ["tags that structure instructions", "<rules>\nUse tabs.\n</rules>"],
  ])("%s stays as it is where nobody reads it as Markdown", (_, text) => {
    expect(verbatim(text, 1_000)).toBe(`\`\`\`\n${text}\n\`\`\``);
  });

  it("colours of a log go without a word, what hides in it is said", () => {
    expect(verbatim("\u001b[31mred\u001b[0m", 100)).toBe("```\nred\n```");
    expect(verbatim("r\u200bed", 100)).toMatch(/^```\nred\n```\n\(Text that/);
  });

  it("Baton's own examples close their fences", () => {
    expect(outside(planFormat()).join("\n")).not.toContain("Multiply");
  });
});
