/** The people who start the second job with a comment, and the explanation for others in the first job's summary. */
import { expect, it } from "vitest";
import type { Permission } from "../core/vocabulary.ts";
import type { CommentEvent } from "../intake/handle-comment.ts";
import type { Github, GithubApp } from "../ports/github.ts";
import { judgeComment, judgeEdit } from "./judge-event.ts";

const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 0 };
const people: Record<string, Permission> = { alice: "write", tina: "triage", mallory: "none", rita: "read" };

async function judged(body: string, login: string, given: { files?: Record<string, string>; base?: string } = {}) {
  const { files = {}, base } = given;
  const asked: string[] = [];
  const github: Partial<Github> = {
    branchSha: async (_, branch) => branch,
    file: async (_, path, sha) => (path === "baton.yaml" ? (files[sha ?? base ?? "main"] ?? null) : null),
    async actor(_, author) {
      asked.push(author.login);
      return { ...author, permission: people[author.login] ?? "none" };
    },
    issue: async () => ({ isPullRequest: base !== undefined }) as Awaited<ReturnType<Github["issue"]>>,
    pullRequest: async () =>
      ({ baseRef: base, headSha: "1".repeat(40), headRepositoryId: repository.id }) as Awaited<
        ReturnType<Github["pullRequest"]>
      >,
  };
  const app: Partial<GithubApp> = {
    installation: async () => github as Github,
    identity: async () => ({
      slug: "github-actions",
      bot: { id: 41, login: "github-actions[bot]", kind: "bot" },
      appId: 0,
    }),
  };
  const kind = login.endsWith("[bot]") ? ("bot" as const) : ("user" as const);
  const event: CommentEvent = {
    repository,
    number: 7,
    commentId: 1,
    body,
    author: { id: login === "github-actions[bot]" ? 41 : login.length, login, kind },
    writtenAt: null,
  };
  return { ...(await judgeComment({ github: app as GithubApp }, event)), asked };
}

const helpForAll = "version: 1\ncommands: { allow: { help: read } }\n";
const open = "version: 1\ncommands: { run: read }\n";

it.each<[string, string, string, boolean, RegExp, Parameters<typeof judged>[2]?]>([
  ["somebody who may run", "/baton run", "alice", true, /@alice/],
  ["a slip of somebody who may run is answered in the thread", "/baton rnu", "alice", true, /@alice/],
  ["a stranger's command", "/baton run", "mallory", false, /^Nothing was started\. .*permission/],
  ["a reader's command", "Please:\n/baton cancel", "rita", false, /^Nothing was started\. .*permission/],
  ["a stranger's slip", "/baton rnu", "mallory", false, /without permission/],
  ["a command that its key gives to readers", "/baton help", "rita", true, /./, { files: { main: helpForAll } }],
  ["a command that everybody may give", "/baton run", "rita", true, /./, { files: { main: open } }],
  ["what the base of the pull request allows", "/baton run", "rita", true, /./, { files: { old: open }, base: "old" }],
  ["what it does not", "/baton run", "rita", false, /permission/, { files: { old: open }, base: "new" }],
  ["a bot that nobody lists", "/baton run", "other[bot]", false, /commands\.bots/],
  ["Baton's own words", "/baton run", "github-actions[bot]", false, /Own comment/],
])("%s", async (_, body, login, start, reason, given) => {
  const found = await judged(body, login, given);
  expect(found.start).toBe(start);
  expect(found.reason).toMatch(reason);
});

it("text without a command costs no call", async () => {
  expect(await judged("I like this", "mallory")).toMatchObject({ start: false, asked: [] });
});

it.each([
  ["somebody who edited the dashboard", { id: 1, login: "alice" }, 7, true, /@alice edited the dashboard issue/],
  ["Baton itself", { id: 41, login: "github-actions[bot]" }, 7, false, /Own edit/],
  ["an issue that only carries the marker", { id: 1, login: "alice" }, 9, false, /not the dashboard/],
] as const)("an edit by %s", async (_, sender, dashboard, start, reason) => {
  const asked: unknown[] = [];
  const app: Partial<GithubApp> = {
    installation: async () =>
      ({
        async ownIssue(...given: unknown[]) {
          asked.push(given.slice(1));
          return dashboard;
        },
      }) as Partial<Github> as Github,
    identity: async () => ({
      slug: "github-actions",
      bot: { id: 41, login: "github-actions[bot]", kind: "bot" },
      appId: 0,
    }),
  };
  const edit = { repository, number: 7, sender: { ...sender, kind: "user" as const }, before: "", after: "", at: 0 };
  const found = await judgeEdit({ github: app as GithubApp }, edit);
  expect(found.start).toBe(start);
  expect(found.reason).toMatch(reason);
  expect(asked).toEqual(sender.id === 41 ? [] : [["dashboard:9", 7]]);
});
