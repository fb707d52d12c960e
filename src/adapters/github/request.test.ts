import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BatonError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { RateBudget } from "./rate-budget.ts";
import { Requester } from "./request.ts";

const start = Date.UTC(2026, 0, 1);
const startSeconds = start / 1_000;

/** Only sleeping moves this clock. `slept` lists the waits. */
class LeapingClock implements Clock {
  at = start;
  slept: number[] = [];
  now(): number {
    return this.at;
  }
  async sleepUntil(atMs: number): Promise<void> {
    this.slept.push(atMs - this.at);
    this.at = Math.max(this.at, atMs);
  }
}

let clock: LeapingClock;
let budget: RateBudget;
let requester: Requester;

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.restore();
  nock.enableNetConnect();
});
beforeEach(() => {
  clock = new LeapingClock();
  budget = new RateBudget(clock);
  requester = new Requester({
    baseUrl: "https://api.github.com",
    authorise: async () => "token t0",
    clock,
    budget,
  });
});
afterEach(() => {
  const left = nock.pendingMocks();
  nock.cleanAll();
  expect(left).toEqual([]);
});

const github = () => nock("https://api.github.com");
const refused = (promise: Promise<unknown>): Promise<BatonError> =>
  promise.then(
    () => {
      throw new Error("It was not refused.");
    },
    (thrown: BatonError) => thrown,
  );

describe("branch-names: paths and refs keep `#`, `?` and `%`", () => {
  it.each([
    ["contents/{+path}", { path: "C#/AGENTS.md" }, "contents/C%23/AGENTS.md"],
    ["contents/{+path}", { path: "what?/100%/a b.md" }, "contents/what%3F/100%25/a%20b.md"],
    ["contents/{+path}", { path: "docs/%41.md" }, "contents/docs/%2541.md"],
    ["git/ref/{+ref}", { ref: "heads/feature/#42-テスト" }, "git/ref/heads/feature/%2342-%E3%83%86%E3%82%B9%E3%83%88"],
    ["rules/branches/{branch}", { branch: "a/#b%" }, "rules/branches/a%2F%23b%25"],
  ])("%s of %j", async (route, parameters, path) => {
    const asked: string[] = [];
    github()
      .get(() => true)
      .reply(({ url }: Request) => {
        asked.push(new URL(url).pathname);
        return [200, {}];
      });
    await requester.get(`/repos/acme/shop/${route}`, parameters);
    expect(asked).toEqual([`/repos/acme/shop/${path}`]);
  });
});

describe("empty-repository-409", () => {
  it.each([
    ["a ref", "/repos/acme/shop/git/ref/heads/main", 409, "Git Repository is empty."],
    ["a tree", "/repos/acme/shop/git/trees/main", 409, "Git Repository is empty."],
    ["a commit", "/repos/acme/shop/commits/main", 409, "Git Repository is empty."],
    ["a file", "/repos/acme/shop/contents/baton.yaml", 404, "This repository is empty."],
  ])("%s of an empty repository is not there", async (_, path, status, message) => {
    github().get(path).reply(status, { message });
    expect(await requester.find(path)).toBeNull();
  });

  it("another conflict stays one, and so does a write to an empty repository", async () => {
    github().get("/a").reply(409, { message: "Conflict" });
    expect(await refused(requester.find("/a"))).toMatchObject({ code: "BATON_GITHUB_CONFLICT" });
    github().post("/repos/acme/shop/git/refs").reply(409, { message: "Git Repository is empty." });
    expect(await refused(requester.write("POST /repos/acme/shop/git/refs"))).toMatchObject({
      code: "BATON_GITHUB_CONFLICT",
      message: expect.stringContaining("Git Repository is empty.") as string,
    });
  });
});

describe("what GitHub's refusals become", () => {
  it.each<[string, number, object, Record<string, string>, string, number | undefined]>([
    ["a bad token", 401, { message: "Bad credentials" }, {}, "BATON_GITHUB_DENIED", undefined],
    [
      "a missing permission",
      403,
      { message: "Resource not accessible by integration" },
      { "x-accepted-github-permissions": "issues=write" },
      "BATON_GITHUB_DENIED",
      undefined,
    ],
    [
      "a missing permission while the limit is not touched",
      403,
      { message: "Resource not accessible by integration" },
      { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": `${startSeconds + 900}` },
      "BATON_GITHUB_DENIED",
      undefined,
    ],
    [
      "the secondary limit, told how long",
      403,
      { message: "You have exceeded a secondary rate limit." },
      { "retry-after": "17" },
      "BATON_GITHUB_LIMITED",
      17_000,
    ],
    [
      "the secondary limit, not told how long",
      403,
      { message: "You have exceeded a secondary rate limit. Please wait a few minutes." },
      {},
      "BATON_GITHUB_LIMITED",
      60_000,
    ],
    [
      "the primary limit",
      403,
      { message: "API rate limit exceeded for installation ID 1." },
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${startSeconds + 90}` },
      "BATON_GITHUB_LIMITED",
      90_000,
    ],
    [
      "429 with a reset",
      429,
      { message: "Too many requests" },
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${startSeconds + 120}` },
      "BATON_GITHUB_LIMITED",
      120_000,
    ],
    [
      "429 with a reset that is over",
      429,
      {},
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" },
      "BATON_GITHUB_LIMITED",
      60_000,
    ],
    ["429 that says nothing", 429, { message: "Too many requests" }, {}, "BATON_GITHUB_LIMITED", 60_000],
    [
      "nothing there, or nothing that one may see",
      404,
      { message: "Not Found" },
      {},
      "BATON_GITHUB_NOT_FOUND",
      undefined,
    ],
    ["gone", 410, { message: "Issues are disabled" }, {}, "BATON_GITHUB_NOT_FOUND", undefined],
    ["a conflict", 409, { message: "Head branch was modified" }, {}, "BATON_GITHUB_CONFLICT", undefined],
    ["not mergeable", 405, { message: "Pull Request is not mergeable" }, {}, "BATON_GITHUB_CONFLICT", undefined],
    [
      "a wrong body",
      422,
      { message: "Validation Failed", errors: [{ field: "head", code: "invalid" }] },
      {},
      "BATON_GITHUB_CONFLICT",
      undefined,
    ],
    ["an error of GitHub's", 500, { message: "Server Error" }, {}, "BATON_GITHUB_UNAVAILABLE", undefined],
    ["a bad gateway", 502, { message: "Bad Gateway" }, {}, "BATON_GITHUB_UNAVAILABLE", undefined],
    [
      "a gateway's page in place of JSON",
      503,
      {},
      { "content-type": "text/html" },
      "BATON_GITHUB_UNAVAILABLE",
      undefined,
    ],
  ])("%s (%i)", async (_name, status, body, headers, code, retryAfterMs) => {
    github().patch("/repos/acme/shop/issues/1").reply(status, body, headers);
    const error = await refused(
      requester.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", {
        owner: "acme",
        repo: "shop",
        issue_number: 1,
      }),
    );
    expect([error.code, error.retryAfterMs]).toEqual([code, retryAfterMs]);
    expect(error.message).toContain(`PATCH /repos/{owner}/{repo}/issues/{issue_number}: ${status}`);
    expect(error.message).not.toContain("t0");
  });

  it("a connection that breaks", async () => {
    github()
      .post("/markdown")
      .replyWithError(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
    expect((await refused(requester.write("POST /markdown"))).code).toBe("BATON_GITHUB_UNAVAILABLE");
  });

  it("the permission that is missing and the field that is wrong are named", async () => {
    github()
      .post("/a")
      .reply(403, { message: "Resource not accessible" }, { "x-accepted-github-permissions": "checks=write" });
    expect((await refused(requester.write("POST /a"))).message).toContain("needs checks: write");
    github()
      .post("/b")
      .reply(422, { message: "Validation Failed", errors: [{ field: "head", code: "invalid" }] });
    expect((await refused(requester.write("POST /b"))).message).toContain('"field":"head"');
  });
});

describe("another try", () => {
  it("is made for a read while GitHub fails, later each time", async () => {
    github().get("/a").reply(502).get("/a").replyWithError("socket hang up").get("/a").reply(200, { id: 1 });
    expect(await requester.get("/a")).toEqual({ id: 1 });
    expect(clock.slept).toEqual([400, 800]);
  });

  it("is given up after the fourth", async () => {
    github().get("/a").times(4).reply(503);
    expect((await refused(requester.get("/a"))).code).toBe("BATON_GITHUB_UNAVAILABLE");
    expect(clock.slept).toEqual([400, 800, 1_600]);
  });

  it("is never made for a write: it may have happened", async () => {
    const scope = github().post("/a").reply(502).post("/a").reply(201, {});
    expect((await refused(requester.write("POST /a"))).code).toBe("BATON_GITHUB_UNAVAILABLE");
    expect(scope.pendingMocks()).toHaveLength(1);
    await requester.write("POST /a");
  });

  it("is not made for a refusal", async () => {
    github().get("/a").reply(403, { message: "Resource not accessible by integration" });
    await refused(requester.get("/a"));
    expect(clock.slept).toEqual([]);
  });

  it("waits as GitHub said, for every call of the installation", async () => {
    github().get("/a").reply(403, { message: "secondary rate limit" }, { "retry-after": "30" });
    await refused(requester.get("/a"));
    github().get("/b").reply(200, {}).post("/c").reply(201, {});
    await Promise.all([requester.get("/b"), requester.write("POST /c")]);
    expect(clock.at).toBe(start + 30_000);
  });
});

describe("reading", () => {
  it("what is not there is null to `find` and an error to `get`", async () => {
    github().get("/a").twice().reply(404, { message: "Not Found" });
    expect(await requester.find("/a")).toBeNull();
    expect((await refused(requester.get("/a"))).code).toBe("BATON_GITHUB_NOT_FOUND");
  });

  it("asks again with the ETag, and takes 304 for the same answer", async () => {
    github().get("/a").reply(200, { id: 1 }, { etag: '"one"' });
    github().get("/a").matchHeader("if-none-match", '"one"').reply(304);
    github().get("/a").matchHeader("if-none-match", '"one"').reply(200, { id: 2 }, { etag: '"two"' });
    github().get("/a").matchHeader("if-none-match", '"two"').reply(304);
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(await requester.get("/a"));
    expect(answers).toEqual([{ id: 1 }, { id: 1 }, { id: 2 }, { id: 2 }]);
  });

  it("never takes the answer to one question for another's", async () => {
    github().get("/a").query({ per: "1" }).reply(200, [1], { etag: '"one"' });
    nock("https://api.github.com", { badheaders: ["if-none-match"] })
      .get("/a")
      .query({ per: "2" })
      .reply(200, [2]);
    expect(await requester.get("/a", { per: 1 })).toEqual([1]);
    expect(await requester.get("/a", { per: 2 })).toEqual([2]);
  });

  it("takes all pages of a list, and stops at the first that is not full", async () => {
    const full = Array.from({ length: 100 }, (_, index) => index);
    github().get("/a").query({ per_page: "100", page: "1" }).reply(200, full);
    github().get("/a").query({ per_page: "100", page: "2" }).reply(200, full);
    github().get("/a").query({ per_page: "100", page: "3" }).reply(200, [1]);
    expect(await requester.list("/a")).toHaveLength(201);
  });

  it("RQ3: a list that goes on where Baton's reading ends is an error, never a part that looks like all", async () => {
    const full = Array.from({ length: 100 }, (_, index) => index);
    for (let page = 1; page <= 30; page += 1)
      github()
        .get("/a")
        .query({ per_page: "100", page: `${page}` })
        .reply(200, full);
    const error = await refused(requester.list("/a"));
    expect(error).toMatchObject({ code: "BATON_GITHUB_INCOMPLETE", treatment: "terminal" });
    expect(error.message).toContain("3000");
  });

  it("asks an Enterprise server below its own path", async () => {
    const enterprise = new Requester({
      baseUrl: "https://ghe.example/api/v3",
      authorise: async () => "token t1",
      clock,
      budget,
    });
    nock("https://ghe.example", { reqheaders: { authorization: "token t1" } })
      .get("/api/v3/repos/acme/shop")
      .reply(200, { id: 5 });
    expect(await enterprise.get("/repos/{owner}/{repo}", { owner: "acme", repo: "shop" })).toEqual({ id: 5 });
  });

  it("a branch with slashes and odd characters is one path", async () => {
    github().get("/repos/acme/shop/git/ref/heads/baton/a%20b%23c").reply(200, {});
    await requester.get("/repos/acme/shop/git/ref/{+ref}", { ref: "heads/baton/a b#c" });
  });
});

describe("GraphQL's answers in part", () => {
  const missing = { type: "NOT_FOUND", path: ["nodes", 1], message: "Could not resolve to a node" };
  const ask = (partial: boolean) =>
    requester.graphql<unknown>("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", { ids: [] }, false, { partial });
  const answers = (body: object) => github().post("/graphql").reply(200, body);

  it("a part that is gone is null where the caller expects that, and an error elsewhere", async () => {
    const body = { data: { nodes: [{ id: "a" }, null] }, errors: [missing] };
    answers(body);
    expect(await ask(true)).toEqual(body.data);
    answers(body);
    expect(await refused(ask(false))).toMatchObject({ code: "BATON_GITHUB_NOT_FOUND" });
  });

  it.each([
    [
      "another error",
      { data: { nodes: [null] }, errors: [missing, { type: "FORBIDDEN", message: "no" }] },
      "BATON_GITHUB_DENIED",
    ],
    ["no data at all", { data: null, errors: [missing] }, "BATON_GITHUB_NOT_FOUND"],
  ])("%s stays an error", async (_, body, code) => {
    answers(body);
    expect(await refused(ask(true))).toMatchObject({ code });
  });
});
