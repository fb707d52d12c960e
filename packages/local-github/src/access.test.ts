import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestWorld, gitIn, type TestWorld } from "./test-world.ts";

const web = { owner: "acme", repo: "web" };

function jwt(claims: Record<string, unknown>, privateKey: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), createPrivateKey(privateKey)).toString("base64url")}`;
}

async function statusOf(world: TestWorld, path: string, authorization: string): Promise<number> {
  const response = await fetch(`${world.github.apiUrl}${path}`, { headers: { authorization } });
  await response.arrayBuffer();
  return response.status;
}

test("A1: an App's JWT must be signed with its key, name it, and end within ten minutes", async () => {
  await using world = await createTestWorld();
  const { app } = world;
  const now = Math.floor(Date.now() / 1000);
  const stranger = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  }).privateKey;
  const cases: [string, Record<string, unknown>, string, number][] = [
    ["as it should be", { iss: app.id, iat: now - 30, exp: now + 590 }, app.privateKey, 200],
    ["by client id", { iss: app.clientId, iat: now - 30, exp: now + 590 }, app.privateKey, 200],
    ["somebody else's key", { iss: app.id, iat: now, exp: now + 60 }, stranger, 401],
    ["an App that is not there", { iss: 7, iat: now, exp: now + 60 }, app.privateKey, 404],
    ["expired", { iss: app.id, iat: now - 700, exp: now - 1 }, app.privateKey, 401],
    ["an hour ahead", { iss: app.id, iat: now, exp: now + 3600 }, app.privateKey, 401],
    ["without an end", { iss: app.id, iat: now }, app.privateKey, 401],
    ["issued in the future", { iss: app.id, iat: now + 300, exp: now + 500 }, app.privateKey, 401],
  ];
  for (const [name, claims, key, status] of cases) {
    expect([name, await statusOf(world, "/app", `Bearer ${jwt(claims, key)}`)]).toEqual([name, status]);
  }
});

test("A1: unknown, revoked, expired tokens and those of an App that is gone are 401, also for public reads", async () => {
  let ahead = 0;
  await using world = await createTestWorld({ now: () => new Date(Date.now() + ahead) });
  const { github } = world;
  await github.createRepository({ owner: "ada", name: "open", private: false, files: { a: "a" } });
  expect(await statusOf(world, "/repos/ada/open", "token ghs_nobody")).toBe(401);
  const token = await world.token();
  expect(await statusOf(world, "/repos/acme/web", `token ${token}`)).toBe(200);
  const revoked = await fetch(`${github.apiUrl}/installation/token`, {
    method: "DELETE",
    headers: { authorization: `token ${token}` },
  });
  expect(revoked.status).toBe(204);
  expect(await statusOf(world, "/repos/acme/web", `token ${token}`)).toBe(401);
  const old = await world.token();
  ahead = 3_600_000;
  expect(await statusOf(world, "/repos/acme/web", `token ${old}`)).toBe(401);
  ahead = 0;
  const left = await world.token();
  github.uninstallApp({ installationId: world.installationId, as: "ada" });
  expect(await statusOf(world, "/repos/acme/web", `token ${left}`)).toBe(401);
});

test("A2 and A3: a token does what it was narrowed to, in the repositories it was narrowed to", async () => {
  await using world = await createTestWorld();
  const { github } = world;
  await github.createRepository({ owner: "acme", name: "api", files: { a: "a" } });
  github.openIssue({ repository: "acme/web", as: "ada", title: "one" });
  const token = await world.token({ permissions: { issues: "read" }, repositories: ["web"] });
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: `token ${token}`, "content-type": "application/json" };
    const response = await fetch(`${github.apiUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, message: ((await response.json()) as { message: string }).message };
  };
  expect(await statusOf(world, "/repos/acme/web/issues/1", `token ${token}`)).toBe(200);
  expect(await statusOf(world, "/repos/acme/web/contents/sum.js", `token ${token}`)).toBe(403);
  expect(await statusOf(world, "/repos/acme/api/issues", `token ${token}`)).toBe(404);
  expect(await post("/repos/acme/web/issues/1/comments", { body: "x" })).toEqual({
    status: 403,
    message: "Resource not accessible by integration",
  });
  await expect(world.token({ permissions: { secrets: "write" } })).rejects.toMatchObject({ status: 422 });
  await expect(world.token({ repositories: ["nowhere"] })).rejects.toMatchObject({ status: 422 });
});

test("people: the role decides, strangers see nothing, and the permission level has both words", async () => {
  await using world = await createTestWorld();
  const { github, octokit } = world;
  github.openIssue({ repository: "acme/web", as: "ada", title: "one" });
  await expect(world.as("eve").rest.issues.get({ ...web, issue_number: 1 })).rejects.toMatchObject({ status: 404 });
  const level = async (username: string) => {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...web, username });
    return [data.permission, data.role_name];
  };
  expect(await level("eve")).toEqual(["none", "none"]);
  for (const [role, word] of [
    ["read", "read"],
    ["triage", "read"],
    ["write", "write"],
    ["maintain", "write"],
    ["admin", "admin"],
  ] as const) {
    github.setPermission({ repository: "acme/web", login: "eve", permission: role });
    expect(await level("eve")).toEqual([word, role]);
  }
  github.setPermission({ repository: "acme/web", login: "eve", permission: "read" });
  const head = {
    ...web,
    ref: "refs/heads/x",
    sha: String(github.state.repositories.values().next().value?.refs.get("refs/heads/main")),
  };
  await expect(world.as("eve").rest.git.createRef(head)).rejects.toMatchObject({ status: 403 });
  await world.as("eve").rest.issues.createComment({ ...web, issue_number: 1, body: "may I?" });
});

test("H1: git is refused without a token, with a wrong one, with too little, and where there is nothing to see", async () => {
  await using world = await createTestWorld();
  const work = await mkdtemp(join(tmpdir(), "local-github-test-"));
  try {
    const { github } = world;
    await github.createRepository({ owner: "ada", name: "hidden", files: { a: "a" } });
    const remote = (token: string, path = "acme/web") =>
      `${github.url.replace("http://", token === "" ? "http://" : `http://x-access-token:${token}@`)}/${path}.git`;
    const read = await world.token({ permissions: { contents: "read" } });
    await expect(gitIn(work, "clone", "-q", remote(""), "a")).rejects.toThrow(/could not read Username/);
    await expect(gitIn(work, "clone", "-q", remote("ghs_wrong"), "a")).rejects.toThrow(
      /Authentication failed|could not read/,
    );
    await expect(gitIn(work, "clone", "-q", remote(read, "ada/hidden"), "a")).rejects.toThrow(/not found/);
    await gitIn(work, "clone", "-q", remote(read), "web");
    await gitIn(join(work, "web"), "commit", "-q", "--allow-empty", "-m", "x");
    await expect(gitIn(join(work, "web"), "push", "-q", "origin", "HEAD")).rejects.toThrow(/403/);
    const basic = Buffer.from(`x-access-token:${await world.token()}`).toString("base64");
    // actions/checkout writes the scheme in lower case, too.
    const header = `http.extraheader=authorization: basic ${basic}`;
    await gitIn(join(work, "web"), "-c", header, "push", "-q", remote(""), "HEAD:refs/heads/pushed");
    expect(github.state.repositories.values().next().value?.refs.has("refs/heads/pushed")).toBe(true);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});

test("the Enterprise prefix serves the same, and pages link back through it", async () => {
  await using world = await createTestWorld();
  const { github } = world;
  for (let at = 0; at < 3; at += 1) github.openIssue({ repository: "acme/web", as: "ada", title: `n${at}` });
  const authorization = `token ${await world.token()}`;
  const response = await fetch(`${github.enterpriseApiUrl}/repos/acme/web/issues?per_page=2`, {
    headers: { authorization },
  });
  expect(((await response.json()) as unknown[]).length).toBe(2);
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1] ?? "";
  expect(next).toContain("/api/v3/repos/acme/web/issues?per_page=2&page=2");
  const second = await fetch(next, { headers: { authorization } });
  expect(((await second.json()) as unknown[]).length).toBe(1);
});
