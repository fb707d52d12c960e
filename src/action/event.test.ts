import { expect, it } from "vitest";
import { toActionEvent } from "./event.ts";

const repository = { id: 1, name: "shop", default_branch: "main", owner: { login: "acme" } };
const user = { id: 5, login: "alice", type: "User" };
const read = (name: string, payload: object, workflowRunId = "77") =>
  toActionEvent({ name, payload: { repository, ...payload }, workflowRunId, now: 9 });
const comment = (body: string, more: object = {}) =>
  read("issue_comment", { action: "created", issue: { number: 4 }, comment: { id: 3, body, user }, ...more });

it("a command goes into its thread's inbox, named by the comment and not by the job", () => {
  expect(comment("/baton run")).toMatchObject({
    kind: "thread",
    number: 4,
    delivery: { hook: "actions", guid: "issue_comment.created:3", receivedAt: 9 },
  });
});

const issue = (body: string | null, more: object = {}) =>
  read("issues", { action: "opened", issue: { number: 4, body, user }, sender: { id: 5 }, ...more });

it("a command in the text of a new issue goes into its inbox, named by the issue", () => {
  const event = issue("The total is wrong.\n\n/baton run");
  expect(event).toMatchObject({ kind: "thread", number: 4, delivery: { guid: "issues.opened:4", event: "issues" } });
});

it.each([
  ["a new issue without a command", () => issue("The total is wrong.")],
  ["a new issue without a text", () => issue(null)],
  ["an edited issue", () => issue("/baton run", { action: "edited" })],
  ["an issue that somebody else moved here", () => issue("/baton run", { sender: { id: 6 } })],
  ["a plain comment", () => comment("nice")],
  ["an edited comment", () => comment("/baton run", { action: "edited" })],
  ["a comment of a deleted user", () => comment("/baton run", { comment: { id: 3, body: "/baton run", user: null } })],
  ["a label", () => read("issues", { action: "labeled", issue: { number: 4 } })],
  [
    "something that is no payload",
    () => toActionEvent({ name: "issue_comment", payload: [], workflowRunId: "1", now: 1 }),
  ],
])("%s means nothing", (_, event) => {
  expect(event()).toMatchObject({ kind: "nothing", reason: expect.stringMatching(/\S/) });
});

it.each(["pull_request", "pull_request_review", "pull_request_target"])("a fork's %s is not tried", (name) => {
  const sides = { head: { sha: "a".repeat(40), repo: { id: 2 } }, base: { repo: { id: 1 } } };
  expect(read(name, { action: "opened", review: { id: 1 }, pull_request: { number: 4, ...sides } })).toMatchObject({
    kind: "nothing",
    reason: expect.stringContaining("fork"),
  });
});

it("a deleted fork counts as a fork", () => {
  const sides = { head: { sha: "a".repeat(40), repo: null }, base: { repo: { id: 1 } } };
  expect(read("pull_request", { action: "closed", pull_request: { number: 4, ...sides } }).kind).toBe("nothing");
});

it("the end of CI are facts about its commit; started again by hand it is the same event", () => {
  const ended = { action: "completed", workflow_run: { id: 1, head_sha: "b".repeat(40) } };
  const first = read("workflow_run", ended);
  expect(first).toMatchObject({ kind: "facts", watches: [`sha:${"b".repeat(40)}`] });
  expect(read("workflow_run", ended)).toEqual(first);
  expect(read("workflow_run", ended, "78")).not.toEqual(first);
});

it.each([
  ["schedule", {}, null],
  ["workflow_dispatch", { inputs: { thread: "12" } }, 12],
  ["workflow_dispatch", { inputs: { thread: "" } }, null],
  ["workflow_dispatch", { inputs: null }, null],
  ["workflow_dispatch", { inputs: { thread: " #12 " } }, 12],
  ["repository_dispatch", { client_payload: { thread: 12 } }, 12],
])("%s wakes: %o", (name, payload, number) => {
  expect(read(name, payload)).toEqual({ kind: "wake", number });
});

it.each([
  ["workflow_dispatch", { inputs: { thread: "../1" } }],
  ["workflow_dispatch", { inputs: { thread: "0" } }],
  ["workflow_dispatch", { inputs: { thread: "9".repeat(30) } }],
  ["repository_dispatch", { client_payload: { thread: -1 } }],
  ["repository_dispatch", { client_payload: { thread: {} } }],
])("%s with what is no number of a thread is refused, and says what to write: %o", (name, payload) => {
  expect(read(name, payload)).toEqual({ kind: "refused", reason: expect.stringMatching(/^`thread` is .*number/) });
});

it.each([
  ["workflow_dispatch", { inputs: { issue: "12" } }],
  ["workflow_dispatch", { inputs: { thread: "12", command: "/baton run" } }],
  ["repository_dispatch", { client_payload: { number: 12 } }],
  ["repository_dispatch", { client_payload: { thread: 12, force: false } }],
])("%s with an input that nobody reads is refused, not green for nothing: %o", (name, payload) => {
  expect(read(name, payload)).toEqual({ kind: "refused", reason: expect.stringMatching(/^Unknown input .*`thread`/) });
});

it("an empty input was not given", () => {
  expect(read("workflow_dispatch", { inputs: { thread: "7", note: "" } })).toEqual({ kind: "wake", number: 7 });
});

it("an order that no App gave is refused", () => {
  expect(read("workflow_dispatch", { inputs: { effect: "{}" } })).toMatchObject({ kind: "refused" });
  expect(read("workflow_dispatch", { inputs: { effect: "do it" } })).toMatchObject({ kind: "refused" });
});

it("keeps of a payload only what is read later", () => {
  const event = comment("/baton run", {
    sender: user,
    secret: "x".repeat(10_000),
    issue: { number: 4, body: "long", user },
    comment: { id: 3, body: "/baton run", user, url: "u" },
  });
  expect(event.kind === "thread" && JSON.parse(event.delivery.payload)).toEqual({
    action: "created",
    repository,
    issue: { number: 4 },
    comment: { id: 3, body: "/baton run", user },
    installation: { id: 0 },
  });
});
