/** The process `review` as stories: its requests in order, with a crash before every answer. */
import { describe, expect, it } from "vitest";
import type { PlacedFinding } from "../../src/core/review-finding.ts";
import type { Json } from "../../src/core/vocabulary.ts";
import type { ReviewFacts } from "../../src/review/facts.ts";
import { agent, base, first, input, onPullRequest, second, tell } from "../../test/fakes/story.ts";
import type { WorkInput } from "../schema.ts";
import { review } from "./process.ts";

const json = (value: object): string => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
const says = (text: string): Json => agent(null, "", text);
const facts = (change: Partial<ReviewFacts> = {}): ReviewFacts => ({
  since: null,
  reviewId: null,
  earlier: [],
  outside: [],
  event: "comment",
  comments: 20,
  nits: true,
  secondLookUsd: 0.2,
  instructions: [],
  gate: "off",
  override: null,
  ...change,
});
const given = (change: Partial<ReviewFacts> = {}): WorkInput => input({}, { ...onPullRequest, review: facts(change) });
const finding = { path: "cart.js", line: 2, quote: "x", severity: "blocking" as const, text: "It throws." };
const placed: PlacedFinding = {
  path: "cart.js",
  severity: "blocking",
  text: "It throws.",
  fingerprint: "f1",
  side: "RIGHT",
  line: 2,
  startLine: null,
  quote: "x",
  suggestion: null,
  fresh: true,
};
const placement = (...some: PlacedFinding[]): Json => ({ placed: some, outside: [], left: [], gone: [] });
const posted: Json = { number: 70, url: "https://github.test/r70", sha: first };
const found = says(`Words.\n\n${json({ findings: [finding] })}`);
const old = {
  fingerprint: "f0",
  path: "cart.js",
  side: "RIGHT" as const,
  line: 1,
  severity: "minor" as const,
  text: "Old.",
  threadId: "T0",
  state: "open" as const,
};
const publishOf = (world: Awaited<ReturnType<typeof tell>>, key: string) =>
  (world.state.effects.get(key as never)?.input as { publish: Record<string, unknown> }).publish;

describe.each([false, true])("with crashes: %s", (crashes) => {
  it("finds, verifies twice, posts, and remembers", async () => {
    const world = await tell(
      review,
      given({ gate: "advisory" }),
      [
        ["review", found],
        ["place", placement(placed)],
        ["second-look", says(json({ holds: ["f1"] }))],
        ["post-review", posted],
        ["gate", { number: 9, url: null, sha: null }],
      ],
      crashes,
    );
    expect(world.state.outcome?.verdict).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("1 finding"),
    });
    expect(publishOf(world, "post-review")).toMatchObject({ event: "comment", earlier: null, comments: [{ line: 2 }] });
    expect(publishOf(world, "gate")).toMatchObject({ conclusion: "neutral", title: "1 blocking finding stands" });
    expect(world.state.outcome?.output).toMatchObject({
      reviewed: { sha: first, reviewId: 70, blocking: 1, findings: [{ fingerprint: "f1" }] },
    });
  });

  it("nothing to say and nothing said before: no word", async () => {
    const world = await tell(
      review,
      given(),
      [
        ["review", says(json({ findings: [] }))],
        ["place", placement()],
      ],
      crashes,
    );
    expect(world.state.outcome?.verdict.status).toBe("passed");
  });

  it("the head of the last review: no agent, the earlier review's text is brought up to date", async () => {
    const world = await tell(
      review,
      given({ since: first, reviewId: 70, earlier: [old] }),
      [["post-review", posted]],
      crashes,
    );
    expect(publishOf(world, "post-review")).toMatchObject({ earlier: 70, comments: [], resolve: [] });
  });

  it("a thread is resolved if its line is gone and the reviewer says so", async () => {
    const world = await tell(
      review,
      given({ since: second, reviewId: 70, earlier: [old], gate: "required" }),
      [
        ["review", says(json({ findings: [], earlier: [{ id: "e1", fixed: true }] }))],
        ["place", { placed: [], outside: [], left: [], gone: ["f0"] }],
        ["post-review", posted],
        ["gate", { number: 9, url: null, sha: null }],
      ],
      crashes,
    );
    expect(publishOf(world, "post-review")).toMatchObject({ resolve: ["T0"], withdraw: true });
    expect(publishOf(world, "gate")).toMatchObject({ conclusion: "success" });
    expect(world.state.effects.get("review" as never)?.input).toMatchObject({ reads: [second] });
  });
});

it("`review.secondLook: false`: nobody looks again", async () => {
  const world = await tell(
    review,
    given({ secondLookUsd: null }),
    [
      ["review", found],
      ["place", placement(placed)],
      ["post-review", posted],
    ],
    false,
  );
  expect(world.state.outcome).not.toBeNull();
});

it("the second look has a small share of the budget, a cheap model, and its failure leaves the findings", async () => {
  const world = await tell(
    review,
    given(),
    [
      ["review", found],
      ["place", placement(placed)],
      ["second-look", { code: "BATON_BUDGET_EXCEEDED" }],
      ["post-review", posted],
    ],
    false,
  );
  expect(world.state.effects.get("second-look" as never)?.input).toMatchObject({ shareUsd: 0.2, model: "fast" });
  expect(publishOf(world, "post-review")["body"]).toContain("nobody checked these findings again");
});

it.each<[string, string, number]>([
  ["agrees with nothing", json({ holds: [] }), 0],
  ["names a claim that nobody made", json({ holds: ["f9", "f1"] }), 1],
  ["says nothing readable", "All good!", 1],
])("a second look that %s", async (_, text, comments) => {
  const world = await tell(
    review,
    given({ reviewId: 70 }),
    [
      ["review", found],
      ["place", placement(placed)],
      ["second-look", says(text)],
      ["post-review", posted],
    ],
    false,
  );
  expect(publishOf(world, "post-review")["comments"]).toHaveLength(comments);
});

it("`request-changes` only with a blocking finding; a person's override passes the check with the reason", async () => {
  const steps = (one: PlacedFinding): Parameters<typeof tell>[2] => [
    ["review", found],
    ["place", placement(one)],
    ["second-look", says(json({ holds: ["f1"] }))],
    ["post-review", posted],
    ["gate", { number: 9, url: null, sha: null }],
  ];
  const override = { by: "bob", reason: "The caller checks it. <!-- x --> @everyone" };
  const settings = { event: "request-changes" as const, gate: "required" as const };
  const blocked = await tell(review, given({ ...settings, override }), steps(placed), false);
  expect(publishOf(blocked, "post-review")["event"]).toBe("request-changes");
  expect(publishOf(blocked, "gate")).toMatchObject({
    conclusion: "success",
    title: "Passed by @bob: 1 blocking finding stands",
    summary: expect.stringContaining("The caller checks it."),
  });
  expect(publishOf(blocked, "gate")["summary"]).not.toMatch(/<!--|(?<![`\u200b\w])@everyone/);
  const minor = await tell(review, given(settings), steps({ ...placed, severity: "minor" }), false);
  expect(publishOf(minor, "post-review")["event"]).toBe("comment");
  expect(publishOf(minor, "gate")).toMatchObject({ conclusion: "success" });
});

it("what has no thread counts for the run, and not for the check; nothing of it is forgotten on the same head", async () => {
  const outside = [{ path: "b.js", line: 9, severity: "blocking" as const, text: "It leaks." }];
  const whole = await tell(
    review,
    given({ gate: "required" }),
    [
      ["review", found],
      ["place", { placed: [], outside, left: [], gone: [] }],
      ["post-review", posted],
      ["gate", { number: 9, url: null, sha: null }],
    ],
    false,
  );
  expect(whole.state.outcome?.verdict.status).toBe("failed");
  expect(publishOf(whole, "gate")["conclusion"]).toBe("success");
  const again = await tell(review, given({ since: first, reviewId: 70, outside }), [["post-review", posted]], false);
  expect(again.state.outcome?.verdict.status).toBe("failed");
});

it("refused lines, and findings beyond the bound: the next review reads everything again", async () => {
  const steps = (answer: Json, ...some: PlacedFinding[]): Parameters<typeof tell>[2] => [
    ["review", found],
    ["place", placement(...some)],
    ["second-look", says(json({ holds: ["f1", "f2"] }))],
    ["post-review", answer],
  ];
  const refused = await tell(review, given(), steps({ ...(posted as object), sha: null } as Json, placed), false);
  expect(refused.state.outcome?.output).not.toHaveProperty("reviewed");
  const two = [placed, { ...placed, fingerprint: "f2" }];
  const bounded = await tell(review, given({ comments: 1 }), steps(posted, ...two), false);
  expect(bounded.state.outcome?.output).toMatchObject({ reviewed: { complete: false } });
});

it("unreadable findings are one comment in the thread, and count as no review", async () => {
  const world = await tell(
    review,
    given(),
    [
      ["review", says("I looked.")],
      ["post", posted],
    ],
    false,
  );
  expect(world.state.outcome?.verdict.reason).toMatch(/could not be read/);
  expect(world.state.outcome?.output).not.toHaveProperty("reviewed");
});

it("without facts for lines (a run of an older Baton), the findings are one comment", async () => {
  const world = await tell(
    review,
    input({}, onPullRequest),
    [
      ["review", says(json({ findings: [{ path: "a", severity: "minor", text: "x" }] }))],
      ["post", posted],
    ],
    false,
  );
  expect(world.state.effects.get("review" as never)?.input).toMatchObject({ reads: [base] });
});
