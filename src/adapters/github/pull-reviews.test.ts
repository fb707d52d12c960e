/** A review is posted once, whatever dies in between, and refused lines cost no finding. */
import { expect, it } from "vitest";
import { BatonError } from "../../core/errors.ts";
import type { GithubUser, NewReview } from "../../ports/github.ts";
import { withMarker } from "../../text/marker.ts";
import { editReview, ensureReply, ensureReview, resolveThread, retireReview } from "./pull-reviews.ts";

const bot = { id: 5, login: "baton[bot]", type: "Bot" };
const mallory = { id: 6, login: "mallory", type: "User" };
const sha = "a".repeat(40);
const review: NewReview = {
  sha,
  event: "comment",
  body: "Words.",
  bodyWithFindings: "Words. The findings.",
  comments: [{ path: "a.js", side: "RIGHT", line: 4, startLine: 2, body: "It throws." }],
};

interface Sent {
  route: string;
  parameters: Record<string, unknown>;
}

function place(given: { reviews?: object[]; comments?: object[]; answers?: (BatonError | object)[] } = {}) {
  const sent: Sent[] = [];
  const { reviews = [], comments = [], answers = [] } = given;
  const requester = {
    list: async (route: string) => (route.endsWith("/comments") ? comments : reviews),
    find: async () => reviews[0] ?? null,
    async write(route: string, parameters: Record<string, unknown>) {
      sent.push({ route, parameters });
      const answer = answers.shift() ?? { id: 70, html_url: "https://github.test/70" };
      if (answer instanceof BatonError) throw answer;
      return answer;
    },
  };
  const graphql = {
    minimize: async (id: string) => void sent.push({ route: "minimize", parameters: { id } }),
    resolveThread: async () => {
      throw new BatonError("BATON_GITHUB_NOT_FOUND", "gone");
    },
  };
  const whole = {
    requester,
    graphql,
    repository: { owner: "acme", name: "shop" },
    number: 2,
    isOurs: (author: GithubUser) => author.id === bot.id,
  } as unknown as Parameters<typeof ensureReview>[0];
  return { place: whole, sent };
}

const refusal = (words: string): BatonError =>
  new BatonError("BATON_GITHUB_CONFLICT", `422 Unprocessable Entity ${words}`);
const own = (more: object = {}) => ({
  id: 60,
  html_url: "u",
  node_id: "N",
  state: "COMMENTED",
  user: bot,
  body: withMarker("x", "run_1/post-review"),
  ...more,
});

it("is posted with its comments, for exactly the reviewed commit", async () => {
  const { place: at, sent } = place();
  expect(await ensureReview(at, "run_1/post-review", review)).toMatchObject({ id: 70, onLines: true });
  expect(sent).toMatchObject([
    {
      parameters: {
        commit_id: sha,
        event: "COMMENT",
        comments: [{ path: "a.js", side: "RIGHT", line: 4, start_line: 2, start_side: "RIGHT" }],
      },
    },
  ]);
});

it.each<[string, object[], number]>([
  ["after a lost answer, it is found by its marker", [own()], 0],
  ["another person's review with the marker does not count", [own({ user: mallory })], 1],
  ["a pending review does not count", [own({ state: "PENDING" })], 1],
  ["an earlier review of Baton does not count", [own({ body: withMarker("x", "run_0/post-review") })], 1],
  ["a marker that somebody quotes does not count", [own({ body: `${withMarker("x", "run_1/post-review")}\nmore` })], 1],
  ["a review of a deleted account", [own({ user: null })], 1],
])("%s", async (_, reviews, posts) => {
  const { place: at, sent } = place({ reviews });
  await ensureReview(at, "run_1/post-review", review);
  expect(sent).toHaveLength(posts);
});

it.each([
  '["Line could not be resolved"]',
  '["Path could not be resolved, and Line could not be resolved"]',
  '["Start line must be part of the same hunk as the line."]',
  '["pull_request_review_thread.end_commit_oid is not part of the pull request"]',
])("lines that moved meanwhile: %s puts the findings into the text", async (words) => {
  const { place: at, sent } = place({ answers: [refusal(words)] });
  expect(await ensureReview(at, "run_1/post-review", review)).toMatchObject({ onLines: false });
  expect(sent[1]?.parameters).toMatchObject({ body: expect.stringContaining("The findings."), comments: [] });
});

it.each(['["User can only have one pending review per pull request"]', '["Body can not be blank"]'])(
  "another refusal is an error, and posts nothing else: %s",
  async (words) => {
    const { place: at, sent } = place({ answers: [refusal(words)] });
    await expect(ensureReview(at, "run_1/post-review", review)).rejects.toThrow("422");
    expect(sent).toHaveLength(1);
  },
);

it("only Baton's own review is edited, folded or withdrawn", async () => {
  const theirs = place({ reviews: [own({ user: mallory })] });
  expect(await editReview(theirs.place, 60, "run_2/post-review", "Now.")).toBe(false);
  await retireReview(theirs.place, 60, { fold: true, withdraw: "Done." });
  expect(theirs.sent).toEqual([]);
  const ours = place({ reviews: [own({ state: "CHANGES_REQUESTED" })] });
  expect(await editReview(ours.place, 60, "run_2/post-review", "Now.")).toBe(true);
  await retireReview(ours.place, 60, { fold: true, withdraw: "Done." });
  expect(ours.sent.map(({ route }) => route.replace(/^.*review_id\}/, ""))).toEqual(["", "/dismissals", "minimize"]);
  const gone = place();
  expect(await editReview(gone.place, 60, "run_2/post-review", "Now.")).toBe(false);
});

it("a thread that is gone meanwhile is no error; an answer goes to the thread's first comment, once", async () => {
  const { place: at } = place();
  await resolveThread((at as unknown as { graphql: Parameters<typeof resolveThread>[0] }).graphql, "T1");
  expect(await ensureReply(at, 9, "run_1/post", "Because.")).toBeNull();
  const second = { id: 9, in_reply_to_id: 8, user: mallory, body: "Why?", html_url: "u" };
  const asked = place({ comments: [second] });
  expect(await ensureReply(asked.place, 9, "run_1/post", "Because.")).toMatchObject({ id: 70 });
  expect(asked.sent[0]?.parameters).toMatchObject({ comment_id: 8 });
  const done = { id: 10, user: bot, body: withMarker("Because.", "run_1/post"), html_url: "u" };
  const again = place({ comments: [second, done] });
  expect(await ensureReply(again.place, 9, "run_1/post", "Because.")).toMatchObject({ id: 10 });
  expect(again.sent).toEqual([]);
  const lost = place({ comments: [second], answers: [new BatonError("BATON_GITHUB_NOT_FOUND", "404")] });
  expect(await ensureReply(lost.place, 9, "run_1/post", "Because.")).toBeNull();
});
