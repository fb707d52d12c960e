/**
 * The ready-made processes as stories: their requests in order, and their end. Each story also runs with a crash before
 * every answer.
 */
import { describe, expect, it } from "vitest";
import type { Json } from "../src/core/vocabulary.ts";
import { absence, otherBase } from "../src/gate/absent.ts";
import { told } from "../test/fakes/prompt.ts";
import { alice, bob, RunWorld } from "../test/fakes/run-world.ts";
import {
  agent,
  answered,
  first,
  input,
  onPullRequest,
  other,
  published,
  second,
  verdict,
} from "../test/fakes/story.ts";
import { addressReviewProcess } from "./address-review/process.ts";
import { issueToPr } from "./issue-to-pr/process.ts";
import type { WorkInput } from "./schema.ts";

/** The gate's answer about checks that never came. */
const unseen = (name: string): Json => ({
  name,
  status: "failed",
  reason: `${name} never appeared`,
  evidence: [{ ...absence(name) }],
  children: [],
});

interface Story {
  name: string;
  input: WorkInput;
  process?: typeof issueToPr;
  /** The requests of the process, in order, and the answers. An error code makes the effect fail. */
  steps: [key: string, answer: Json | { code: string }][];
  status: "passed" | "failed";
  reason: RegExp;
  output?: object;
}

const plan: Story["steps"][number] = ["plan", agent(null)];
const opened: Story["steps"] = [
  ["implement", agent(first)],
  ["push", published()],
  ["pull-request", published(5)],
];
const stories: Story[] = [
  {
    name: "green and approved: left to people",
    input: input(),
    steps: [plan, ...opened, ["checks", verdict("passed")], ["review", answered("approved", { sha: first })]],
    status: "passed",
    reason: /approved by @bob; merging is left to people/,
    output: { pullRequest: 5, headSha: first, merged: false, approvedBy: "bob" },
  },
  {
    name: "`merge: auto` merges the approved head",
    input: input({ merge: "auto" }),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: first })],
      ["merge", { number: 5, url: null, sha: second }],
    ],
    status: "passed",
    reason: /^Merged/,
    output: { merged: true },
  },
  {
    name: "a head that moved before the merge is judged anew",
    input: input({ merge: "auto" }),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: first })],
      ["merge", { code: "BATON_GITHUB_CONFLICT" }],
      ["merge-wait", answered("voided", { sha: other })],
      ["checks#2", verdict("passed")],
      ["review#2", answered("approved", { sha: other })],
      ["merge#2", { number: 5, url: null, sha: second }],
    ],
    status: "passed",
    reason: /^Merged/,
    output: { merged: true, headSha: other },
  },
  {
    name: "retargeted-pull-request: the base changes before the merge, so checks and review begin again with its settings",
    input: input({ merge: "auto" }),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: first })],
      ["merge", { code: "BATON_GITHUB_CONFLICT" }],
      ["merge-wait", answered("voided", { sha: first, base: "production" })],
      ["base", { branch: "production", sha: other, settings: { version: 1 }, settingsSha: other, reviewIds: [1] }],
      ["checks#2", verdict("passed")],
      ["review#2", answered("approved", { sha: first })],
    ],
    status: "passed",
    reason: /approved by @bob; merging is left to people/,
    output: { merged: false },
  },
  {
    name: "retargeted-pull-request: the base changes while checks are awaited, and buys no repair",
    input: input(),
    steps: [
      plan,
      ...opened,
      ["checks", { ...(verdict("failed") as object), evidence: [otherBase("v2")], children: [] } as never],
      ["base", { branch: "v2", sha: other, settings: { version: 1 }, settingsSha: other, reviewIds: [] }],
      ["checks#2", verdict("passed")],
      ["review", answered("approved", { sha: first })],
    ],
    status: "passed",
    reason: /approved/,
  },
  {
    name: "red: repaired once, then green",
    input: input(),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("failed")],
      ["repair", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("passed")],
      ["review", answered("approved", { sha: second })],
    ],
    status: "passed",
    reason: /approved/,
    output: { headSha: second },
  },
  {
    name: "checks that never appear are nothing to repair",
    input: input(),
    steps: [plan, ...opened, ["checks", unseen("all checks")]],
    status: "failed",
    reason: /^all checks never appeared/,
  },
  {
    name: "red beside one that never appears is repaired",
    input: input(),
    steps: [
      plan,
      ...opened,
      [
        "checks",
        {
          ...(verdict("failed") as object),
          children: [unseen("lint"), verdict("failed"), verdict("passed")],
        },
      ],
      ["repair", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("failed")],
    ],
    status: "failed",
    reason: /Still red after 1 repair/,
  },
  {
    name: "red after the last repair: an honest end",
    input: input(),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("failed")],
      ["repair", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("failed")],
    ],
    status: "failed",
    reason: /Still red after 1 repair \(limit 1\)/,
  },
  {
    name: "no repairs allowed",
    input: input({ repairAttempts: 0 }),
    steps: [plan, ...opened, ["checks", verdict("failed")]],
    status: "failed",
    reason: /Still red after 0 repairs/,
  },
  {
    name: "a repair that changes nothing",
    input: input(),
    steps: [plan, ...opened, ["checks", verdict("failed")], ["repair", agent(null)]],
    status: "failed",
    reason: /The repair changed nothing/,
  },
  {
    name: "an agent that changes nothing",
    input: input(),
    steps: [plan, ["implement", agent(null)]],
    status: "failed",
    reason: /changed nothing, so there is nothing to review/,
    output: { headSha: null, pullRequest: null },
  },
  {
    name: "a plan that is revised, then approved",
    input: input({ planBreakpoint: "ask" }),
    steps: [
      plan,
      ["plan-approval", answered("changes-requested", { feedback: "Begin with the test." })],
      ["plan#2", agent(null)],
      ["plan-approval#2", answered("approved")],
      ...opened,
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: first })],
    ],
    status: "passed",
    reason: /approved/,
  },
  {
    name: "a plan that needs an answer first",
    input: input({ planBreakpoint: "ask" }),
    steps: [
      ["plan", { ...(agent(null) as object), text: "I looked.\n### Questions\n- Round up, @bob?" }],
      ["plan-question", { answer: "Never round.", by: bob as unknown as Json }],
      ["plan#2", { ...(agent(null) as object), text: "Add cents up." }],
      ["plan-approval", answered("changes-requested", { feedback: "Test zero." })],
      ["plan#3", agent(null)],
      ["plan-approval#2", answered("rejected")],
    ],
    status: "failed",
    reason: /plan was rejected/,
  },
  {
    name: "a plan that is rejected",
    input: input({ planBreakpoint: "ask" }),
    steps: [plan, ["plan-approval", answered("rejected")]],
    status: "failed",
    reason: /plan was rejected/,
  },
  {
    name: "protected paths that nobody allows",
    input: input(),
    steps: [plan, ["implement", agent(first, ".github/workflows/ci.yml")], ["protected-paths", answered("rejected")]],
    status: "failed",
    reason: /Protected paths were changed and nobody allowed it/,
    output: { headSha: null },
  },
  {
    name: "protected paths that the settings deny",
    input: input({ protectedPathsBreakpoint: "deny" }),
    steps: [plan, ["implement", agent(first, ".github/workflows/ci.yml")]],
    status: "failed",
    reason: /Protected paths/,
  },
  {
    name: "requested changes are addressed, up to the limit",
    input: input({ reviewers: ["bob"], reviewRounds: 1 }),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("passed")],
      ["request-review", published(5)],
      ["review", answered("changes-requested", { feedback: "Say why." })],
      ["address", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("passed")],
      ["request-review#2", published(5)],
      ["review#2", answered("changes-requested", { feedback: "Still not." })],
    ],
    status: "failed",
    reason: /Changes were asked for 2 times; the limit is 1/,
  },
  {
    name: "a reviewer whom GitHub does not take hinders nothing",
    input: input({ reviewers: ["nobody"] }),
    steps: [
      plan,
      ...opened,
      ["checks", verdict("passed")],
      ["request-review", { code: "BATON_GITHUB_CONFLICT" }],
      ["review", answered("approved", { sha: first })],
    ],
    status: "passed",
    reason: /approved by @bob/,
  },
  {
    name: "a pull request that was closed",
    input: input(),
    steps: [plan, ...opened, ["checks", verdict("passed")], ["review", answered("rejected")]],
    status: "failed",
    reason: /closed or the work rejected/,
  },
  {
    name: "no review asked for",
    input: input({ reviewBreakpoint: "auto" }),
    steps: [plan, ...opened, ["checks", verdict("passed")]],
    status: "passed",
    reason: /no review was asked for \(`breakpoints\.review: auto`\)/,
    output: { approvedBy: null },
  },
  {
    name: "address-review: works on the branch that is there",
    process: addressReviewProcess,
    input: input({}, onPullRequest),
    steps: [
      ["address", agent(second)],
      ["push", published()],
      ["checks", verdict("passed")],
      ["review", answered("approved", { sha: second })],
    ],
    status: "passed",
    reason: /approved by @bob/,
    output: { pullRequest: 5, headSha: second },
  },
];

async function play({ process = issueToPr, input: given, steps }: Story, crashes: boolean): Promise<RunWorld> {
  const world = await RunWorld.start(process, given);
  for (const [key, answer] of steps) {
    if (crashes) await world.crash();
    expect(world.open()).toEqual([key]);
    if (typeof answer === "object" && answer !== null && "code" in answer) {
      const error = { code: answer.code as never, message: "no" };
      await world.append([{ type: "effect.failed", key: key as never, attempt: 1, error, usage: [] }]);
    } else await world.succeed(key, answer as Json);
  }
  return world;
}

describe.each(["without a crash", "with a crash before every answer"])("%s", (how) => {
  it.each(stories)("$name", async (story) => {
    const { state } = await play(story, how !== "without a crash");
    expect(state.open.size).toBe(0);
    expect(state.outcome?.verdict).toMatchObject({ status: story.status, reason: expect.stringMatching(story.reason) });
    expect(state.outcome?.output).toMatchObject({ ...story.output });
    // As the status comment lists them: a later stage never begins before an earlier one.
    const used = [...new Set([...state.effects.values()].map(({ stage }) => stage))];
    expect(used).toEqual(state.process.stages.filter((stage) => used.includes(stage)));
    // Logs are for the repair step, never for the verdict that people read.
    expect(JSON.stringify(state.outcome?.verdict)).not.toContain("AssertionError");
  });
});

describe("the pull request's text and the subjects of commits", () => {
  const story = (texts: Partial<WorkInput>): Promise<RunWorld> =>
    play(
      {
        name: "",
        input: input({ repairAttempts: 2 }, texts),
        steps: [
          plan,
          ["implement", agent(first, "cart.js", "### Title\nCount each item\n\n### Intent\nCount them.")],
          ["push", published()],
          ["pull-request", published(5)],
          ["checks", verdict("failed")],
          ["repair", agent(second, "cart.js", "### Intent\nAn empty cart costs 0.")],
          ["push#2", published()],
          ["refresh", published(5)],
          ["checks#2", verdict("failed")],
          ["repair#2", agent(other)],
        ],
        status: "failed",
        reason: /./,
      },
      false,
    );
  const inputOf = (world: RunWorld, key: string) =>
    world.state.effects.get(key as never)?.input as {
      commitSubject?: string;
      publish?: { title?: string; body?: string };
    };

  it("accumulate, and differ", async () => {
    const world = await story({ texts: "accumulate" });
    expect(inputOf(world, "pull-request").publish).toMatchObject({
      title: "Count each item",
      body: expect.not.stringContaining("Since then"),
    });
    const { publish } = inputOf(world, "refresh");
    expect(publish?.title).toBeUndefined();
    expect(publish?.body).toMatch(
      /### Intent\n\nCount them\.\n\n### Since then\n\n- Repair the checks \(1 of 2\): An empty cart costs 0\./,
    );
    const subjects = ["implement", "repair", "repair#2"].map((key) => inputOf(world, key).commitSubject);
    expect(subjects).toEqual(["The total is wrong", "Repair the checks (1 of 2)", "Repair the checks (2 of 2)"]);
  });

  it("of a run that an older Baton began stay as its journal has them", async () => {
    const world = await story({});
    expect(inputOf(world, "pull-request").publish?.title).toBe("The total is wrong");
    expect(inputOf(world, "refresh").publish?.body).toMatch(/### Intent\n\nAn empty cart costs 0\./);
    expect(inputOf(world, "repair").commitSubject).toBe("The total is wrong");
  });
});

describe("what the steps are told", () => {
  const promptOf = (world: RunWorld, key: string): string => told(world.state.effects.get(key as never)?.input).user;

  it("the repair gets the failing log, the revision the reason, the address step the review", async () => {
    const find = (name: string): Story => stories.find((story) => story.name === name) as Story;
    const repaired = await play(find("red: repaired once, then green"), false);
    expect(promptOf(repaired, "repair")).toContain("AssertionError");
    const revised = await play(find("a plan that is revised, then approved"), false);
    expect(promptOf(revised, "plan#2")).toContain("Begin with the test.");
    const asked = await play(find("a plan that needs an answer first"), false);
    const answer = /Round up, @bob\?[\s\S]*@bob answered:\nNever round\./;
    expect(promptOf(asked, "plan#2")).toMatch(answer);
    expect(promptOf(asked, "plan#2")).not.toContain("Your last plan");
    // The planner begins again each time, so it gets its own plan and all earlier requests.
    expect(promptOf(asked, "plan#3")).toMatch(answer);
    expect(promptOf(asked, "plan#3")).toMatch(
      /Your last plan\n\n```\nAdd cents up\.[\s\S]*@bob asked for changes of the plan:\nTest zero\.[\s\S]*Revise your last plan/,
    );
    const addressed = await play(find("requested changes are addressed, up to the limit"), false);
    expect(promptOf(addressed, "address")).toContain("Say why.");
  });

  it("the commands' choice of harness and model reaches every agent", async () => {
    const world = await RunWorld.start(issueToPr, input({}, { choice: { harness: "codex", model: "m-1" } }));
    expect(world.state.effects.get("plan" as never)?.input).toMatchObject({ harness: "codex", model: "m-1" });
    expect(world.state.requestedBy).toEqual(alice);
  });
});
