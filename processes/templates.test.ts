/** The templates beside issue-to-pr and address-review as stories, each also with a crash before every answer. */
import { describe, expect, it } from "vitest";
import type { Json } from "../src/core/vocabulary.ts";
import type { ProcessDefinition } from "../src/process/process.ts";
import { renderStatusComment } from "../src/thread/render/status-comment.ts";
import { told } from "../test/fakes/prompt.ts";
import type { RunWorld } from "../test/fakes/run-world.ts";
import {
  agent,
  answered,
  base,
  first,
  input,
  onPullRequest,
  other,
  published,
  type StoryStep,
  second,
  sha,
  tell,
  verdict,
} from "../test/fakes/story.ts";
import { coordinator } from "./coordinator/process.ts";
import { explore } from "./explore/process.ts";
import { fixCi } from "./fix-ci/process.ts";
import { implement } from "./implement/process.ts";
import { builtInProcesses } from "./index.ts";
import { issueToPr } from "./issue-to-pr/process.ts";
import { plan } from "./plan/process.ts";
import { review } from "./review/process.ts";
import type { WorkInput } from "./schema.ts";
import { verify } from "./verify/process.ts";

const json = (value: object): string => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
const says = (text: string): Json => agent(null, "", text);
const posted: Json = { number: 77, url: "https://github.example/c/77", sha: null };
const ran = (exitCode: number, output = ""): Json => ({ exitCode, signal: null, output, durationMs: 5 });
const joined = (headSha: string, count: number, conflict: Json = null): Json => ({ headSha, joined: count, conflict });

interface Template {
  name: string;
  process: ProcessDefinition<WorkInput, unknown>;
  input?: WorkInput;
  steps: StoryStep[];
  status: "passed" | "failed";
  reason: RegExp;
  output?: object;
  /** Parts of the comment that is posted. */
  comment?: RegExp;
}
const template = <O>(given: Omit<Template, "process"> & { process: ProcessDefinition<WorkInput, O> }): Template =>
  given as unknown as Template;

const answers = (met: boolean, id = "asked.1"): string =>
  json({ answers: [{ id, met, evidence: "`npm test`: 3 passed" }] });
const findings = (...list: object[]): string => json({ findings: list });
const blocking = { path: "src/a.ts", line: 3, severity: "blocking", text: "Throws for @everyone." };
const steps = (...list: object[]): Json =>
  says(`Part it.\n\n${json({ steps: list.map((one) => ({ effort: "small", risk: "low", ...one })) })}`);
const cart = { id: "cart", title: "Count", scope: ["cart.js"], outcomes: ["Two at 3 cost 6"] };
const docs = { id: "docs", title: "Say it", scope: ["docs"] };
const outcomes = [{ id: "cart.1", statement: "Two at 3 cost 6" }];
const did = (what: string): string => `### Intent\n${what}`;

const templates: Template[] = [
  template({
    name: "explore answers in the thread",
    process: explore,
    input: input({}, { instructions: "Where is the total?" }),
    steps: [
      ["explore", says("In `cart.js`. cc @everyone")],
      ["post", posted],
    ],
    status: "passed",
    reason: /nothing was changed/,
    output: { answer: "In `cart.js`. cc @everyone", url: "https://github.example/c/77" },
    comment: /### Answer.*In `cart\.js`\. cc @\u200beveryone.*words are those of command \(m\), which read aaaaaaaaaa/s,
  }),
  template({
    name: "explore without an answer is no answer",
    process: explore,
    steps: [["explore", says(" ")]],
    status: "failed",
    reason: /answered nothing/,
  }),
  template({
    name: "plan leaves its plan for those that go on from it",
    process: plan,
    steps: [
      ["plan", steps(cart)],
      ["post", posted],
    ],
    status: "passed",
    reason: /Planned in 1 step; .*implement/,
    output: { planned: { plan: expect.stringContaining("| `cart` | Count |"), outcomes } },
    comment: /### Plan.*`cart`/s,
  }),
  template({
    name: "a plan is revised by what people say, and may be rejected",
    process: plan,
    input: input({ planBreakpoint: "ask" }),
    steps: [
      ["plan", steps(cart)],
      ["plan-approval", answered("changes-requested", { feedback: "Test first." })],
      ["plan#2", steps(cart)],
      ["plan-approval#2", answered("rejected")],
    ],
    status: "failed",
    reason: /rejected/,
    output: { planned: null },
  }),
  template({
    name: "implement goes up to a draft with green checks",
    process: implement,
    steps: [
      ["implement", agent(first)],
      ["push", published()],
      ["pull-request", published(5)],
      ["checks", verdict("passed")],
    ],
    status: "passed",
    reason: /The draft #5 has green checks; review and merge are yours/,
    output: { pullRequest: 5, headSha: first, merged: false },
  }),
  template({
    name: "implement repairs within its limit, and says so when that was not enough",
    process: implement,
    input: input({}, { planned: { plan: "Count.", outcomes } }),
    steps: [
      ["implement", agent(first)],
      ["push", published()],
      ["pull-request", published(5)],
      ["checks", verdict("failed")],
      ["repair", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("failed")],
    ],
    status: "failed",
    reason: /Still red after 1 repair/,
    output: { headSha: second, planned: { plan: "Count.", outcomes } },
  }),
  template({
    name: "implement publishes no protected paths that nobody allowed",
    process: implement,
    steps: [
      ["implement", agent(first, ".github/ci.yml")],
      ["protected-paths", answered("rejected")],
    ],
    status: "failed",
    reason: /Protected paths/,
    output: { headSha: null },
  }),
  template({
    name: "fix-ci repairs from the log and pushes to the pull request's branch",
    process: fixCi,
    input: input({}, onPullRequest),
    steps: [
      ["checks", verdict("failed")],
      ["repair", agent(second)],
      ["push", published()],
      ["checks#2", verdict("passed")],
    ],
    status: "passed",
    reason: /green after 1 repair/,
    output: { pullRequest: 5, headSha: second },
  }),
  template({
    name: "fix-ci does nothing where nothing is red",
    process: fixCi,
    input: input({}, onPullRequest),
    steps: [["checks", verdict("passed")]],
    status: "passed",
    reason: /nothing to repair/,
    output: { headSha: first },
  }),
  template({
    name: "fix-ci ends honestly at its limit",
    process: fixCi,
    input: input({ repairAttempts: 0 }, onPullRequest),
    steps: [["checks", verdict("failed")]],
    status: "failed",
    reason: /Still red after 0 repairs/,
  }),
  template({
    name: "review without findings",
    process: review,
    input: input({}, onPullRequest),
    steps: [
      ["review", says(`It counts.\n\n${findings()}`)],
      ["post", posted],
    ],
    status: "passed",
    reason: /nothing that speaks against merging\. The approval is yours/,
    output: { findings: [], answers: [] },
    comment: /### Review of 1111111.*It counts\..*No findings\./s,
  }),
  template({
    name: "review with a finding that blocks, and outcomes answered",
    process: review,
    input: input({}, { ...onPullRequest, instructions: "Look hard.\n- It counts each item" }),
    steps: [
      ["review", says(`Hm.\n${findings(blocking)}\n${answers(true)}`)],
      ["post", posted],
    ],
    status: "failed",
    reason: /1 finding that should not be merged/,
    output: { findings: [blocking], answers: [{ id: "asked.1", met: true }] },
    comment: /⛔ blocking \| src\/a\.ts:3 \| Throws for @\u200beveryone.*✅ \| `asked\.1` \| It counts each item/s,
  }),
  template({
    name: "a review whose findings cannot be read is none",
    process: review,
    input: input({}, onPullRequest),
    steps: [
      ["review", says("All fine, trust me.")],
      ["post", posted],
    ],
    status: "failed",
    reason: /could not be read, so this counts as no review/,
    output: { findings: null },
  }),
  template({
    name: "an outcome that does not hold fails a review without findings",
    process: review,
    input: input({}, { ...onPullRequest, instructions: "- It counts each item" }),
    steps: [
      ["review", says(`${findings()}\n${answers(false)}`)],
      ["post", posted],
    ],
    status: "failed",
    reason: /1 of 1 expected outcomes are not shown to hold/,
  }),
  template({
    name: "verify runs checks and commands, and has outcomes answered with evidence",
    process: verify,
    input: input({}, { ...onPullRequest, instructions: '- It counts each item\n$ npm test -- "a b"' }),
    steps: [
      ["checks", verdict("passed")],
      ["command", ran(0, "3 passed")],
      ["verify", says(answers(true))],
      ["post", posted],
    ],
    status: "passed",
    reason: /All 1 expected outcomes hold/,
    output: { answers: [{ id: "asked.1", met: true, evidence: "`npm test`: 3 passed" }] },
    comment:
      /### Verification of 1111111.*✅ \| `asked\.1` \| It counts each item.*- ✅ all green.*- ✅ `npm test -- a b` ended with 0\./s,
  }),
  template({
    name: "verify fails with a red command, whatever the agent says",
    process: verify,
    input: input({}, { instructions: "- It counts each item\n$ npm test" }),
    steps: [
      ["command", ran(1, "1 failed")],
      ["verify", says(answers(true))],
      ["post", posted],
    ],
    status: "failed",
    reason: /^`npm test` ended with 1\.$/,
  }),
  template({
    name: "verify takes the outcomes of the thread's plan, and an answer without evidence does not count",
    process: verify,
    input: input({}, { planned: { plan: "Count.", outcomes } }),
    steps: [
      ["verify", says(json({ answers: [{ id: "cart.1", met: true, evidence: "" }] }))],
      ["post", posted],
    ],
    status: "failed",
    reason: /1 of 1 expected outcomes are not shown to hold, says command: cart\.1/,
  }),
  template({
    name: "verify draws outcomes from the thread where nobody names any",
    process: verify,
    steps: [
      ["expect", says(json({ outcomes: ["Two at 3 cost 6"] }))],
      ["verify", says(answers(true, "expected.1"))],
      ["post", posted],
    ],
    status: "passed",
    reason: /All 1/,
  }),
  template({
    name: "verify without outcomes verifies nothing",
    process: verify,
    steps: [["expect", says("Everything should be fine.")]],
    status: "failed",
    reason: /Nobody says what should hold/,
  }),
  template({
    name: "coordinator joins two at once into one pull request",
    process: coordinator,
    steps: [
      ["plan", steps(cart, docs)],
      [["work/docs/step", "work/cart/step"], agent(second, "docs/cart.md", did("Says what the total is."))],
      ["work/cart/step", agent(first, "cart.js", did("Counts each item."))],
      ["work/join", joined(sha("3"), 2)],
      ["push", published()],
      ["pull-request", published(5)],
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: sha("3") })],
    ],
    status: "passed",
    reason: /approved by @bob/,
    output: { pullRequest: 5, headSha: sha("3"), planned: { outcomes } },
  }),
  template({
    name: "coordinator sends a plan back whose steps would meet, with the steps' names",
    process: coordinator,
    steps: [
      ["plan", steps(cart, { ...docs, scope: ["*.js"] })],
      ["plan#2", steps(cart)],
      ["work/cart/step", agent(first)],
      ["push", published()],
      ["pull-request", published(5)],
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: first })],
    ],
    status: "passed",
    reason: /approved/,
  }),
  template({
    name: "coordinator keeps what is done as a draft, and says which step is not",
    process: coordinator,
    steps: [
      ["plan", steps(cart, docs, { id: "last", title: "Last", dependsOn: ["docs"] })],
      [["work/docs/step", "work/cart/step"], { code: "BATON_HARNESS_MISSING" }],
      ["work/cart/step", agent(first)],
      ["push", published()],
      ["pull-request", published(5)],
    ],
    status: "failed",
    reason: /Not all steps were done, so #5 is a draft\. `docs` failed: .* `last` skipped: It comes after `docs`\./,
    output: { pullRequest: 5, headSha: first },
  }),
  template({
    name: "coordinator asks for paths outside a step's scope, and does not take what was refused",
    process: coordinator,
    steps: [
      ["plan", steps(cart)],
      ["work/cart/step", agent(first, "README.md")],
      ["work/cart/outside", answered("rejected")],
    ],
    status: "failed",
    reason: /No step changed anything\. `cart` failed: .*changed README\.md; its scope is cart\.js/,
    output: { headSha: null },
  }),
  template({
    name: "coordinator does a step again that cannot be merged",
    process: coordinator,
    steps: [
      ["plan", steps(cart, docs)],
      [["work/docs/step", "work/cart/step"], agent(second, "docs/x")],
      ["work/cart/step", agent(first)],
      ["work/join", joined(first, 1, { sha: second, paths: ["docs/x"] })],
      ["work/docs#2/step", agent(other, "docs/x")],
      ["push", published()],
      ["pull-request", published(5)],
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: other })],
    ],
    status: "passed",
    reason: /approved/,
    output: { headSha: other },
  }),
];

describe.each(["without a crash", "with a crash before every answer"])("%s", (how) => {
  it.each(templates)("$name", async (story) => {
    const world = await tell(story.process, story.input ?? input(), story.steps, how !== "without a crash");
    const { state } = world;
    expect(state.outcome?.error ?? null).toBeNull();
    expect([...state.open]).toEqual([]);
    expect(state.outcome?.verdict).toMatchObject({ status: story.status, reason: expect.stringMatching(story.reason) });
    expect(state.outcome?.output).toMatchObject({ ...story.output });
    expect(JSON.stringify(state.outcome?.verdict)).not.toContain("AssertionError");
    if (story.comment !== undefined)
      expect(inputOf(world, "post")).toMatchObject({
        publish: { operation: "comment", number: 12, body: expect.stringMatching(story.comment) },
      });
  });
});

function inputOf(world: RunWorld, key: string): Record<string, Json> {
  return world.state.effects.get(key as never)?.input as Record<string, Json>;
}

const find = (name: string): Template => templates.find((one) => one.name.startsWith(name)) as Template;
const played = (name: string): Promise<RunWorld> => {
  const { process, input: given = input(), steps: list } = find(name);
  return tell(process, given, list, false);
};

it("those that only read ask for nothing but reading and comments, whatever they read", async () => {
  for (const { process, name, input: given = input(), steps: list } of templates) {
    if (process.reach === undefined) continue;
    const world = await tell(process, given, list, false);
    for (const { kind, input: asked } of world.state.effects.values()) {
      if (kind === "agent") expect(asked, name).toMatchObject({ access: "read-only" });
      if (kind === "publish") expect(asked, name).toMatchObject({ publish: { operation: "comment" } });
    }
  }
  expect(templates.flatMap(({ process }) => (process.reach === undefined ? [] : [process.name]))).toEqual(
    expect.arrayContaining(["explore", "plan", "review", "verify"]),
  );
});

it.each(["explore", "plan", "implement", "verify", "review", "fix-ci", "coordinator"])(
  "the guide of %s names what its stories ask for",
  async (name) => {
    const asked = new Set<string>();
    const { guide } = builtInProcesses().latest(name);
    for (const { process, input: given = input(), steps: list } of templates) {
      if (process.name !== name) continue;
      const world = await tell(process, given, list, false);
      for (const key of world.state.effects.keys()) asked.add((key.split("/").at(-1) ?? "").replace(/#\d+$/, ""));
    }
    expect(Object.keys(guide?.effects ?? {})).toEqual(expect.arrayContaining([...asked]));
  },
);

it("every ready-made process says when to take it, what it asks and what it costs", () => {
  const registry = builtInProcesses();
  for (const name of registry.names())
    expect(registry.latest(name), name).toMatchObject({
      guide: {
        when: expect.stringMatching(/\w/),
        asks: expect.stringMatching(/\w/),
        costs: expect.stringMatching(/\w/),
      },
    });
});

describe("what the steps are told", () => {
  it("a coordinator's step: its part, its paths, what the others do; and of a conflict, where", async () => {
    const world = await played("coordinator does a step again");
    const { user } = told(inputOf(world, "work/cart/step"));
    expect(user).toMatch(/Your part.*cart\.js.*What the others do.*Say it.*Do the step `cart`/s);
    expect(user).not.toContain("This step was done before");
    expect(told(inputOf(world, "work/docs#2/step")).user).toMatch(/This step was done before.*docs\/x/s);
    expect(inputOf(world, "work/docs#2/step")).toMatchObject({ baseSha: first });
  });

  it("a coordinator's pull request has what every step reports", async () => {
    const world = await played("coordinator joins two");
    expect(inputOf(world, "pull-request")).toMatchObject({
      publish: {
        draft: false,
        body: expect.stringMatching(/### Intent\n\nCounts each item\.\n\nSays what the total is\./),
      },
    });
    const draft = await played("coordinator keeps");
    expect(inputOf(draft, "pull-request")).toMatchObject({ publish: { draft: true } });
  });

  it("a plan that cannot be carried out goes back with why, and ends the run when that does not help", async () => {
    const world = await played("coordinator sends a plan back");
    expect(told(inputOf(world, "plan#2")).user).toMatch(
      /`cart` and `docs` would run at once.*`cart\.js` and `\*\.js`/s,
    );
    const meeting = steps(cart, { ...docs, scope: [] });
    const stubborn = await tell(
      coordinator,
      input(),
      [
        ["plan", meeting],
        ["plan#2", meeting],
        ["plan#3", says("No steps.")],
      ],
      true,
    );
    expect(stubborn.state.outcome?.error).toMatchObject({ code: "BATON_PLAN_INVALID", message: "it names no steps" });
  });

  it("fix-ci gets the failing log, implement the plan, review both commits, verify what was seen", async () => {
    expect(told(inputOf(await played("fix-ci repairs"), "repair")).user).toContain("AssertionError");
    expect(told(inputOf(await played("implement repairs"), "implement")).system).toContain("Two at 3 cost 6");
    const reviewed = inputOf(await played("review without"), "review");
    expect(reviewed).toMatchObject({ baseSha: first, reads: [base], role: "review" });
    expect(told(reviewed).user).toContain(`to \`${first}\``);
    const verified = inputOf(await played("verify runs"), "verify");
    expect(verified).toMatchObject({ reads: [base] });
    expect(told(verified).user).toMatch(/npm test -- a b.*ended with 0\..*3 passed.*all green/s);
    expect(told(inputOf(await played("implement goes up"), "implement")).user).toContain("Nobody planned it");
    expect(told(inputOf(await played("explore answers"), "explore")).user).toContain("Where is the total?");
  });
});

it.each([
  ["explore answers", false],
  ["plan leaves its plan", true],
])("%s in the thread: what is folded as the plan is one", async (name, shown) => {
  const { state } = await played(name);
  const body = renderStatusComment(state, { now: 0 } as never);
  expect(body.includes("<summary>The plan</summary>")).toBe(shown);
});

describe("a plan without a readable step goes back to the planner once", () => {
  const now = input({}, { planSteps: "required" });
  const unreadable = [
    ["none", says("I would fix `cart.js`.")],
    ["an empty list", says(json({ steps: [] }))],
    ["a step without a title", steps({ id: "cart" })],
    ["a circle", steps({ ...cart, dependsOn: ["docs"] }, { ...docs, dependsOn: ["cart"] })],
    ["a block that is cut off", says('```json\n{"steps": [{"id": "ca')],
  ] as const;

  it.each(unreadable)("%s: the planner is told why, and its second plan counts", async (_, first) => {
    for (const process of [issueToPr, plan, coordinator] as ProcessDefinition<WorkInput, unknown>[]) {
      const world = await tell(
        process,
        now,
        [
          ["plan", first],
          ["plan#2", steps(cart)],
        ],
        true,
      );
      expect(told(inputOf(world, "plan#2")).user).toContain("Baton could not read the steps of the plan");
      expect(world.open()).toHaveLength(1);
      expect(world.open()[0]).toMatch(/^(?:implement|post|work\/cart\/step)$/);
    }
  });

  it.each(unreadable)("%s, twice: the run fails by name", async (_, first) => {
    for (const process of [issueToPr, plan, coordinator] as ProcessDefinition<WorkInput, unknown>[]) {
      const world = await tell(
        process,
        now,
        [
          ["plan", first],
          ["plan#2", first],
        ],
        true,
      );
      expect(world.state.outcome?.error).toMatchObject({
        code: "BATON_PLAN_INVALID",
        message: expect.stringContaining("twice in a row") as string,
      });
    }
  });

  it("what a person asks to change begins a new count", async () => {
    const asked = input({ planBreakpoint: "ask" }, { planSteps: "required" });
    const world = await tell(
      issueToPr,
      asked,
      [
        ["plan", says("In words.")],
        ["plan#2", steps(cart)],
        ["plan-approval", answered("changes-requested", { feedback: "Smaller." })],
        ["plan#3", says("In words.")],
        ["plan#4", steps(cart)],
      ],
      true,
    );
    expect(world.open()).toEqual(["plan-approval#2"]);
  });

  it("a run of an older Baton goes on in words, as its journal has it", async () => {
    const world = await tell(issueToPr, input(), [["plan", says("In words.")]], true);
    expect(world.open()).toEqual(["implement"]);
  });
});
