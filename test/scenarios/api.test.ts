/** The HTTP API over the real adapter and the local GitHub: rights that change between two requests of one token. */
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { appGrants } from "../../packages/local-github/demo/world.ts";
import { type LocalGithub, startLocalGithub } from "../../packages/local-github/src/local-github.ts";
import { createGithubApp } from "../../src/adapters/github/github-app.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { serverOperator } from "../../src/app/api/client.ts";
import { runCli } from "../../src/cli/program.ts";
import type { Repository, RunId } from "../../src/core/vocabulary.ts";
import { type ApiWorld, apiWorld } from "../fakes/api-world.ts";

let github: LocalGithub;
let world: ApiWorld;
let run: RunId;
let token: string;
beforeAll(async () => {
  github = await startLocalGithub();
  for (const login of ["alice", "bob"]) github.createUser({ login });
  github.createOrganization({ login: "acme", members: ["bob"] });
  await github.createRepository({ owner: "acme", name: "shop", private: true, files: { "README.md": "# shop\n" } });
  github.setPermission({ repository: "acme/shop", login: "alice", permission: "write" });
  github.setPermission({ repository: "acme/shop", login: "bob", permission: "admin" });
  github.openIssue({ repository: "acme/shop", as: "bob", title: "The sum is wrong", body: "" });
  const app = github.createApp({ slug: "baton", ownerLogin: "acme", grants: appGrants, events: [], webhook: null });
  github.installApp({ appId: app.id, account: "acme", as: "bob" });
  const { privateKey } = app;
  world = await apiWorld({
    githubApp: createGithubApp({ appId: app.id, privateKey, baseUrl: github.apiUrl, clock: systemClock }),
  });
  const [repository] = await world.dependencies.github.repositories();
  run = await world.begin(repository as Repository, 1);
  await world.post(run);
  token = await world.token({ scope: "admin" });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await github.close();
});

it("each request has the permission of that moment: nothing, read, write, admin, nothing again", async () => {
  const read = async () => (await world.ask("GET", `/api/v1/runs/${run}`, { token })).status;
  const pause = async () => (await world.ask("POST", `/api/v1/runs/${run}/advance`, { token })).status;
  const erase = async () => (await world.ask("POST", `/api/v1/runs/${run}/erase`, { token })).status;
  const steer = async () =>
    (await world.ask("POST", `/api/v1/runs/${run}/budget`, { token, body: { addUsd: 1 } })).status;
  const list = async () => ((await world.ask("GET", "/api/v1/runs", { token })).body["items"] as unknown[]).length;
  const all = async () => [await read(), await list(), await pause(), await steer(), await erase()];
  const allow = (permission: "none" | "read" | "write" | "admin") =>
    github.setPermission({ repository: "acme/shop", login: "alice", permission });
  expect(await all()).toEqual([200, 1, 200, 200, 403]);
  allow("none");
  expect(await all()).toEqual([404, 0, 404, 404, 404]);
  allow("read");
  expect(await all()).toEqual([200, 1, 200, 403, 403]);
  allow("admin");
  // An active run cannot be erased, by anybody.
  expect(await all()).toEqual([200, 1, 200, 200, 409]);
  allow("none");
  expect(await all()).toEqual([404, 0, 404, 404, 404]);
  allow("write");
});

it("a token cannot be made for somebody whom GitHub does not know there, nor for a bot", async () => {
  await expect(world.token({ as: "zoe" })).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
  await expect(world.token({ as: "baton[bot]" })).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
});

/** The command line on another machine: no data directory, only the address and the token. */
async function baton(words: string[], environment: Record<string, string> = { BATON_TOKEN: token }) {
  const [out, err]: [string[], string[]] = [[], []];
  const outside = {
    environment,
    directory: tmpdir(),
    print: (text: string) => out.push(text),
    note: (text: string) => err.push(text),
  };
  const code = await runCli(words, outside);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

it("`--server` and BATON_SERVER ask this Baton, and only for what the API has", async () => {
  const there = ["--server", world.url];
  const listed = await baton([...there, "run", "list", "--json"]);
  expect(JSON.parse(listed.out)).toMatchObject([{ runId: run }]);
  expect((await baton(["run", "show", run], { BATON_TOKEN: token, BATON_SERVER: world.url })).out).toContain(
    "acme/shop#1",
  );
  const second = await world.begin((await world.dependencies.github.repositories())[0] as Repository, 2);
  const compared = await baton([...there, "run", "diff", run, second]);
  expect([compared.code, compared.out]).toEqual([0, expect.stringContaining("The inputs are equal.")]);
  const [key] = [...((await world.runner.state(run))?.effects.keys() ?? [])];
  expect((await baton([...there, "transcript", run, `${key}`])).err).toContain("No agent has ended");
  // Nothing that exists only on the machine of Baton happens here in its place.
  expect(await baton([...there, "stop"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("on this machine only"),
  });
  expect(await baton([...there, "run", "list"], {})).toMatchObject({
    code: 5,
    err: expect.stringContaining("BATON_TOKEN is not set"),
  });
  expect(await baton(["--server", "baton.example.com", "run", "list"])).toMatchObject({ code: 2 });
  expect(await baton([...there, "run", "show", "run_00000000000000"])).toMatchObject({ code: 3 });
});

it("the command line's client lists, reads, steers and reports refusals by their codes", async () => {
  const server = serverOperator({ url: world.url, token });
  expect(await server.list({ repository: "acme/shop", number: 1 })).toMatchObject([{ runId: run }]);
  expect((await server.read(run)).runId).toBe(run);
  expect((await server.events(run)).map(({ event }) => event.type)).toContain("run.created");
  await expect(server.read("run_00000000000000")).rejects.toMatchObject({ code: "BATON_NO_RUN" });
  await expect(server.backup("x")).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
  const nobody = { id: 0, login: "nobody", kind: "user", permission: "admin" } as const;
  await server.cancel(run, nobody, "seen");
  const state = await world.runner.state(run);
  expect(state?.cancelRequested).toMatchObject({ by: { login: "alice" }, reason: "seen" });
  await expect(serverOperator({ url: world.url, token: "x" }).list()).rejects.toMatchObject({
    code: "BATON_TOKEN_REFUSED",
  });
  await expect(serverOperator({ url: "http://127.0.0.1:1", token }).list()).rejects.toMatchObject({
    code: "BATON_UNREACHABLE",
  });
});
