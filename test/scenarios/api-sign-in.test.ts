/** People sign in with GitHub, over the local GitHub: the whole flow, and each way in which it must fail. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { appGrants } from "../../packages/local-github/demo/world.ts";
import { type LocalGithub, startLocalGithub } from "../../packages/local-github/src/local-github.ts";
import { createGithubApp } from "../../src/adapters/github/github-app.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { GithubSignIn } from "../../src/app/api/github-sign-in.ts";
import { limits } from "../../src/core/limits.ts";
import type { Repository, RunId } from "../../src/core/vocabulary.ts";
import { type ApiWorld, apiWorld } from "../fakes/api-world.ts";

const publicUrl = "https://baton.example";
const callback = "/sign-in/github/callback";
let github: LocalGithub;
let world: ApiWorld;
let run: RunId;
beforeAll(async () => {
  github = await startLocalGithub();
  for (const login of ["alice", "bob"]) github.createUser({ login });
  github.createOrganization({ login: "acme", members: ["bob"] });
  await github.createRepository({ owner: "acme", name: "shop", private: true, files: { "README.md": "# shop\n" } });
  github.setPermission({ repository: "acme/shop", login: "alice", permission: "write" });
  github.setPermission({ repository: "acme/shop", login: "bob", permission: "admin" });
  github.openIssue({ repository: "acme/shop", as: "bob", title: "The sum is wrong" });
  const { id, privateKey, clientId, clientSecret } = github.createApp({
    slug: "baton",
    ownerLogin: "acme",
    grants: appGrants,
    events: [],
    webhook: null,
    callbackUrls: [`${publicUrl}${callback}`],
  });
  github.installApp({ appId: id, account: "acme", as: "bob" });
  const app = { clientId, clientSecret, webUrl: github.url, apiUrl: github.apiUrl };
  world = await apiWorld({
    githubApp: createGithubApp({ appId: id, privateKey, baseUrl: github.apiUrl, clock: systemClock }),
    signIn: (place) => new GithubSignIn({ ...place, app, publicUrl }),
  });
  const [repository] = await world.dependencies.github.repositories();
  run = await world.begin(repository as Repository, 1);
  await world.post(run);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await github.close();
});

/** Cookies as a browser keeps them, without their attributes. */
const cookies = (headers: Headers): string =>
  headers
    .getSetCookie()
    .map((one) => one.split(";")[0] ?? "")
    .filter((one) => !one.endsWith("="))
    .join("; ");

/** From Baton to GitHub and back: the address of the callback, and the browser's cookie. */
async function asked(login: string | null): Promise<{ path: string; cookie: string }> {
  github.signIn({ login });
  const begun = await fetch(`${world.url}/sign-in/github`, { redirect: "manual" });
  const accepted = await fetch(begun.headers.get("location") ?? "", { redirect: "manual" });
  const back = accepted.headers.get("location") ?? "";
  return { path: back.replace(publicUrl, ""), cookie: cookies(begun.headers) };
}

const open = (path: string, cookie: string) =>
  fetch(`${world.url}${path}`, { headers: { cookie }, redirect: "manual" });

async function signedIn(login: string): Promise<string> {
  const { path, cookie } = await asked(login);
  const answer = await open(path, cookie);
  expect(answer.status).toBe(200);
  return cookies(answer.headers);
}

it("acts in the person's own name: reads, steers, and approves by the rules of the thread", async () => {
  const cookie = await signedIn("bob");
  const origin = { cookie, origin: publicUrl };
  expect((await world.ask("GET", "/api/v1/me", { headers: { cookie } })).body).toMatchObject({
    kind: "person",
    login: "bob",
  });
  const cut = await world.ask("POST", `/api/v1/runs/${run}/pause`, { headers: origin });
  expect(cut.status).toBe(200);
  expect((await world.runner.state(run))?.pausedBy).toMatchObject({ login: "bob", permission: "admin" });
  expect((await world.said()).at(-1)).toContain("through the API, signed in with GitHub.");
  // The run asks a question, which no approval answers. A token would get 403.
  const approved = await world.ask("POST", `/api/v1/runs/${run}/questions/color/approve`, { headers: origin });
  expect([approved.status, approved.body["code"]]).toEqual([409, "BATON_NOT_ASKED"]);
});

it("a person who loses access loses it in a session that is open, at once", async () => {
  const cookie = await signedIn("alice");
  const status = async () => (await world.ask("GET", `/api/v1/runs/${run}`, { headers: { cookie } })).status;
  expect(await status()).toBe(200);
  github.setPermission({ repository: "acme/shop", login: "alice", permission: "none" });
  expect(await status()).toBe(404);
  github.setPermission({ repository: "acme/shop", login: "alice", permission: "write" });
  expect(await status()).toBe(200);
});

it("keeps its cookie for this origin, its scripts out, and no token of the person", async () => {
  const { path, cookie } = await asked("alice");
  const answer = await open(path, cookie);
  const [, session = ""] = answer.headers.getSetCookie();
  for (const attribute of ["__Host-baton=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"])
    expect(session).toContain(attribute);
  expect(session).not.toContain("Domain");
  const kept = JSON.stringify(await world.database.store.value("api-sessions"));
  expect(kept).not.toContain(cookies(answer.headers).split("=")[1]);
  expect(kept).not.toMatch(/gh[pu]_/);
});

it.each<[string, (given: { path: string; cookie: string }) => { path: string; cookie: string }]>([
  ["another browser's answer (login CSRF)", ({ path }) => ({ path, cookie: "" })],
  [
    "the cookie of another sign-in",
    ({ path }) => ({ path, cookie: `__Host-baton-sign-in=${"a".repeat(43)}.${"b".repeat(43)}` }),
  ],
  ["another verifier", ({ path, cookie }) => ({ path, cookie: cookie.replace(/\..*$/, `.${"b".repeat(43)}`) })],
  ["another code", ({ path, cookie }) => ({ path: path.replace(/code=\w+/, "code=0123"), cookie })],
  ["no code", ({ path, cookie }) => ({ path: path.replace(/code=\w+/, "code="), cookie })],
])("%s signs nobody in", async (_, change) => {
  const { path, cookie } = change(await asked("alice"));
  const answer = await open(path, cookie);
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
});

it("an answer counts once", async () => {
  const { path, cookie } = await asked("alice");
  expect((await open(path, cookie)).status).toBe(200);
  expect((await open(path, cookie)).status).toBe(401);
});

it("a person has a few sessions at once: one more ends their oldest, and nobody else's", async () => {
  const status = async (cookie: string) => (await world.ask("GET", "/api/v1/me", { headers: { cookie } })).status;
  const [bob, oldest] = [await signedIn("bob"), await signedIn("alice")];
  for (let more = 0; more < limits.apiSessionsPerPersonMax; more += 1) await signedIn("alice");
  expect([await status(oldest), await status(bob)]).toEqual([401, 200]);
});

it("somebody whom GitHub does not know in this browser gets no code", async () => {
  expect((await asked(null)).path).toBe(`${github.url}/login`);
});

it("a page of another site can neither act nor read, and a signed-out or expired session is over", async () => {
  const cookie = await signedIn("alice");
  const path = `/api/v1/runs/${run}/advance`;
  for (const headers of [{ cookie }, { cookie, origin: "https://evil.example" }] as Record<string, string>[])
    expect((await world.ask("POST", path, { headers })).status).toBe(401);
  expect((await world.ask("GET", "/api/v1/me", { headers: { cookie, origin: "https://evil.example" } })).status).toBe(
    401,
  );
  const second = await signedIn("alice");
  expect((await world.ask("POST", "/sign-out", { headers: { cookie, origin: publicUrl } })).status).toBe(204);
  expect((await world.ask("GET", "/api/v1/me", { headers: { cookie } })).status).toBe(401);
  expect((await world.ask("GET", "/api/v1/me", { headers: { cookie: second } })).status).toBe(200);
  world.clock.advance(limits.apiSessionMs);
  expect((await world.ask("GET", "/api/v1/me", { headers: { cookie: second } })).status).toBe(401);
});
