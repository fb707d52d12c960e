import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ApiExchange } from "../../packages/local-github/src/exchange.ts";
import { startLocalGithub } from "../../packages/local-github/src/local-github.ts";
import {
  type Description,
  describeAsText,
  descriptionPath,
  extractDescription,
  readOpenApi,
} from "../../tools/github-description.ts";
import { alsoNull, alsoSent, answeredAs, answersAnywhere, describedElsewhere } from "./relaxations.ts";
import { mismatches } from "./validate.ts";
import { judge, watched } from "./watch.ts";

const committed = readFileSync(descriptionPath, "utf8");
const description = JSON.parse(committed) as Description;
const installed = readOpenApi("@octokit/openapi");

describe("the extract of GitHub's description", () => {
  it.skipIf(installed === null)("is what `node tools/github-description.ts` writes", () => {
    expect(describeAsText(extractDescription(installed as NonNullable<typeof installed>)) === committed).toBe(true);
  });

  it("has every route of the local GitHub but those that GitHub does not describe", () => {
    expect(description.undescribed).toEqual([
      "GET /repos/:owner/:repo/contents",
      "GET /repos/:owner/:repo/statuses/*ref",
      "GET /repositories/:id",
    ]);
    for (const path of description.undescribed.map((one) => one.replaceAll(/[:*]\w+/g, "1")))
      expect(
        describedElsewhere.filter(({ from }) => from.test(path)),
        path,
      ).toHaveLength(1);
  });
});

describe("the relaxations", () => {
  it("each say something that the description does not say by itself", () => {
    for (const { definition, at } of alsoNull) {
      const found = at.reduce<unknown>(
        (now, name) => (now as { properties: Record<string, unknown> }).properties[name],
        description.$defs[definition],
      );
      expect(found, `${definition}.${at.join(".")}`).toBeDefined();
      expect(JSON.stringify(found)).not.toContain('"null"');
    }
    for (const { operation, status } of answeredAs) {
      const found = description.operations.find(({ method, path }) => `${method} ${path}` === operation);
      const account = found?.responses[String(status)] as { items: { properties: { account: object } } } | undefined;
      expect(account?.items.properties.account, operation).toMatchObject({ anyOf: [{ allOf: [{}, {}] }, {}] });
    }
    for (const { reason } of [...alsoNull, ...alsoSent, ...answeredAs, ...answersAnywhere, ...describedElsewhere])
      expect(reason.length).toBeGreaterThan(20);
  });
});

const good: ApiExchange = {
  kind: "api",
  request: {
    method: "POST",
    path: "/repos/acme/shop/check-runs",
    query: {},
    headers: {},
    body: { name: "Baton", head_sha: "a".repeat(40), status: "in_progress", output: { title: "t", summary: "s" } },
  },
  response: {
    status: 404,
    headers: {},
    body: { message: "Not Found", documentation_url: "https://docs.github.com/rest", status: "404" },
  },
  fault: null,
};

const asking = (change: Partial<ApiExchange["request"]>): ApiExchange => ({
  ...good,
  request: { ...good.request, ...change },
});
const sending = (change: object): ApiExchange => asking({ body: { ...(good.request.body as object), ...change } });
const answering = (status: number, body: unknown): ApiExchange => ({
  ...good,
  response: { status, headers: {}, body },
});
const reading = (path: string, query: Record<string, string>, body: unknown): ApiExchange => ({
  ...asking({ method: "GET", path, query, body: null }),
  response: { status: 200, headers: {}, body },
});
const reaction = { id: 1, node_id: "R_1", user: null, content: "eyes", created_at: "2026-01-01T00:00:00Z" };

describe("an exchange", () => {
  it("as GitHub describes it is no mismatch", () => {
    expect(mismatches(good)).toEqual([]);
    expect(
      mismatches(reading("/repos/acme/shop/issues/comments/1/reactions", { per_page: "100" }, [reaction])),
    ).toEqual([]);
    expect(mismatches(reading("/repos/acme/shop/git/ref/heads/baton/a", {}, null))).not.toEqual([]);
  });

  it.each<[string, ApiExchange, RegExp]>([
    ["an operation that does not exist", asking({ path: "/repos/acme/shop/checkruns" }), /describes no such operation/],
    ["a method that does not exist", asking({ method: "DELETE" }), /describes no such operation/],
    ["a field that is misspelt", sending({ conclsuion: "success" }), /unevaluated properties conclsuion/],
    ["a field of ours beside GitHub's", sending({ operation: "check-run" }), /unevaluated properties operation/],
    [
      "a misspelt field further in",
      sending({ output: { title: "t", summary: "s", txt: "" } }),
      /\/output: .*unevaluated properties txt/,
    ],
    [
      "a value that is none of the allowed",
      sending({ status: "done" }),
      /\/status: must be equal to one of the allowed values/,
    ],
    ["a field of the wrong type", sending({ external_id: 7 }), /\/external_id: must be string, found 7/],
    ["a needed field that is missing", asking({ body: { name: "Baton" } }), /head_sha/],
    ["a body that is missing", asking({ body: null }), /no body/],
    [
      "a body where none belongs",
      { ...reading("/app", {}, null), request: { ...asking({ method: "GET", path: "/app" }).request, body: { a: 1 } } },
      /a body where none belongs/,
    ],
    [
      "too many annotations",
      sending({
        output: {
          title: "t",
          summary: "s",
          annotations: Array.from({ length: 51 }, () => ({
            path: "a",
            start_line: 1,
            end_line: 1,
            annotation_level: "notice",
            message: "m",
          })),
        },
      }),
      /must NOT have more than 50 items/,
    ],
    [
      "a query that does not exist",
      reading("/repos/acme/shop/issues", { sortby: "age" }, []),
      /query has the unknown parameter sortby/,
    ],
    [
      "a query of the wrong type",
      reading("/repos/acme/shop/issues", { per_page: "all" }, []),
      /query per_page.*must be integer/,
    ],
    [
      "a query that is none of the allowed",
      reading("/repos/acme/shop/issues", { state: "opened" }, []),
      /query state.*allowed values/,
    ],
    [
      "a path of the wrong type",
      reading("/repos/acme/shop/issues/first", {}, []),
      /path issue_number.*must be integer/,
    ],
    ["a status that nobody described", answering(418, {}), /response 418 is not described/],
    ["a refusal of another form", answering(404, { error: "no" }), /response 404 .*unevaluated properties error/],
    [
      "an answer that lacks a field",
      reading("/repos/acme/shop/issues/comments/1/reactions", {}, [{ ...reaction, user: undefined }]),
      /\/0: must have required property 'user'/,
    ],
    [
      "an answer with an invented field",
      reading("/repos/acme/shop/issues/comments/1/reactions", {}, [{ ...reaction, mood: "good" }]),
      /\/0: .*unevaluated properties mood/,
    ],
    [
      "an answer of the wrong format",
      reading("/repos/acme/shop/issues/comments/1/reactions", {}, [{ ...reaction, created_at: "today" }]),
      /\/0\/created_at: must match format "date-time", found "today"/,
    ],
    [
      "an event that does not exist",
      { kind: "webhook", event: "issue_comment", action: "read", headers: {}, payload: {}, status: 202 } as never,
      /describes no such event/,
    ],
    [
      "a payload that lacks what it is about",
      {
        kind: "webhook",
        event: "issue_comment",
        action: "created",
        headers: {},
        payload: { action: "created" },
        status: 202,
      } as never,
      /webhook issue_comment.created/,
    ],
  ])("%s is told with its place", (_name, exchange, message) => {
    const found = mismatches(exchange);
    expect(found).not.toEqual([]);
    expect(found.join("\n")).toMatch(message);
  });

  it("that GitHub refused for its body is not held against the sender, and one that a fault cut off not against GitHub", () => {
    const refusal = {
      message: "Validation Failed",
      errors: [],
      documentation_url: "https://docs.github.com/rest",
      status: "422",
    };
    expect(
      mismatches({ ...sending({ status: "done" }), response: { status: 422, headers: {}, body: refusal } }),
    ).toEqual([]);
    expect(mismatches({ ...good, fault: "drop", response: { status: 0, headers: {}, body: null } })).toEqual([]);
    expect(mismatches({ ...sending({ status: "done" }), fault: "drop" })).not.toEqual([]);
  });
});

describe("the watch over every test", () => {
  it("sees what crosses any local GitHub, and fails the test where it is not what GitHub describes", async () => {
    const github = await startLocalGithub();
    try {
      const headers = { "user-agent": "test" };
      expect((await fetch(`${github.apiUrl}/zen`, { headers })).status).toBe(200);
      await judge();
      await fetch(`${github.apiUrl}/repos/a/b/chekc-runs`, { headers });
      expect(watched()).toBe(1);
      await expect(judge()).rejects.toThrow("GET /repos/a/b/chekc-runs: GitHub describes no such operation");
      expect(watched()).toBe(0);
    } finally {
      await github.close();
    }
  });
});
