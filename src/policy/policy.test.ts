import { describe, expect, it } from "vitest";
import { defaultSettings } from "../config/schema.ts";
import type { Actor } from "../core/vocabulary.ts";
import { mayApprove } from "./approval.ts";
import { type CommandFacts, decideCommand } from "./decide-command.ts";
import { matchesAny } from "./paths.ts";
import { type ReviewFact, type ReviewFacts, reviewDecision } from "./review-decision.ts";

const alice: Actor = { id: 1, login: "alice", kind: "user", permission: "write" };
const bob: Actor = { id: 2, login: "bob", kind: "user", permission: "maintain" };
const command = (change: Partial<CommandFacts> = {}) =>
  decideCommand({
    command: "run",
    actor: alice,
    ownUserId: 1_000,
    needs: "run",
    headIsFork: false,
    worksOnHead: true,
    settings: defaultSettings,
    ...change,
  });

describe("who may give a command", () => {
  it.each([
    ["a writer", {}, "passed"],
    ["a reader", { actor: { ...alice, permission: "read" } }, "failed"],
    ["a stranger", { actor: { ...alice, permission: "none" } }, "failed"],
    ["a reader who only asks", { actor: { ...alice, permission: "read" }, needs: "read" }, "passed"],
    ["a bot", { actor: { ...alice, kind: "bot" } }, "failed"],
    [
      "a listed bot",
      {
        actor: { ...alice, kind: "bot" },
        settings: { ...defaultSettings, commands: { ...defaultSettings.commands, bots: [1] } },
      },
      "passed",
    ],
    ["Baton itself", { ownUserId: 1 }, "failed"],
    ["a writer on a fork's head", { headIsFork: true }, "failed"],
    ["a writer who only asks on a fork's pull request", { headIsFork: true, worksOnHead: false }, "passed"],
  ] as [string, Partial<CommandFacts>, string][])("%s: %s", (_, change, expected) => {
    expect(command(change).status).toBe(expected);
  });

  it("Z2: a refusal quotes the rule and says who can", () => {
    expect(command({ actor: { ...alice, permission: "read" } }).reason).toMatch(
      /needs the permission \*\*write\*\*.*commands\.run.*has \*\*read\*\*.*Somebody with write/,
    );
  });
});

describe("who may approve", () => {
  const approvals = defaultSettings.approvals;
  it.each([
    ["another writer", { approver: bob }, "passed"],
    ["the requester", { approver: alice }, "failed"],
    ["the requester under another login: ids decide", { approver: { ...alice, login: "bob" } }, "failed"],
    [
      "the requester where self approval is allowed",
      { approver: alice, settings: { ...approvals, self: "allow" } },
      "passed",
    ],
    ["a reader", { approver: { ...bob, permission: "read" } }, "failed"],
    ["a bot", { approver: { ...bob, kind: "bot" } }, "failed"],
    ["somebody not listed", { approver: bob, settings: { ...approvals, people: ["carol"] } }, "failed"],
    ["somebody listed, in another case", { approver: bob, settings: { ...approvals, people: ["BOB"] } }, "passed"],
  ] as const)("%s: %s", (_, change, expected) => {
    expect(
      mayApprove({ requester: alice, settings: approvals, ...change } as Parameters<typeof mayApprove>[0]).status,
    ).toBe(expected);
  });

  it("V1: the reason says when somebody approved their own run", () => {
    expect(
      mayApprove({ approver: alice, requester: alice, settings: { ...approvals, self: "allow" } }).reason,
    ).toContain("approved their own run");
  });
});

describe("what reviews come to", () => {
  const head = "a".repeat(40);
  const old = "b".repeat(40);
  let id = 0;
  const review = (change: Partial<ReviewFact> = {}): ReviewFact => ({
    id: ++id,
    author: bob,
    permission: "maintain",
    state: "approved",
    sha: head,
    body: "",
    comments: [],
    submittedAt: `2026-01-01T00:00:${String(id).padStart(2, "0")}Z`,
    ...change,
  });
  const decide = (reviews: ReviewFact[], change: Partial<ReviewFacts> = {}) =>
    reviewDecision({
      reviews,
      subjectSha: head,
      headSha: head,
      pullRequestState: "open",
      requester: alice,
      settings: defaultSettings.approvals,
      takenIds: [],
      ...change,
    });

  it.each([
    ["nothing", [], "pending"],
    ["an approval of the head", [{}], "approved"],
    ["V4: an approval of an older commit", [{ sha: old }], "pending"],
    ["a comment", [{ state: "commented" }], "pending"],
    ["V5: approved, then commented", [{}, { state: "commented" }], "approved"],
    ["V5: approved, then changes asked for", [{}, { state: "changes-requested" }], "changes-requested"],
    ["changes asked for, then approved", [{ state: "changes-requested" }, {}], "approved"],
    [
      "V6: one approves, another asks for changes",
      [{}, { state: "changes-requested", author: { ...bob, id: 3 } }],
      "changes-requested",
    ],
    ["the requester's own approval", [{ author: alice }], "pending"],
    ["a bot's approval", [{ author: { ...bob, kind: "bot" } }], "pending"],
    ["a stranger's request for changes", [{ state: "changes-requested", permission: "read" }], "pending"],
  ] as [string, Partial<ReviewFact>[], string][])("%s: %s", (_, changes, expected) => {
    expect(decide(changes.map(review)).outcome).toBe(expected);
  });

  it("V4: a new head voids what was asked for", () => {
    expect(decide([review()], { headSha: old }).outcome).toBe("voided");
  });

  it("a closed pull request ends the question", () => {
    expect(decide([], { pullRequestState: "closed" }).outcome).toBe("rejected");
  });

  it("a request for changes that was addressed does not steer again", () => {
    const asked = review({ state: "changes-requested", sha: old });
    expect(decide([asked], { takenIds: [asked.id] }).outcome).toBe("pending");
  });

  it("feedback carries the body and the line comments", () => {
    const { feedback } = decide([
      review({
        state: "changes-requested",
        body: "Almost.",
        comments: [{ path: "a.js", line: 3, body: "off by one" }],
      }),
    ]);
    expect(feedback).toBe("Almost.\n\na.js:3: off by one");
  });
});

describe("protected paths", () => {
  it.each([
    [".github/workflows/ci.yml", true],
    [".GitHub/workflows/ci.yml", true],
    ["baton.yaml", true],
    ["docs/CODEOWNERS", true],
    ["src/AGENTS.md", true],
    ["src/index.ts", false],
    ["src/.github-like/x", false],
  ])("%s: %s", (path, expected) => {
    expect(matchesAny(path, defaultSettings.protectedPaths)).toBe(expected);
  });
});
