import { createVerify, generateKeyPairSync } from "node:crypto";
import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import type { Repository } from "../../core/vocabulary.ts";
import type { GithubApp } from "../../ports/github.ts";
import { createGithubApp } from "./github-app.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const host = "https://ghe.example";
const repository: Repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const minuteMs = 60_000;

let clock: ManualClock;
let app: GithubApp;

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.restore();
  nock.enableNetConnect();
});
beforeEach(() => {
  clock = new ManualClock(Date.now());
  app = createGithubApp({ appId: 12, privateKey, baseUrl: `${host}/api/v3`, clock });
});
afterEach(() => {
  const left = nock.pendingMocks();
  nock.cleanAll();
  expect(left).toEqual([]);
});

const asApp = { reqheaders: { authorization: /^bearer [^.]+\.[^.]+\.[^.]+$/ } };
const minted = (token: string) => ({ token, expires_at: "2030-01-01T00:00:00Z", permissions: {} });
const reads = (token: string) =>
  nock(host, { reqheaders: { authorization: `token ${token}` } })
    .get("/api/v3/repositories/9")
    .reply(200, { id: 9, name: "shop", owner: { login: "acme" }, default_branch: "main" });

describe("an installation's token", () => {
  it("is minted once, used for fifty minutes, then minted anew: on an Enterprise server too", async () => {
    const github = await app.installation(3);
    nock(host, asApp).post("/api/v3/app/installations/3/access_tokens").reply(201, minted("one"));
    reads("one");
    await github.repository(9);
    clock.advance(49 * minuteMs);
    reads("one");
    await github.repository(9);
    clock.advance(minuteMs);
    nock(host, asApp).post("/api/v3/app/installations/3/access_tokens").reply(201, minted("two"));
    reads("two");
    await github.repository(9);
  });

  it("that GitHub refuses is forgotten: the next call has a new one", async () => {
    const github = await app.installation(3);
    nock(host, asApp).post("/api/v3/app/installations/3/access_tokens").reply(201, minted("one"));
    nock(host, { reqheaders: { authorization: "token one" } })
      .get("/api/v3/repositories/9")
      .reply(401, { message: "Bad credentials" });
    nock(host, asApp).post("/api/v3/app/installations/3/access_tokens").reply(201, minted("two"));
    reads("two");
    expect(await github.repository(9)).toMatchObject({ id: 9 });
  });

  it("that is refused again is no loop", async () => {
    const github = await app.installation(3);
    for (const token of ["one", "two"]) {
      nock(host, asApp).post("/api/v3/app/installations/3/access_tokens").reply(201, minted(token));
      nock(host, { reqheaders: { authorization: `token ${token}` } })
        .get("/api/v3/repositories/9")
        .reply(401, { message: "Bad credentials" });
    }
    await expect(github.repository(9)).rejects.toMatchObject({ code: "BATON_GITHUB_DENIED" });
  });

  describe("tells what the installation is granted", () => {
    const mint = (token: string, permissions: Record<string, string>) =>
      nock(host, asApp)
        .post("/api/v3/app/installations/3/access_tokens")
        .reply(201, { ...minted(token), permissions });
    const all = { metadata: "read", contents: "write", pull_requests: "write" };
    const needs = ["contents", "pull_requests"];
    const granted = async () => (await app.installation(3)).granted(repository, needs);

    it("with the token that is there already", async () => {
      mint("one", all);
      expect([await granted(), await granted()]).toEqual([all, all]);
    });

    it("and asks again where something is missing: an owner may have accepted it", async () => {
      mint("one", { metadata: "read", contents: "read" });
      mint("two", all);
      expect(await granted()).toEqual(all);
    });

    it("or that it is still missing", async () => {
      const some = { metadata: "read", contents: "write" };
      mint("one", some);
      mint("two", some);
      expect(await granted()).toEqual(some);
    });

    it("or nothing, where the answer does not say", async () => {
      mint("one", {});
      expect(await granted()).toBeNull();
    });
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["to what is to be done", { contents: "write" }, {}],
    [
      "and to workflow files, where they are granted",
      { contents: "write", workflows: "write" },
      { workflows: "write" },
    ],
    ["and not to workflow files that it may only read", { contents: "write", workflows: "read" }, {}],
  ])("for git is narrowed to the one repository %s, and kept apart from the others", async (_, permissions, more) => {
    const github = await app.installation(3);
    const path = "/api/v3/app/installations/3/access_tokens";
    const narrow = (contents: string, others: object = {}) => ({
      repository_ids: [9],
      permissions: { contents, metadata: "read", ...others },
    });
    nock(host, asApp).post(path, narrow("read")).reply(201, minted("reads"));
    nock(host, asApp)
      .post(path)
      .reply(201, { ...minted("all"), permissions });
    nock(host, asApp).post(path, narrow("write", more)).reply(201, minted("writes"));
    const url = `${host}/acme/shop.git`;
    expect(await github.gitAccess(repository, "read")).toEqual({ url, token: "reads" });
    expect(await github.gitAccess(repository, "write")).toEqual({ url, token: "writes" });
    expect(await github.gitAccess(repository, "read")).toEqual({ url, token: "reads" });
  });

  it("of an installation that is gone is an error with its code", async () => {
    const github = await app.installation(3);
    nock(host).post("/api/v3/app/installations/3/access_tokens").reply(404, { message: "Not Found" });
    await expect(github.repository(9)).rejects.toMatchObject({ code: "BATON_GITHUB_NOT_FOUND" });
  });
});

describe("the App itself", () => {
  it("signs with its key, and is asked who it is once", async () => {
    let jwt = "";
    nock(host)
      .get("/api/v3/app")
      .matchHeader("authorization", (value) => {
        jwt = String(value).replace("bearer ", "");
        return true;
      })
      .reply(200, { id: 12, slug: "baton" });
    nock(host, asApp)
      .get(/^\/api\/v3\/users\/baton(\[|%5B)bot(\]|%5D)$/i)
      .reply(200, { id: 77 });
    const identity = { appId: 12, slug: "baton", bot: { id: 77, login: "baton[bot]", kind: "bot" } };
    expect(await Promise.all([app.identity(), app.identity()])).toEqual([identity, identity]);
    const [head = "", claims = "", signature = ""] = jwt.split(".");
    expect(createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(publicKey, signature, "base64url")).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({ iss: 12 });
  });

  it("signs as its host does, where that has a way: nothing of the key is used", async () => {
    const asked: string[] = [];
    const hosted = createGithubApp({
      appId: 12,
      privateKey: "no key",
      baseUrl: `${host}/api/v3`,
      clock,
      signJwt: async () => {
        asked.push("jwt");
        return "of.the.host";
      },
    });
    const asHost = { reqheaders: { authorization: "bearer of.the.host" } };
    nock(host, asHost).post("/api/v3/app/installations/3/access_tokens").reply(201, minted("one"));
    reads("one");
    await (await hosted.installation(3)).repository(9);
    expect(asked).toEqual(["jwt"]);
  });

  it("is asked again when the first answer was lost", async () => {
    nock(host).get("/api/v3/app").reply(401, { message: "Bad credentials" });
    await expect(app.identity()).rejects.toMatchObject({ code: "BATON_GITHUB_DENIED" });
    nock(host).get("/api/v3/app").reply(200, { id: 12, slug: "baton" });
    nock(host)
      .get(/^\/api\/v3\/users\/baton(\[|%5B)bot(\]|%5D)$/i)
      .reply(200, { id: 77 });
    expect(await app.identity()).toMatchObject({ slug: "baton" });
  });

  it("reads its delivery log by the cursor that the Link header names, to its end", async () => {
    const summary = (id: number, status_code: number) => ({
      id,
      guid: `g${id}`,
      delivered_at: "2026-01-01T00:00:00Z",
      status_code,
      event: "push",
      installation_id: null,
    });
    const next = `<${host}/api/v3/app/hook/deliveries?per_page=100&cursor=v1_8>; rel="next"`;
    nock(host, asApp)
      .get("/api/v3/app/hook/deliveries")
      .query({ per_page: "100" })
      .reply(200, [summary(9, 202), summary(8, 503)], { link: next });
    nock(host, asApp)
      .get("/api/v3/app/hook/deliveries")
      .query({ per_page: "100", cursor: "v1_8" })
      .reply(200, [summary(7, 0)]);
    const first = await app.deliveries(null);
    expect(first.deliveries.map(({ id, ok }) => [id, ok])).toEqual([
      [9, true],
      [8, false],
    ]);
    expect(first.nextCursor).toBe("v1_8");
    expect(await app.deliveries(first.nextCursor)).toMatchObject({
      deliveries: [{ id: 7, ok: false }],
      nextCursor: null,
    });
  });

  it("asks for a delivery once more", async () => {
    nock(host, asApp).post("/api/v3/app/hook/deliveries/8/attempts").reply(202, {});
    await app.redeliver(8);
  });
});
