import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { smallFacts } from "../../test/fakes/prompt.ts";
import { defaultSettings } from "../config/schema.ts";
import { compose, partsOf } from "./compose.ts";
import type { Facts } from "./facts.ts";
import { outcomeCharactersMax, outcomesMax } from "./outcomes.ts";
import { overlays, overlaysOf } from "./overlay.ts";
import { comparePrompts, measure } from "./prefix.ts";
import { prompts, readPrompt } from "./prompts.ts";
import type { PromptContext } from "./section.ts";

const facts: Facts = { ...smallFacts, plan: "1. Multiply." };

function context(more: Partial<PromptContext> & { facts?: Facts } = {}): PromptContext {
  const given = more.facts ?? facts;
  const { task } = readPrompt(prompts.address({ ...given, plan: given.plan ?? "", feedback: "Say why." }));
  return {
    harness: { name: "small", systemPrompt: true, tools: ["read", "search", "edit", "shell"], servers: [] },
    role: "address",
    access: "write",
    overlays: ["headless"],
    settings: defaultSettings,
    task,
    resume: null,
    change: null,
    ...more,
    facts: { ...given, feedback: "Say why." } as Facts,
  };
}

const named = (at: PromptContext): string[] => compose(at).map(({ name }) => name);
const textOf = (at: PromptContext, name: string): string => compose(at).find((one) => one.name === name)?.text ?? "";

/** Facts of any shape: the texts may hold anything. */
const anyFacts = fc
  .record({
    title: fc.string(),
    body: fc.string({ unit: "grapheme" }),
    comment: fc.string(),
    instructions: fc.string(),
    project: fc.string(),
    plan: fc.string(),
  })
  .map(
    ({ title, body, comment, instructions, project, plan }): Facts => ({
      ...facts,
      thread: {
        ...facts.thread,
        title,
        body,
        comments: [{ author: "bob", permission: "write", body: comment }],
      },
      instructions,
      projectInstructions: project,
      plan,
    }),
  );

describe("strata", () => {
  it("M2: equal facts give byte-identical prompts", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const copy = structuredClone(given);
        expect(compose(context({ facts: copy }))).toEqual(compose(context({ facts: given })));
      }),
    );
  });

  it("M2: the order of keys, the environment, the time zone, the locale and the clock change no byte", () => {
    const turnedRound = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turnedRound);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, one]) => [name, turnedRound(one)]),
      );
    };
    const more = {
      outcomes: [{ id: "sum.1", statement: "Six." }],
      handoffs: [{ from: "implement" as const, title: "Before", text: "I chose A." }],
      worker: { paths: ["b", "a"], others: ["İstanbul", "z"] },
    };
    const resume = {
      attempt: 2,
      ended: "BATON_HARNESS_CRASHED",
      takenOverFrom: "codex",
      session: false,
      baseSha: "a".repeat(40),
      headSha: null,
      partial: { text: "t", todo: "d", lastAction: "l", turns: 1_234 },
      done: ["Plan"],
      pending: [],
      decided: [],
    };
    const elsewhere = { TZ: "Pacific/Apia", LANG: "tr_TR.UTF-8", LC_ALL: "ar_EG", NO_COLOR: "1", COLUMNS: "20" };
    fc.assert(
      fc.property(anyFacts, (given) => {
        const here = compose(context({ facts: { ...given, ...more }, resume }));
        for (const [name, value] of Object.entries(elsewhere)) vi.stubEnv(name, value);
        vi.useFakeTimers({ now: 4_000_000_000_000, toFake: ["Date"] });
        const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
        try {
          const { facts: turned, ...rest } = turnedRound({ facts: { ...given, ...more }, resume }) as {
            facts: Facts;
            resume: typeof resume;
          };
          expect(JSON.stringify(compose(context({ facts: turned, ...rest })))).toBe(JSON.stringify(here));
          expect(random).not.toHaveBeenCalled();
        } finally {
          random.mockRestore();
          vi.useRealTimers();
          vi.unstubAllEnvs();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("M3: a change in the turn changes no byte before it", () => {
    fc.assert(
      fc.property(anyFacts, anyFacts, (one, other) => {
        const same = { plan: "p", projectInstructions: "i" };
        const [a, b] = [
          { ...one, ...same },
          { ...other, ...same },
        ].map((given) => compose(context({ facts: given })));
        expect(partsOf(b ?? []).system).toBe(partsOf(a ?? []).system);
      }),
    );
  });

  it("the system text fits into one argument of a program, whatever is in it", () => {
    const wide = "漢".repeat(30_000);
    const outcomes = Array.from({ length: outcomesMax }, (_, index) => ({
      id: `${"a".repeat(40)}.${index}`,
      statement: "漢".repeat(outcomeCharactersMax),
    }));
    const names = Array.from({ length: 200 }, (_, index) => `${"漢".repeat(250)}${index}`);
    const { system } = partsOf(
      compose(
        context({
          facts: { ...facts, projectInstructions: wide, plan: wide, outcomes, worker: { paths: [], others: [] } },
          overlays: ["headless", "worker", "plan-only"],
          settings: {
            ...defaultSettings,
            protectedPaths: names,
            gates: { ...defaultSettings.gates, required: names.map((name) => ({ name, app: null })) },
          },
        }),
      ),
    );
    expect(system).toContain("Expected outcomes");
    expect(Buffer.byteLength(system)).toBeLessThan(128 * 1024 - 1);
  });

  it("stable comes before runtime before turn, and the boundary of the cache is where the turn begins", () => {
    const sections = compose(context());
    const order = sections.map(({ stratum }) => ["stable", "runtime", "turn"].indexOf(stratum));
    expect(order).toEqual(order.toSorted());
    expect(new Set(order).size).toBe(3);
    const { system, user } = partsOf(sections);
    expect(measure(sections).cacheBoundary).toBe(system.length);
    expect(user.startsWith("## Issue #7")).toBe(true);
  });
});

describe("sections", () => {
  const cases: [string, Partial<PromptContext> & { facts?: Facts }, string, string | null][] = [
    [
      "tools: of none where the harness does not say",
      { harness: { name: "x", systemPrompt: true, tools: null, servers: [] } },
      "tools",
      null,
    ],
    [
      "tools: no shell is spoken of where there is none",
      { harness: { name: "x", systemPrompt: true, tools: ["read", "search"], servers: [] } },
      "tools",
      "you have no shell",
    ],
    [
      "tools: a shell alone searches by it",
      { harness: { name: "x", systemPrompt: true, tools: ["shell", "edit"], servers: [] } },
      "tools",
      "find and read by the shell",
    ],
    [
      "tool servers: exactly those in force",
      { harness: { name: "x", systemPrompt: true, tools: null, servers: ["docs", "tracker"] } },
      "tool-servers",
      "`docs`, `tracker`",
    ],
    ["tool servers: none", {}, "tool-servers", null],
    [
      "outcomes: not a second time where the plan has them",
      { facts: { ...facts, plan: "- `sum.1` Six.", outcomes: [{ id: "sum.1", statement: "Six." }] } },
      "expected-outcomes",
      null,
    ],
    ["philosophy: for those who write", {}, "coding-philosophy", "smallest change"],
    [
      "philosophy: as the process wants it",
      { facts: { ...facts, manner: { change: "thorough" } } },
      "coding-philosophy",
      "Solve the cause",
    ],
    ["philosophy: not for those who read", { access: "read-only" }, "coding-philosophy", null],
    ["output: brief", {}, "output", "Say little"],
    [
      "output: as the process wants it",
      { facts: { ...facts, manner: { verbosity: "full" } } },
      "output",
      "Explain what you found",
    ],
    ["safety: what cannot be taken back", {}, "safety", "destroys"],
    ["git: writing", {}, "git-safety", "Do not push"],
    ["git: reading", { access: "read-only" }, "git-safety", "Do not commit"],
    ["headless", {}, "headless", "nobody answers"],
    ["headless is not for those who may ask", { overlays: ["interactive"] }, "headless", null],
    ["interactive", { overlays: ["interactive"] }, "interactive", "### Questions"],
    ["worker", { overlays: ["headless", "worker"] }, "worker", "at the same time"],
    ["plan-only", { overlays: ["plan-only"] }, "plan-only", "Change nothing"],
    ["project", {}, "project", "acme/shop, branch main."],
    ["instructions: each with its path, as data", {}, "project-instructions", "`AGENTS.md`:\n```\nUse tabs."],
    [
      "instructions: of folders, for their folder",
      { facts: { ...facts, projectInstructions: [{ path: "api/AGENTS.md", text: "Use tabs." }] } },
      "project-instructions",
      "A file in a folder holds for what is in that folder",
    ],
    ["instructions: none", { facts: { ...facts, projectInstructions: [] } }, "project-instructions", null],
    ["configuration: what needs a person", {}, "configuration", "`baton.yaml`"],
    ["plan", {}, "plan", "1. Multiply."],
    ["plan: not yet", { facts: { ...facts, plan: "" } }, "plan", null],
    [
      "outcomes",
      { facts: { ...facts, outcomes: [{ id: "sum.1", statement: "2 × 3 costs 6." }] } },
      "expected-outcomes",
      "- sum.1: 2 × 3 costs 6.",
    ],
    ["thread: who wrote it, and what they may", {}, "thread", "Issue #7 by @carol (read access)"],
    ["comments", {}, "thread:comments", "@bob (write access):"],
    ["what was asked", {}, "thread:asked", "Keep the API."],
    [
      "handoffs",
      { facts: { ...facts, handoffs: [{ from: "implement", title: "Implement", text: "I chose A." }] } },
      "handoffs",
      "I chose A.",
    ],
    ["scope", { facts: { ...facts, worker: { paths: ["src/a"], others: ["tests"] } } }, "scope", "src/a"],
    ["the paths of a run", { facts: { ...facts, paths: ["packages/api"] } }, "scope", "packages/api"],
    ["the task's own, last", {}, "task:review", "Say why."],
  ];
  it.each(cases)("%s", (_, more, name, expected) => {
    const at = context(more);
    if (expected === null) expect(named(at)).not.toContain(name);
    else expect(textOf(at, name)).toContain(expected);
  });

  it("resume: what is done, waits and was decided, after everything that was said before", () => {
    const at = context({
      resume: {
        attempt: 2,
        ended: "BATON_HARNESS_CRASHED",
        takenOverFrom: "codex",
        session: false,
        baseSha: "a".repeat(40),
        headSha: "b".repeat(40),
        partial: null,
        done: ["Plan the change"],
        pending: [],
        decided: ["@bob: approve, passed"],
      },
    });
    expect(named(at).at(-1)).toBe("resume");
    const text = textOf(at, "resume");
    for (const part of ["codex", "ended by a signal", `git log ${"a".repeat(40)}..HEAD`, "Plan the change", "@bob"])
      expect(text).toContain(part);
    expect(comparePrompts(compose(context()), compose(at))).toMatchObject({ brokenBy: null });
  });
});

describe("what is left out is said", () => {
  it.each([
    [
      "older comments",
      {
        thread: {
          ...facts.thread,
          comments: [1, 2, 3].map((index) => ({ author: `a${index}`, permission: "read", body: "x".repeat(30_000) })),
        },
      },
      "thread:comments",
      /^## Comments.*\n\n\(1 older comment is left out\.\).*@a2.*\(cut\).*@a3/s,
    ],
    [
      "files of instructions",
      {
        projectInstructions: [
          { path: "AGENTS.md", text: "x".repeat(20_000) },
          { path: "GEMINI.md", text: "y" },
        ],
      },
      "project-instructions",
      /\(cut\).*\(Left out for length: `GEMINI\.md`\.\)$/s,
    ],
    ["a long body", { thread: { ...facts.thread, body: "x".repeat(60_000) } }, "thread", /… \(cut\)\n```$/],
  ])("%s", (_, more, name, expected) => {
    expect(textOf(context({ facts: { ...facts, ...more } }), name)).toMatch(expected);
  });
});

describe("what is compared", () => {
  const changed = { ...facts, plan: "2. Add." };

  it("PERF-005: the section that broke the prefix is named", () => {
    const before = compose(context());
    expect(comparePrompts(before, compose(context({ facts: changed }))).brokenBy).toEqual({
      name: "plan",
      stratum: "runtime",
      why: "changed",
    });
    expect(comparePrompts(before, compose(context({ access: "read-only" }))).brokenBy).toEqual({
      name: "coding-philosophy",
      stratum: "stable",
      why: "removed",
    });
    expect(comparePrompts(before, compose(context({ overlays: ["headless", "worker"] }))).brokenBy).toMatchObject({
      name: "worker",
      why: "added",
    });
    expect(comparePrompts(before, before)).toMatchObject({
      brokenBy: null,
      sameCharacters: measure(before).cacheBoundary + 2 + partsOf(before).user.length,
    });
  });
});

describe("overlays", () => {
  const step = { role: "implement", access: "write", profile: "full", facts: {}, again: false } as const;
  it.each([
    [{}, ["headless"]],
    [{ again: true }, ["headless", "resume"]],
    [{ role: "plan", access: "read-only" }, ["headless", "plan-only"]],
    [{ profile: "plan-only", access: "read-only" }, ["headless", "plan-only"]],
    [{ facts: { questions: "thread" } }, ["interactive"]],
    [{ facts: { worker: { paths: [], others: [] } } }, ["headless", "worker"]],
  ] as const)("%j: %j", (more, expected) => {
    expect(overlaysOf({ ...step, ...(more as object) })).toEqual(expected);
    expect(overlays.filter((one) => expected.includes(one as never))).toEqual(expected);
  });
});

describe("prompts", () => {
  it("keep the facts that a task needs and nothing else of what they are given", () => {
    const prompt = prompts.plan({ ...facts, feedback: "", settings: { secret: 1 } } as never);
    expect(prompt.task).toBe("plan");
    expect(JSON.stringify(prompt.facts)).not.toContain("secret");
    expect(readPrompt(prompt)).toMatchObject({ task: { name: "plan" }, facts: { feedback: "" } });
  });

  it("an unknown task, or facts that do not fit, are refused by name", () => {
    expect(() => readPrompt({ task: "toString", facts: {} })).toThrow(/no task "toString".*address/);
    expect(() => readPrompt({ task: "repair", facts: facts as never })).toThrow(/"repair".*checks/);
  });
});
