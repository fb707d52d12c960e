import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "../config/schema.ts";
import type { Actor } from "../core/vocabulary.ts";
import { type ReviewFact, type ReviewFacts, reviewDecision } from "./review-decision.ts";

const alice: Actor = { id: 1, login: "alice", kind: "user", permission: "write" };
const bob: Actor = { id: 2, login: "bob", kind: "user", permission: "maintain" };
const carol: Actor = { id: 3, login: "carol", kind: "user", permission: "write" };
const head = "a".repeat(40);
const old = "b".repeat(40);
const approvals = defaultSettings.approvals;
let id = 0;
const review = (change: Partial<ReviewFact> = {}): ReviewFact => ({
  id: ++id,
  author: bob,
  permission: "maintain",
  state: "approved",
  sha: head,
  body: "",
  comments: [],
  submittedAt: `2026-01-01T${String(Math.floor(id / 60) % 24).padStart(2, "0")}:${String(id % 60).padStart(2, "0")}:00Z`,
  ...change,
});
const decide = (reviews: ReviewFact[], change: Partial<ReviewFacts> = {}) =>
  reviewDecision({
    reviews,
    subjectSha: head,
    headSha: head,
    pullRequestState: "open",
    requester: alice,
    settings: approvals,
    takenIds: [],
    ...change,
  });
const changes = "changes-requested" as const;

describe("what reviews come to", () => {
  it.each([
    ["nothing", [], "pending"],
    ["an approval of the head", [{}], "approved"],
    ["V4: an approval of an older commit", [{ sha: old }], "pending"],
    ["V4: an approval of the head, then one of an older commit that arrived late", [{}, { sha: old }], "pending"],
    ["V4: an approval of an older commit, then of the head", [{ sha: old }, {}], "approved"],
    ["a comment", [{ state: "commented" }], "pending"],
    ["a review that is not submitted", [{ state: "pending" }], "pending"],
    ["V5: approved, then commented", [{}, { state: "commented" }], "approved"],
    ["V5: approved, then dismissed", [{ state: "dismissed" }], "pending"],
    ["V5: approved, then changes asked for", [{}, { state: changes }], changes],
    ["V5: changes asked for, then approved", [{ state: changes }, {}], "approved"],
    [
      "dismissed-objection-revives-approval: approved, then changes asked for, which are dismissed",
      [{}, { state: "dismissed" }],
      "pending",
    ],
    [
      "dismissed-objection-revives-approval: the same with a comment in between",
      [{}, { state: "commented" }, { state: "dismissed" }],
      "pending",
    ],
    [
      "dismissed-objection-revives-approval: a new approval after the dismissal counts",
      [{}, { state: "dismissed" }, {}],
      "approved",
    ],
    [
      "dismissed-objection-revives-approval: another's dismissed objection leaves an approval alone",
      [{}, { state: "dismissed", author: carol, permission: "write" }],
      "approved",
    ],
    [
      "dismissed-objection-revives-approval: a dismissed approval of this head after one of this head",
      [{}, { state: "dismissed", sha: head }],
      "pending",
    ],
    [
      "dismissed-objection-revives-approval: a dismissed objection, then an approval that is not submitted",
      [{}, { state: "dismissed" }, { state: "pending" }],
      "pending",
    ],
    [
      "V5: an approval, then a review of theirs that is not submitted",
      [{}, { state: "pending", body: "Wait.", submittedAt: "" }],
      "approved",
    ],
    [
      "V5: changes asked for, then a review of theirs that is not submitted",
      [{ state: changes }, { state: "pending" }],
      changes,
    ],
    [
      "V6: one approves, another has begun a review",
      [{}, { state: "pending", author: carol, permission: "write" }],
      "approved",
    ],
    [
      "V6: one approves, another asks for changes",
      [{}, { state: changes, author: carol, permission: "write" }],
      changes,
    ],
    [
      "V6: one asks for changes, another approves",
      [{ state: changes, author: carol, permission: "write" }, {}],
      changes,
    ],
    ["V6: changes asked for on an older commit, not yet addressed", [{ state: changes, sha: old }], changes],
    ["the requester's own approval", [{ author: alice }], "pending"],
    ["the requester's own wish for changes steers", [{ author: alice, state: changes }], changes],
    ["a bot's approval", [{ author: { ...bob, kind: "bot" } }], "pending"],
    ["a bot's request for changes", [{ author: { ...bob, kind: "bot" }, state: changes }], "pending"],
    ["a reader's approval", [{ permission: "read" }], "pending"],
    ["a stranger's request for changes", [{ state: changes, permission: "read" }], "pending"],
  ] as [string, Partial<ReviewFact>[], string][])("%s: %s", (_, given, expected) => {
    expect(decide(given.map(review)).outcome).toBe(expected);
  });

  it("V5: reviews that are not submitted change no decision, no feedback and nothing that is told of reviewers", () => {
    const states = ["approved", changes, "commented", "dismissed"] as const;
    const given = fc.record({
      author: fc.constantFrom(alice, bob, carol),
      state: fc.constantFrom(...states),
      sha: fc.constantFrom(head, old),
    });
    const pending = fc.record({ author: fc.constantFrom(alice, bob, carol), at: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 6 }), fc.array(pending, { maxLength: 4 }), (submitted, begun) => {
        const reviews = submitted.map((one) => review({ ...one, permission: "write" }));
        const mixed = [...reviews];
        for (const { author, at } of begun)
          mixed.splice(at, 0, review({ author, state: "pending", body: "Not yet.", submittedAt: "" }));
        expect(decide(mixed)).toEqual(decide(reviews));
      }),
      { numRuns: 1_000 },
    );
  });

  it("reviews count in the order in which they were submitted, not listed or begun", () => {
    const late = review({ id: 10, submittedAt: "2026-02-02T00:00:00Z" });
    const early = review({ id: 20, state: changes, submittedAt: "2026-02-01T00:00:00Z" });
    expect(decide([late, early]).outcome).toBe("approved");
    expect(decide([early, late]).outcome).toBe("approved");
    expect(
      decide([review({ id: 31, submittedAt: "", state: changes }), review({ id: 32, submittedAt: "" })]).outcome,
    ).toBe("approved");
    expect(
      decide([review({ id: 42, submittedAt: "", state: changes }), review({ id: 41, submittedAt: "" })]).outcome,
    ).toBe(changes);
  });

  it("V4: a new head voids what was asked for, also an approval of either commit", () => {
    expect(decide([review()], { headSha: old })).toMatchObject({
      outcome: "voided",
      by: null,
      verdict: { status: "failed", reason: expect.stringMatching(/moved from aaaaaaa to bbbbbbb/) },
    });
    expect(decide([review({ sha: old })], { headSha: old }).outcome).toBe("voided");
  });

  it.each([
    ["closed: the work is rejected", "closed", [], "rejected"],
    ["closed: an approval no longer helps", "closed", [{}], "rejected"],
    ["merged with an approval of the head", "merged", [{}], "approved"],
    ["merged without one: the wait ends, and not with a yes", "merged", [], "rejected"],
    ["merged over a wish for changes", "merged", [{ state: changes }], changes],
  ] as [string, ReviewFacts["pullRequestState"], Partial<ReviewFact>[], string][])(
    "%s",
    (_, pullRequestState, given, expected) => {
      expect(decide(given.map(review), { pullRequestState }).outcome).toBe(expected);
    },
  );

  it("a request for changes that was addressed does not steer again, nor does it approve", () => {
    const asked = review({ state: changes, sha: old });
    expect(decide([asked], { takenIds: [asked.id] }).outcome).toBe("pending");
    const again = review({ state: changes });
    expect(decide([asked, again], { takenIds: [asked.id] })).toMatchObject({ outcome: changes, reviewId: again.id });
  });

  it.each<[string, Partial<ReviewFact>[], string]>([
    ["alone: it starts no round", [], "pending"],
    ["and another person's approval", [{ author: carol }], "pending"],
    ["and their own approval", [{}], "approved"],
    ["and their dismissal, with another's approval", [{ state: "dismissed" }, { author: carol }], "approved"],
    ["and their new request", [{ state: changes }], changes],
  ])("an objection from before the run, %s", (_, more, expected) => {
    const asked = review({ state: changes, sha: old });
    const later = more.map((one) => review({ author: bob, ...one }));
    expect(decide([asked, ...later], { beforeRunIds: [asked.id] }).outcome).toBe(expected);
  });

  it("an objection from before the run by somebody who may not approve, or by a bot, holds nobody up", () => {
    const asked = review({ state: changes, sha: old, author: carol, permission: "read" });
    expect(decide([asked, review({})], { beforeRunIds: [asked.id] }).outcome).toBe("approved");
  });

  it.each([
    ["one of two", 2, [bob], "pending"],
    ["two of two", 2, [bob, carol], "approved"],
    ["one person twice is one", 2, [bob, bob], "pending"],
    ["the requester does not make it two", 2, [bob, alice], "pending"],
  ])("approvals.count: %s", (_, count, authors, expected) => {
    expect(
      decide(
        authors.map((author) => review({ author, permission: author.permission })),
        { settings: { ...approvals, count } },
      ).outcome,
    ).toBe(expected);
  });

  it("approvals.count: says how many there are", () => {
    expect(decide([review()], { settings: { ...approvals, count: 2 } }).verdict.reason).toMatch(
      /aaaaaaa needs 2 approving reviews \(`approvals\.count`; 1 so far\) by someone/,
    );
  });

  it("V1: the author of the pull request and the last pusher do not approve their own", () => {
    expect(decide([review()], { pullRequestAuthor: bob }).outcome).toBe("pending");
    expect(decide([review()], { lastPusher: bob }).outcome).toBe("pending");
    expect(decide([review()], { pullRequestAuthor: { ...bob, kind: "bot" } }).outcome).toBe("approved");
  });

  it("V1: where self approval is allowed, the verdict says that it was one", () => {
    const decided = decide([review({ author: alice, permission: "write" })], {
      settings: { ...approvals, self: "allow" },
    });
    expect(decided).toMatchObject({
      outcome: "approved",
      verdict: {
        reason: expect.stringMatching(
          /@alice approved aaaaaaa\. @alice approved their own run.*approvals\.self: allow/,
        ),
      },
    });
    expect(decide([review()], { settings: { ...approvals, self: "allow" } }).verdict.reason).toBe(
      "@bob approved aaaaaaa.",
    );
  });

  it("feedback carries the body and the line comments", () => {
    const { feedback } = decide([
      review({
        state: changes,
        body: "Almost.",
        comments: [
          { path: "a.js", line: 3, body: "off by one" },
          { path: "b.js", line: null, body: "why?" },
        ],
      }),
    ]);
    expect(feedback).toBe("Almost.\n\na.js:3: off by one\n\nb.js: why?");
  });

  it("tells of every reviewer why they count or not, with the review and its commit", () => {
    const decided = decide([
      review({ id: 501, sha: old }),
      review({ id: 502, author: alice }),
      review({ id: 503, author: carol, permission: "write" }),
    ]);
    expect(
      decided.verdict.children.map(({ name, status, evidence }) => [name, status, evidence.map(({ value }) => value)]),
    ).toEqual([
      ["@bob", "skipped", ["501", old]],
      ["@alice", "skipped", ["502", head]],
      ["@carol", "passed", ["503", head]],
    ]);
    expect(decided).toMatchObject({ outcome: "approved", reviewId: 503, by: carol });
  });

  it("approved means: a person other than the requester, permitted, whose last word is an approval of exactly this head", () => {
    const anyReview = fc.record({
      author: fc.constantFrom(alice, bob, carol, { ...bob, id: 4, kind: "bot" as const }),
      permission: fc.constantFrom("read" as const, "write" as const),
      state: fc.constantFrom("approved" as const, changes, "commented" as const, "dismissed" as const),
      sha: fc.constantFrom(head, old),
    });
    fc.assert(
      fc.property(fc.array(anyReview, { maxLength: 8 }), fc.constantFrom(head, old), (given, headSha) => {
        const reviews = given.map((one) => review(one));
        const { outcome, by } = decide(reviews, { headSha });
        const last = reviews
          .filter(({ author, state }) => author.id === by?.id && (state === "approved" || state === changes))
          .at(-1);
        const right =
          headSha === head &&
          by?.kind === "user" &&
          by.id !== alice.id &&
          last?.state === "approved" &&
          last.sha === head &&
          last.permission === "write";
        expect(outcome !== "approved" || right).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("retargeted-pull-request: an approval is for the branch that it was given for", () => {
  it.each([
    ["the same base", { subject: "main", now: "main" }, "open", "approved"],
    ["another base", { subject: "main", now: "production" }, "open", "voided"],
    ["another base, by a change of case", { subject: "main", now: "Main" }, "open", "voided"],
    ["another base, and merged into it", { subject: "main", now: "production" }, "merged", "rejected"],
  ] as const)("%s", (_, base, pullRequestState, outcome) => {
    expect(decide([review()], { base, pullRequestState })).toMatchObject({ outcome });
  });

  it.each([
    ["never", null, "approved"],
    ["before the approval", "2026-02-01T09:59:59Z", "approved"],
    ["in the same second", "2026-02-01T10:00:00Z", "pending"],
    ["after the approval, and back", "2026-02-01T10:00:01Z", "pending"],
  ] as const)("the base was changed %s", (_, baseChangedAt, outcome) => {
    const base = { subject: "main", now: "main" };
    const given = review({ submittedAt: "2026-02-01T10:00:00Z" });
    expect(decide([given], { base, baseChangedAt }).outcome).toBe(outcome);
    const again = review({ submittedAt: "2026-02-01T10:00:02Z" });
    expect(decide([given, again], { base, baseChangedAt }).outcome).toBe("approved");
    const objection = review({ state: changes, author: carol, permission: "write", submittedAt: given.submittedAt });
    expect(decide([given, objection], { base, baseChangedAt }).outcome).toBe(changes);
  });

  it("reviews from before the change approve nothing, and objections from then still hold", () => {
    const [before, after, objection] = [
      review(),
      review(),
      review({ state: "changes-requested", author: carol, permission: "write" }),
    ];
    const otherBaseIds = [before.id, objection.id];
    expect(decide([before], { otherBaseIds }).outcome).toBe("pending");
    expect(decide([before, after], { otherBaseIds }).outcome).toBe("approved");
    expect(decide([before, objection, after], { otherBaseIds }).outcome).toBe("changes-requested");
  });
});
