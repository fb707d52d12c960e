import { expect, it } from "vitest";
import { toActionEvent, toActionTrigger } from "./event.ts";

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

const pushed = (commits: object[]) =>
  read("push", { ref: "refs/heads/main", before: "a".repeat(40), after: "b".repeat(40), commits });

it.each([
  [
    "in Actions, where no commit lists its files",
    [{ id: "b".repeat(40), message: "Nightly", distinct: true }],
    "configured",
  ],
  ["in Actions, of a commit that was pushed before", [], "configured"],
  [
    "of a host that lists them, with the configuration",
    [{ added: ["a"], modified: [".github/baton.yml"] }],
    "configured",
  ],
  ["of such a host, without it", [{ added: ["src/baton.yaml"], modified: [], removed: [] }], "nothing"],
])("a push %s", (_, commits, kind) => {
  expect(pushed(commits).kind).toBe(kind);
});

const fired = (name: string, payload: object) =>
  toActionTrigger({ name, payload: { repository, sender: user, ...payload }, workflowRunId: "77" });

it.each([
  ["issues", { action: "labeled", issue: { number: 4, title: "x", user }, label: { name: "baton" } }, "issues.labeled"],
  ["issues", { action: "opened", issue: { number: 4, title: "x", user, body: "/baton run" } }, "issues.opened"],
  ["repository_dispatch", { action: "deploy", client_payload: { version: "1" } }, "repository_dispatch"],
  ["workflow_dispatch", { ref: "refs/heads/main", inputs: { part: "docs" } }, "workflow_dispatch"],
])("%s %o is also an event for rules", (name, payload, on) => {
  expect(fired(name, payload)).toMatchObject({ on, repository: { id: 1, installationId: 0 } });
});

it.each([
  ["a fork's pull request", "pull_request", { action: "opened", pull_request: forked("opened") }],
  ["an order of an App", "workflow_dispatch", { ref: "refs/heads/main", inputs: { effect: "{}" } }],
  ["a wake-up", "schedule", {}],
  ["a comment", "issue_comment", { action: "created", issue: { number: 4 }, comment: { id: 3, body: "x", user } }],
])("%s is none", (_, name, payload) => {
  expect(fired(name, payload)).toBeNull();
});

function forked(title: string): object {
  const sides = { head: { sha: "a", ref: "x", repo: { id: 2 } }, base: { ref: "main", repo: { id: 1 } } };
  return { number: 4, title, user, ...sides };
}

it("a dispatch of a type of somebody's own wakes nothing, and refuses no input", () => {
  expect(read("repository_dispatch", { action: "deploy", client_payload: { version: "1" } }).kind).toBe("nothing");
  expect(read("repository_dispatch", { action: "baton", client_payload: {} })).toEqual({ kind: "wake", number: null });
});

it("an edit of the dashboard issue goes into its thread's inbox, with the text before; of any other it means nothing", () => {
  const edit = (from: string, run = "77") =>
    read(
      "issues",
      {
        action: "edited",
        issue: { number: 4, body: "after", user, updated_at: "2026-11-30T10:00:00Z" },
        sender: user,
        changes: { body: { from } },
      },
      run,
    );
  const from = "before\n\n<!-- baton:op=dashboard:1 -->";
  const event = edit(from);
  expect(event).toMatchObject({ kind: "thread", number: 4, delivery: { guid: "issues.edited:run-77" } });
  expect(event.kind === "thread" && JSON.parse(event.delivery.payload)).toMatchObject({ changes: { body: { from } } });
  expect(edit(from, "78")).not.toEqual(event);
  expect(edit("Mine.").kind).toBe("nothing");
});
