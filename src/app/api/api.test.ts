/** The HTTP API over a real socket: each route by its document, the authorization matrix from the table, bad input. */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiWorld, apiWorld, other, secret, shop } from "../../../test/fakes/api-world.ts";
import { differences, openapiDocument } from "../../../test/openapi.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Permission } from "../../core/vocabulary.ts";
import { atLeast } from "../../policy/permission.ts";
import { type Route, type RouteName, routeNames, routes } from "./table.ts";
import { type TokenScope, tokenScopes } from "./tokens.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await apiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Values for the parameters of any path, and the body of any write. */
const bodies: Partial<Record<RouteName, object>> = {
  createRun: { repository: "acme/shop", number: 77, text: "asking" },
  topUpRun: { addUsd: 1 },
  answerQuestion: { text: "red" },
  rejectQuestion: { reason: "no" },
};
const queries: Partial<Record<RouteName, string>> = { readCosts: "?since=0" };

function pathOf(name: RouteName, run: string): string {
  const values: Record<string, string> = {
    run,
    other: run,
    step: "color",
    question: "color",
    owner: "acme",
    name: "shop",
    number: "12",
    schedule: "nightly",
    text: "0".repeat(64),
  };
  return `${routes[name].path.replaceAll(/\{(\w+)\}/g, (_, one: string) => values[one] ?? "")}${queries[name] ?? ""}`;
}

const plain = routeNames.filter((name) => (routes[name] as Route).isStream !== true);

/** Routes about one repository hide it; lists are empty in place of that. */
const isList = (name: RouteName): boolean => !routes[name].path.includes("{") && name !== "createRun";

const needed = { read: "read", steer: "write", run: "write", admin: "admin" } as const satisfies Record<
  string,
  Permission
>;

describe("the authorization matrix: each route × token × permission", () => {
  /** Each permission with the widest scope, and each scope with the widest permission. */
  const cases: { scope: TokenScope; permission: Permission }[] = [
    ...(["none", "read", "triage", "write", "admin"] as const).map((permission) => ({
      scope: "admin" as const,
      permission,
    })),
    ...(["read", "steer"] as const).map((scope) => ({ scope, permission: "admin" as const })),
    { scope: "steer", permission: "read" },
  ];

  function expected(name: RouteName, scope: TokenScope, permission: Permission): "allowed" | "empty" | 403 | 404 {
    const row: Route = routes[name];
    if (tokenScopes.indexOf(scope) < tokenScopes.indexOf(row.scope)) return 403;
    if (row.demand === null) return "allowed";
    const may = atLeast(permission, needed[row.demand.needs]);
    if (isList(name)) return may ? "allowed" : "empty";
    if (permission === "none") return 404;
    // No token approves, whatever its person may do.
    return may && row.approves !== true ? "allowed" : 403;
  }

  it.each(cases)("scope $scope, permission $permission", async ({ scope, permission }) => {
    await using own = await apiWorld();
    const { run, github, database } = own;
    const token = await own.token({ scope });
    github.allow("alice", shop, permission);
    const before = await database.store.position(run);
    // Denied ones first, so that nothing may have changed after them.
    const wanted = plain.map((name) => [name, expected(name, scope, permission)] as const);
    for (const [name, answer] of wanted.toSorted(([, one], [, two]) =>
      one === two ? 0 : typeof one === "number" ? -1 : 1,
    )) {
      const { method } = routes[name] as Route;
      const found = await own.ask(method, pathOf(name, run), { token, body: bodies[name] ?? {} });
      const at = `${method} ${name} as ${scope}/${permission}: ${found.text.slice(0, 200)}`;
      // Nothing of the run names this text.
      if (answer === "allowed" && name === "readText") expect(found.body["detail"], at).toContain("no text");
      else if (answer === "allowed") expect([401, 403, 404], at).not.toContain(found.status);
      else if (answer === "empty") expect([found.status, found.text.includes("acme/shop")], at).toEqual([200, false]);
      else expect(found.status, at).toBe(answer);
      if (answer !== "allowed") expect(await database.store.position(run), `${at} changed the run`).toBe(before);
      const operation = openapiDocument.paths[routes[name].path]?.[method.toLowerCase()];
      if (operation === undefined) throw new Error(`${name} is not described`);
      const type = found.headers.get("content-type") ?? "";
      expect(differences(operation, { status: found.status, type, body: found.body })).toEqual([]);
    }
  });

  it.each([
    "nobody",
    "a foreign token",
    "a token for metrics",
    "a token of another repository",
    "a token of another owner",
  ])("%s", async (who) => {
    await using own = await apiWorld();
    own.github.allow("alice", secret, "admin");
    own.github.allow("alice", other, "admin");
    const tokens: Record<string, () => Promise<string | undefined>> = {
      nobody: async () => undefined,
      "a foreign token": async () => `baton_pat_${"a".repeat(12)}_${"b".repeat(43)}`,
      "a token for metrics": () => own.token({ scope: "metrics", as: null, repositories: [] }),
      "a token of another repository": () => own.token({ scope: "admin", repositories: ["acme/secret"] }),
      "a token of another owner": () => own.token({ scope: "admin", repositories: [], owners: ["other"] }),
    };
    const token = await tokens[who]?.();
    const isKnown = who.startsWith("a token of");
    for (const name of plain) {
      const { method, demand } = routes[name] as Route;
      const path = pathOf(name, own.run);
      const found = await own.ask(method, path, {
        ...(token === undefined ? {} : { token }),
        body: bodies[name] ?? {},
      });
      if (!isKnown) expect([name, found.status, found.body["code"]]).toEqual([name, 401, "BATON_TOKEN_REFUSED"]);
      else if (demand === null || isList(name)) {
        expect([name, found.status, found.text.includes("acme/shop")]).toEqual([name, 200, false]);
      } else {
        // The same words as for a thing that is not there.
        const absent = await own.ask(method, path.replace(own.run, "run_00000000000000").replace("shop", "shob"), {
          ...(token === undefined ? {} : { token }),
          body: { ...bodies[name], ...(name === "createRun" ? { repository: "acme/shob" } : {}) },
        });
        const words = (text: string): string => text.replaceAll(/run_\w+|sho[bp]/g, "X");
        expect([name, found.status, words(found.text)]).toEqual([name, 404, words(absent.text)]);
      }
    }
    expect(await own.said()).toEqual([]);
  });
});

describe("who asks", () => {
  it("a permission that is revoked between two requests hides the run at once; given again, it is back", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const status = async (): Promise<number> => (await own.ask("GET", `/api/v1/runs/${own.run}`, { token })).status;
    expect(await status()).toBe(200);
    own.github.allow("alice", shop, "none");
    expect(await status()).toBe(404);
    expect((await own.ask("POST", `/api/v1/runs/${own.run}/cancel`, { token })).status).toBe(404);
    expect((await own.ask("GET", "/api/v1/runs", { token })).body).toEqual({ items: [], next: null });
    own.github.allow("alice", shop, "read");
    expect(await status()).toBe(200);
  });

  it.each([
    ["GitHub does not answer", new BatonError("BATON_GITHUB_UNAVAILABLE", "GitHub: 503"), 502],
    ["GitHub limits the rate", new BatonError("BATON_GITHUB_LIMITED", "Later.", { retryAfterMs: 60_000 }), 429],
    ["the App lost the repository", new BatonError("BATON_GITHUB_NOT_FOUND", "404"), 404],
    ["the App may not ask", new BatonError("BATON_GITHUB_DENIED", "403"), 404],
  ])("fails closed where %s", async (_, failure, status) => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "admin" });
    own.github.failure = failure;
    for (const path of [`/api/v1/runs/${own.run}`, `/api/v1/runs/${own.run}/questions`]) {
      const found = await own.ask("GET", path, { token });
      expect(found.status).toBe(status);
      if (status === 429) expect(found.headers.get("retry-after")).toBe("60");
    }
    const list = await own.ask("GET", "/api/v1/runs", { token });
    expect(list.status === 200 ? list.body["items"] : list.status).toEqual(status === 404 ? [] : status);
  });

  it("a login that somebody else registered has no permission", async () => {
    await using own = await apiWorld();
    const token = await own.token();
    own.github.accounts.set("alice", 999);
    expect((await own.ask("GET", `/api/v1/runs/${own.run}`, { token })).status).toBe(404);
  });

  it("an expired and a revoked token are refused with the words of an unknown one; the list shows why", async () => {
    await using own = await apiWorld();
    const [revoked, expired] = [await own.token({ name: "old" }), await own.token({ days: 1 })];
    await own.tokens.revoke("old");
    own.clock.advance(2 * 86_400_000);
    const words = (await own.ask("GET", "/api/v1/me", { token: "baton_pat_x" })).text;
    for (const token of [revoked, expired]) expect((await own.ask("GET", "/api/v1/me", { token })).text).toBe(words);
    expect((await own.tokens.list()).map(({ revokedAt }) => revokedAt !== null)).toEqual([true, false]);
    expect(JSON.stringify(await own.database.store.value("api-tokens"))).not.toContain(revoked.split("_").at(-1));
    await expect(own.tokens.revoke("old")).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
  });

  it.each([
    ["no repository", { repositories: [] }, "BATON_INPUT_INVALID"],
    ["a repository without the App", { repositories: ["acme/elsewhere"] }, "BATON_GITHUB_NOT_FOUND"],
    ["nobody", { as: null }, "BATON_INPUT_INVALID"],
    ["an unknown person", { as: "zoe" }, "BATON_INPUT_INVALID"],
  ])("no token for %s", async (_, request, code) => {
    await expect(world.token(request)).rejects.toMatchObject({ code });
  });

  it("too many refused tokens from one address: later ones are told to wait, and valid ones still pass", async () => {
    await using own = await apiWorld();
    const token = await own.token();
    const statuses = new Set<number>();
    for (let index = 0; index <= limits.apiRefusalsPerMinuteMax; index += 1)
      statuses.add((await own.ask("GET", "/api/v1/me", { token: `guess-${index}` })).status);
    expect([...statuses]).toEqual([401, 429]);
    // Behind a proxy, everybody has its address.
    expect((await own.ask("GET", "/api/v1/me", { token })).status).toBe(200);
    own.clock.advance(60_000);
    expect((await own.ask("GET", "/api/v1/me", { token: "guess" })).status).toBe(401);
  });

  it("one client's requests are bounded, and others are served", async () => {
    await using own = await apiWorld();
    const [busy, calm] = [await own.token({ scope: "steer" }), await own.token()];
    const write = () => own.ask("POST", `/api/v1/runs/${own.run}/advance`, { token: busy });
    for (let index = 0; index < limits.apiWritesPerMinuteMax; index += 1) expect((await write()).status).toBe(200);
    const refused = await write();
    expect([refused.status, refused.body["code"], refused.headers.get("retry-after")]).toEqual([
      429,
      "BATON_RATE_LIMITED",
      "60",
    ]);
    expect((await own.ask("GET", "/api/v1/me", { token: calm })).status).toBe(200);
    own.clock.advance(60_000);
    expect((await write()).status).toBe(200);
  });
});

describe("what a request does", () => {
  it("a command acts as the person, and the thread names person, command and token", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer", name: "ci" });
    const reason = "Too dear. @everybody /baton run again";
    const { body } = await own.ask("POST", `/api/v1/runs/${own.run}/cancel`, { token, body: { reason } });
    expect(body).toMatchObject({ runId: own.run });
    const state = await own.runner.state(own.run);
    expect(state?.cancelRequested).toMatchObject({ by: { id: 1, login: "alice", permission: "write" }, reason });
    expect(state?.decisions.at(-1)).toMatchObject({ action: "cancel", actor: { login: "alice" } });
    const [note = ""] = await own.said();
    expect(note).toContain("alice gave `/baton cancel` through the API, with the token `ci`.");
    // The words stand in a block, where nothing in them has an effect.
    expect(note).toContain(`\`\`\`text\n/baton cancel ${reason}\n\`\`\``);
  });

  it("the same key is the same request, at any number of times and at once; another request with it is refused", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const answer = { token, key: "one", body: { text: "red" } };
    const path = `/api/v1/runs/${own.run}/questions/color/answer`;
    const answers = await Promise.all([1, 2, 3].map(() => own.ask("POST", path, answer)));
    answers.push(await own.ask("POST", path, answer));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await own.said()).toHaveLength(1);
    const events = await own.database.store.read(own.run);
    expect(events.filter(({ event }) => event.type === "policy.decided")).toHaveLength(1);
    const misuse = await own.ask("POST", path, { ...answer, body: { text: "blue" } });
    expect([misuse.status, misuse.body["code"]]).toEqual([422, "BATON_KEY_REUSED"]);
    const keyless = await own.ask("POST", path, { token, body: { text: "red" }, headers: { "idempotency-key": "" } });
    expect(keyless.status).toBe(400);
  });

  it("two people answer one question: the first counts, the second gets 409", async () => {
    await using own = await apiWorld();
    own.github.allow("bob", shop, "write");
    const [alice, bob] = [await own.token({ scope: "steer" }), await own.token({ scope: "steer", as: "bob" })];
    const path = `/api/v1/runs/${own.run}/questions/color/answer`;
    const answers = await Promise.all([
      own.ask("POST", path, { token: alice, body: { text: "red" } }),
      own.ask("POST", path, { token: bob, body: { text: "blue" } }),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    expect((await own.runner.state(own.run))?.effects.get("color" as never)?.output).toMatchObject({ answer: "red" });
  });

  it.each([
    ["a choice that is not one", "/questions/color/answer", { text: "green" }, 400],
    ["an unknown question", "/questions/colour/answer", { text: "red" }, 404],
    ["a question that no rejection answers", "/questions/color/reject", { reason: "no" }, 409],
    ["a top-up that is none", "/budget", { addUsd: -1 }, 422],
    ["a retry of an active run", "/retry", {}, 409],
    ["the erasure of an active run", "/erase", {}, 409],
    ["an unknown field", "/cancel", { why: "no" }, 422],
  ])("%s changes nothing", async (_, path, body, status) => {
    await using own = await apiWorld();
    own.github.allow("alice", shop, "admin");
    const token = await own.token({ scope: "admin" });
    const found = await own.ask("POST", `/api/v1/runs/${own.run}${path}`, { token, body });
    expect([found.status, found.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    expect(found.body).toMatchObject({ status, detail: expect.any(String), remedy: expect.any(String) });
    expect((await own.runner.state(own.run))?.open.size).toBe(1);
  });

  it("a question that Baton has not posted yet cannot be answered", async () => {
    await using own = await apiWorld();
    const run = await own.begin(shop, 13);
    const token = await own.token({ scope: "steer" });
    const path = `/api/v1/runs/${run}/questions/color/answer`;
    expect((await own.ask("POST", path, { token, body: { text: "red" } })).status).toBe(409);
    await own.post(run);
    expect((await own.ask("POST", path, { token, body: { text: "red" } })).status).toBe(200);
  });

  it("starts a run as the comment does: the same key is the same run, an over-long wish is refused", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const body = { repository: "Acme/Shop", number: 20, text: "asking" };
    const [first, again] = [
      await own.ask("POST", "/api/v1/runs", { token, body, key: "k" }),
      await own.ask("POST", "/api/v1/runs", { token, body, key: "k" }),
    ];
    expect([first.status, again.body["runId"]]).toEqual([200, first.body["runId"]]);
    expect(first.body).toMatchObject({
      process: { name: "asking" },
      requestedBy: { login: "alice" },
      thread: { number: 20 },
    });
    const second = await own.ask("POST", "/api/v1/runs", { token, body });
    expect([second.status, second.body["code"]]).toEqual([409, "BATON_RUN_ACTIVE"]);
    for (const text of ["--budget much", "plam", "asking --budget 999999"])
      expect(
        (await own.ask("POST", "/api/v1/runs", { token, body: { ...body, number: 21, text } })).status,
      ).toBeGreaterThanOrEqual(400);
  });
});

describe("lists", () => {
  it("pages of what the caller may read: no gap, no repetition, nothing of others", async () => {
    await using own = await apiWorld();
    for (let number = 30; number < 37; number += 1) {
      own.clock.advance(1_000);
      await own.begin(number % 2 === 0 ? shop : secret, number);
    }
    const token = await own.token({ repositories: ["acme/shop", "acme/secret"] });
    const seen: number[] = [];
    let cursor = "";
    do {
      const { body } = await own.ask("GET", `/api/v1/runs?limit=2${cursor}`, { token });
      const { items, next } = body as unknown as { items: { thread: { number: number } }[]; next: string | null };
      seen.push(...items.map(({ thread }) => thread.number));
      cursor = next === null ? "" : `&cursor=${next}`;
    } while (cursor !== "");
    expect(seen).toEqual([36, 34, 32, 30, 12]);
  });

  it("a cursor of another caller, of other filters or of no list is refused", async () => {
    await using own = await apiWorld();
    await own.begin(shop, 31);
    const [one, two] = [await own.token(), await own.token()];
    const { next } = (await own.ask("GET", "/api/v1/runs?limit=1", { token: one })).body as { next: string };
    expect((await own.ask("GET", `/api/v1/runs?limit=5&cursor=${next}`, { token: one })).status).toBe(200);
    for (const [token, query] of [
      [two, `limit=1&cursor=${next}`],
      [one, `active=true&cursor=${next}`],
      [one, "cursor=nonsense"],
      [one, `cursor=${Buffer.from('[1,"run_0123456789"]').toString("base64url")}`],
    ] as const)
      expect((await own.ask("GET", `/api/v1/runs?${query}`, { token })).status).toBe(422);
    expect((await own.ask("GET", `/api/v1/threads?cursor=${next}`, { token: one })).status).toBe(422);
  });

  it.each([
    ["a filter of a thousand values", `/api/v1/runs?${"process=a&".repeat(1_000)}`],
    ["a filter of a thousand characters", `/api/v1/runs?process=${"a".repeat(1_000)}`],
    ["an unknown filter", "/api/v1/runs?colour=red"],
    ["a page of a million", "/api/v1/runs?limit=1000000"],
    ["no number", "/api/v1/runs?limit=many"],
    ["a thread without its repository", "/api/v1/runs?number=12"],
    ["a repository that is none", "/api/v1/runs?repository=acme"],
    ["costs since never", "/api/v1/costs"],
  ])("%s: 422, which says why", async (_, path) => {
    const found = await world.ask("GET", path, { token: await world.token() });
    expect([found.status, found.body["code"]]).toEqual([422, "BATON_INPUT_INVALID"]);
    expect(found.text.length).toBeLessThan(2_000);
  });

  it("the beginning of an id counts among the runs that the caller may read", async () => {
    await using own = await apiWorld();
    const token = await own.token();
    const start = own.run.slice(0, 12);
    expect((await own.ask("GET", `/api/v1/runs/${start}`, { token })).body["runId"]).toBe(own.run);
    expect((await own.ask("GET", `/api/v1/runs/${own.run.slice(0, 6)}`, { token })).status).toBe(404);
  });

  it("an ETag saves the answer until something changes", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const path = `/api/v1/runs/${own.run}/questions`;
    const etag = (await own.ask("GET", path, { token })).headers.get("etag") ?? "";
    const again = await own.ask("GET", path, { token, headers: { "if-none-match": etag } });
    expect([again.status, again.text]).toEqual([304, ""]);
    await own.ask("POST", `${path}/color/answer`, { token, body: { text: "red" } });
    expect((await own.ask("GET", path, { token, headers: { "if-none-match": etag } })).status).toBe(200);
  });

  it("compares two runs up to their first difference", async () => {
    await using own = await apiWorld();
    const second = await own.begin(shop, 14);
    const token = await own.token({ scope: "steer" });
    await own.ask("POST", `/api/v1/runs/${own.run}/questions/color/answer`, { token, body: { text: "red" } });
    await own.runner.idle();
    const { body } = await own.ask("GET", `/api/v1/runs/${own.run}/compare/${second}`, { token });
    expect(body).toMatchObject({
      one: { status: "completed" },
      other: { status: "running" },
      inputs: [],
      sameSettings: true,
      firstDifference: { index: 0, key: "color", what: "status", one: "succeeded", other: "requested" },
    });
  });
});

describe("bytes", () => {
  it.each([
    ["with its length", { "content-length": `${100 * 1024 * 1024}` }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])("a body of 100 MB %s is refused while it comes, and the connection ends", async (_, headers) => {
    const token = await world.token({ scope: "steer" });
    const { port } = new URL(world.url);
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = httpRequest(
        {
          port,
          host: "127.0.0.1",
          path: `/api/v1/runs/${world.run}/cancel`,
          method: "POST",
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": "application/json",
            "idempotency-key": "x",
            ...headers,
          },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      const chunk = Buffer.alloc(64 * 1024, " ");
      const push = (): void => {
        while (!sent.destroyed && sent.write(chunk));
      };
      sent.on("drain", push);
      // The server may close before the client has sent everything.
      sent.on("error", (error: NodeJS.ErrnoException) =>
        error.code === "EPIPE" || error.code === "ECONNRESET" ? undefined : reject(error),
      );
      sent.once("response", () => sent.off("drain", push));
      push();
    });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      413,
      expect.objectContaining({ code: "BATON_PAYLOAD_TOO_LARGE" }),
    ]);
  });

  it.each([
    ["no JSON", { text: "{", headers: {} }, 400],
    ["no object", { text: "[]", headers: {} }, 422],
    ["another media type", { text: "{}", headers: { "content-type": "text/plain" } }, 400],
    ["a path that is not UTF-8", { path: "/api/v1/runs/%ff/cancel", text: "{}", headers: {} }, 400],
    ["an unknown path", { path: "/api/v1/unknown", text: "{}", headers: {} }, 404],
    ["a method that the path has not", { path: "/api/v1/me", text: "{}", headers: {} }, 404],
  ])(
    "%s",
    async (_, {
      path = `/api/v1/runs/${"run_0000000000"}/cancel`,
      text,
      headers,
    }: { path?: string; text: string; headers: object }, status) => {
      const token = await world.token({ scope: "steer" });
      const found = await world.ask("POST", path, { token, text, headers: headers as Record<string, string> });
      expect([found.status, found.body["status"]]).toEqual([status, status]);
    },
  );

  it("a store that is away: 503 with the time of the next try, and no words of the database", async () => {
    await using own = await apiWorld();
    const token = await own.token();
    const gone = new BatonError("BATON_DATABASE_UNAVAILABLE", 'password authentication failed for user "db_admin"');
    own.dependencies.store.run = async () => {
      throw gone;
    };
    const found = await own.ask("GET", `/api/v1/runs/${own.run}`, { token });
    expect([found.status, found.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(found.text).not.toContain("db_admin");
  });
});

/** Reads server-sent events until `isEnough`. */
async function events(
  own: ApiWorld,
  path: string,
  token: string,
  isEnough: (blocks: string[]) => boolean,
  headers: Record<string, string> = {},
  onOpen: () => Promise<unknown> = async () => {},
): Promise<{ id: number; event: string; data: Record<string, unknown> }[]> {
  const stop = new AbortController();
  const response = await fetch(`${own.url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal,
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  let text = "";
  let opened = false;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const blocks = text.split("\n\n").slice(0, -1);
    if (blocks.length > 0 && !opened) {
      opened = true;
      await onOpen();
    }
    if (isEnough(blocks)) break;
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  stop.abort();
  const field = (block: string, name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
  return text
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => ({
      id: Number(field(block, "id")),
      event: field(block, "event"),
      data: JSON.parse(field(block, "data")),
    }));
}

const types = (found: { event: string; data: Record<string, unknown> }[]): string[] =>
  found.map(({ event, data }) => (typeof data["type"] === "string" ? data["type"] : event));

describe("events", () => {
  it("come as they are appended, and continue by their id without gap or repetition", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const steer = (what: string) => own.ask("POST", `/api/v1/runs/${own.run}/${what}`, { token });
    const live = await events(
      own,
      `/api/v1/events?run=${own.run}`,
      token,
      (all) => all.length >= 3,
      {},
      () => steer("pause"),
    );
    expect(types(live)).toEqual(["open", "policy.decided", "run.paused"]);
    expect(live[2]?.data).toMatchObject({
      run: own.run,
      repository: "acme/shop",
      number: 12,
      type: "run.paused",
      step: null,
    });
    await steer("resume");
    const rest = await events(own, "/api/v1/events", token, (all) => all.length >= 4, {
      "last-event-id": `${live[1]?.id}`,
    });
    expect(types(rest)).toEqual(["open", "run.paused", "policy.decided", "run.resumed"]);
    const all = await events(own, "/api/v1/events?after=0", token, (blocks) =>
      blocks.some((one) => one.includes("run.resumed")),
    );
    expect(all.slice(1).map(({ id }) => id)).toEqual(all.slice(1).map((_, index) => index + 1));
    expect(types(all)).toContain("run.created");
  });

  it("show only what the caller may read and asked for", async () => {
    await using own = await apiWorld();
    await own.begin(secret, 1);
    await own.begin(shop, 2);
    await own.begin(other, 3);
    own.github.allow("alice", other, "read");
    const token = await own.token({ repositories: [], owners: ["acme", "other"] });
    const last = await own.begin(shop, 4);
    const seen = async (query: string, until: string) => [
      ...new Set(
        (
          await events(own, `/api/v1/events?after=0&${query}`, token, (all) => all.some((one) => one.includes(until)))
        ).flatMap(({ data }) =>
          "repository" in data ? [`${String(data["repository"])}#${Number(data["number"])}`] : [],
        ),
      ),
    ];
    expect(await seen("", last)).toEqual(["acme/shop#12", "acme/shop#2", "other/lib#3", "acme/shop#4"]);
    expect(await seen("owner=ACME", last)).toEqual(["acme/shop#12", "acme/shop#2", "acme/shop#4"]);
    expect(await seen("repository=acme/shop&number=4", last)).toEqual(["acme/shop#4"]);
    for (const query of ["repository=third/party", "run=run_00000000000000"])
      expect((await own.ask("GET", `/api/v1/events?${query}`, { token })).status).toBe(404);
    expect((await own.ask("GET", "/api/v1/events", { token, headers: { "last-event-id": "x" } })).status).toBe(422);
  });

  it("end where the permission cannot be learned, and when Baton stops, with the reason", async () => {
    await using own = await apiWorld();
    const token = await own.token();
    own.github.failure = new BatonError("BATON_GITHUB_UNAVAILABLE", "503");
    const isOver = (all: string[]): boolean => all.some((one) => one.includes("event: end"));
    const found = await events(own, "/api/v1/events?after=0", token, isOver);
    expect(found.at(-1)).toMatchObject({ event: "end", data: { reason: "unknown" } });
  });

  /** The feed as if one event of it came again and again. */
  async function flood(own: ApiWorld, total: number): Promise<void> {
    const [entry] = await own.database.feed.ordered(0);
    if (entry === undefined) throw new Error("no event");
    const first = await own.database.feed.newest();
    own.database.feed.ordered = async (after) =>
      Array.from({ length: Math.min(2_000, Math.max(0, first + total - after)) }, (_, index) => ({
        ...entry,
        number: Math.max(after, first) + index + 1,
      }));
  }

  it("a client that never reads is cut off once it is 1 MB behind; one that reads gets all of it", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "steer" });
    const socket = connect({ port: Number(new URL(own.url).port), host: "127.0.0.1" });
    const cut = new Promise<void>((resolve) => {
      own.server.once("request", (_, response) => response.once("close", () => resolve()));
    });
    socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: baton\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.pause();
    // About 10 MB of news, more than any socket's buffer.
    const total = 50_000;
    await flood(own, total);
    await own.ask("POST", `/api/v1/runs/${own.run}/pause`, { token });
    await cut;
    socket.destroy();
    const found = await events(own, "/api/v1/events?after=0", token, (all) => all.length > total);
    expect(found.slice(1, total + 1).map(({ id }, index) => id - index)).toEqual(
      Array.from({ length: total }, () => found[1]?.id),
    );
    expect(found.some(({ event }) => event === "end")).toBe(false);
  });
});

describe("metrics", () => {
  it("are for a token of their own, and name no repository, person or run", async () => {
    await using own = await apiWorld();
    const token = await own.token({ scope: "metrics", as: null, repositories: [] });
    const found = await own.ask("GET", "/metrics", { token });
    expect([found.status, found.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/plain")]);
    expect(found.text).toContain('baton_active_runs{status="running"} 0');
    expect(found.text).toMatch(/baton_active_runs\{status="waiting"\} 1/);
    expect(found.text).not.toMatch(/acme|shop|alice|run_[0-9a-f]/);
    expect((await own.ask("GET", "/metrics", { token: await own.token({ scope: "admin" }) })).status).toBe(403);
    expect((await own.ask("GET", "/metrics")).status).toBe(401);
  });
});
