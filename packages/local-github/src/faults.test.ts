import { expect, test } from "vitest";
import { createTestWorld } from "./test-world.ts";

const web = { owner: "acme", repo: "web" };
const comments = { method: "POST", path: /\/issues\/1\/comments$/ };

async function worldWithIssue(options: Parameters<typeof createTestWorld>[0] = {}) {
  const world = await createTestWorld(options);
  world.github.openIssue({ repository: "acme/web", as: "ada", title: "one" });
  await world.github.settle();
  world.received.length = 0;
  const say = (body: string) => world.octokit.rest.issues.createComment({ ...web, issue_number: 1, body });
  const bodies = async () => {
    const { data } = await world.octokit.rest.issues.listComments({ ...web, issue_number: 1 });
    return data.map((one) => one.body);
  };
  return { world, say, bodies };
}

test("V2: a dropped request did nothing, a commit-then-drop did everything, and neither answers", async () => {
  const { world, say, bodies } = await worldWithIssue();
  await using _ = world;
  world.github.faults.add({ match: comments, kind: "drop" });
  await expect(say("lost")).rejects.toMatchObject({ status: 500 });
  expect(await bodies()).toEqual([]);
  world.github.faults.add({ match: comments, kind: "commit-then-drop" });
  await expect(say("kept")).rejects.toMatchObject({ status: 500 });
  expect(await bodies()).toEqual(["kept"]);
  await say("fine");
  expect(await bodies()).toEqual(["kept", "fine"]);
  expect(world.github.faults.left).toBe(0);
});

test("a status fault and a secondary limit answer as told, so many times, after so many", async () => {
  const { world, say } = await worldWithIssue();
  await using _ = world;
  world.github.faults.add({ match: comments, kind: "status", status: 502, times: 2, after: 1 });
  await say("first");
  await expect(say("second")).rejects.toMatchObject({ status: 502 });
  await expect(say("third")).rejects.toMatchObject({ status: 502 });
  await say("fourth");
  world.github.faults.add({ match: comments, kind: "secondary-limit", retryAfterSeconds: 7 });
  await expect(say("fifth")).rejects.toMatchObject({
    status: 403,
    response: { headers: { "retry-after": "7" } },
  });
  const seen = world.github.log.filter((entry) => comments.path.test(entry.path));
  expect(seen.map((entry) => [entry.status, entry.fault, entry.actor, entry.login])).toEqual([
    [201, null, "installation", "baton[bot]"],
    [502, "status", "installation", "baton[bot]"],
    [502, "status", "installation", "baton[bot]"],
    [201, null, "installation", "baton[bot]"],
    [403, "secondary-limit", "installation", "baton[bot]"],
  ]);
});

test("a stale read shows the past of the moment when it was armed: comments, heads and all", async () => {
  const { world, say, bodies } = await worldWithIssue();
  await using _ = world;
  const { github, octokit } = world;
  const before = (await octokit.rest.git.getRef({ ...web, ref: "heads/main" })).data.object.sha;
  github.faults.add({ kind: "stale-read", times: 2 });
  await say("new");
  const after = await github.push({ repository: "acme/web", as: "bob", branch: "main", files: { n: "n" } });
  expect(await bodies()).toEqual([]);
  expect((await octokit.rest.git.getRef({ ...web, ref: "heads/main" })).data.object.sha).toBe(before);
  expect(await bodies()).toEqual(["new"]);
  expect((await octokit.rest.git.getRef({ ...web, ref: "heads/main" })).data.object.sha).toBe(after);
});

test("webhooks can be lost, come twice with one GUID, and come in another order; the log and redelivery know", async () => {
  const { world } = await worldWithIssue();
  await using _ = world;
  const { github, received } = world;
  const say = (body: string) => github.comment({ repository: "acme/web", number: 1, as: "ada", body });
  github.faults.addWebhook({ kind: "drop", match: { event: "issue_comment" } });
  say("lost");
  await github.settle();
  expect(received).toEqual([]);
  const { data: log } = await world.appOctokit.rest.apps.listWebhookDeliveries({ per_page: 1 });
  expect(log).toMatchObject([{ event: "issue_comment", action: "created", status_code: 502, redelivery: false }]);
  await world.appOctokit.rest.apps.redeliverWebhookDelivery({ delivery_id: Number(log[0]?.id) });
  await github.settle();
  expect(received.map((one) => one.headers["x-github-delivery"])).toEqual([log[0]?.guid]);

  received.length = 0;
  github.faults.addWebhook({ kind: "duplicate" });
  say("twice");
  await github.settle();
  expect(received.length).toBe(2);
  expect(received[0]?.headers["x-github-delivery"]).toBe(received[1]?.headers["x-github-delivery"]);
  expect(received[0]?.body).toBe(received[1]?.body);

  received.length = 0;
  github.faults.addWebhook({ kind: "reorder", hold: 5, seed: 3 });
  for (const body of ["1", "2", "3", "4", "5"]) say(body);
  await github.settle();
  const order = received.map((one) => (one.payload["comment"] as { body: string }).body);
  expect(order.toSorted()).toEqual(["1", "2", "3", "4", "5"]);
  expect(order).not.toEqual(["1", "2", "3", "4", "5"]);
});

test("the delivery log is paged by cursor, newest first", async () => {
  const { world } = await worldWithIssue();
  await using _ = world;
  for (const body of ["a", "b", "c"]) world.github.comment({ repository: "acme/web", number: 1, as: "ada", body });
  await world.github.settle();
  const first = await world.appOctokit.request("GET /app/hook/deliveries", { per_page: 2 });
  const cursor = /cursor=([^&>]+)/.exec(first.headers.link ?? "")?.[1] ?? "";
  const second = await world.appOctokit.request("GET /app/hook/deliveries", { per_page: 2, cursor });
  const ids = [...first.data, ...second.data].map((one) => one.id);
  expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => Number(b) - Number(a)));
  expect(ids.length).toBe(4);
});

test("limits: headers count down, a 304 is free, the last request and too many writes are refused", async () => {
  const { world, say } = await worldWithIssue({ limits: { requestsPerHourMax: 6, contentWritesPerMinuteMax: 2 } });
  await using _ = world;
  const { octokit } = world;
  const first = await octokit.request("GET /repos/{owner}/{repo}", web);
  expect(first.headers["x-ratelimit-remaining"]).toBe("5");
  await expect(
    octokit.request("GET /repos/{owner}/{repo}", { ...web, headers: { "if-none-match": first.headers.etag } }),
  ).rejects.toMatchObject({ status: 304, response: { headers: { "x-ratelimit-remaining": "5" } } });
  await say("1");
  await say("2");
  await expect(say("3")).rejects.toMatchObject({
    status: 403,
    message: expect.stringContaining("secondary rate limit"),
  });
  await octokit.request("GET /repos/{owner}/{repo}", web);
  await octokit.request("GET /repos/{owner}/{repo}", web);
  await expect(octokit.request("GET /repos/{owner}/{repo}", web)).rejects.toMatchObject({
    status: 403,
    response: { headers: { "x-ratelimit-remaining": "0" } },
  });
});
