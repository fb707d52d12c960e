/**
 * Signed requests against a door with a store in memory: accepted ones with their runs, and refused ones.
 */
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { systemRandom } from "../adapters/system/random.ts";
import { handleDelivery } from "../intake/handle-delivery.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import type { Runner } from "../runner/runner.ts";
import { openDoor } from "./door.ts";
import { listen } from "./listen.ts";
import { signatureOf } from "./trigger-address.ts";

const secret = "a-secret-of-24-characters";
const config = [
  "harness: { default: command }",
  "triggers:",
  '  - { name: deployed, on: http, if: "event.payload.ok", process: explore }',
  "  - { name: other, on: http, process: explore }",
  "",
].join("\n");

let server: Server | null = null;
afterEach(() => server?.close());

async function scene(secrets: readonly string[] = [secret]) {
  const clock = new ManualClock();
  const database = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
  const dependencies = {
    store: database.store,
    clock,
    log: silentLog,
    owner: "test",
    random: systemRandom,
    redact: (one: string) => one,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    github: github.app(),
    repositoryCommands: true,
    publicUrl: null,
  } as unknown as Dependencies;
  const baton = { dependencies, database, claims: null as never, identities: null, log: silentLog };
  const door = openDoor(baton, { secrets: ["webhooks"], triggerSecrets: secrets });
  server = createServer((request, response) => void door.handle(request, response));
  await listen(server, { host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  let nonces = 0;
  const post = async (given: Partial<Sent> = {}) => {
    nonces += 1;
    const { path = "/triggers/deployed", signedPath = path, key = secret, ...rest } = given;
    const body = rest.body ?? JSON.stringify({ repository: "acme/shop", payload: { ok: true } });
    const time = `${Math.floor(clock.now() / 1_000) + (rest.secondsOff ?? 0)}`;
    const nonce = rest.nonce ?? `nonce-nonce-nonce-${nonces}`;
    const headers: Record<string, string> = {
      "x-baton-timestamp": time,
      "x-baton-nonce": nonce,
      "x-baton-signature":
        rest.signature ?? signatureOf(key, { time, nonce, path: signedPath, body: rest.signed ?? body }),
    };
    if (rest.without !== undefined) delete headers[rest.without];
    const answer = await fetch(url + path, {
      method: rest.method ?? "POST",
      headers,
      ...(rest.method === "GET" ? {} : { body }),
    });
    const { message = "" } = (await answer.json()) as { message?: string };
    return { status: answer.status, message };
  };
  const work = async (guid: string): Promise<string> => {
    const runner = { wake: async () => false } as unknown as Runner;
    await handleDelivery(dependencies, runner, { data: { hook: "triggers", guid }, tries: 1 } as never);
    return (await database.store.delivery("triggers", guid))?.note ?? "";
  };
  return { clock, database, dependencies, post, work };
}

interface Sent {
  path: string;
  signedPath: string;
  key: string;
  body: string;
  signed: string;
  secondsOff: number;
  nonce: string;
  signature: string;
  without: string;
  method: string;
}

describe("`POST /triggers/<name>`", () => {
  it("a signed request starts the rule of its name, as the person who brought the rule, and counts once", async () => {
    const { post, work, database } = await scene();
    const nonce = "the-nonce-of-a-sender";
    expect(await post({ nonce })).toMatchObject({ status: 202 });
    expect(await work(nonce)).toMatch(
      /deployed: Started `run_\w+`, caused by a signed request\., other: The event is for `deployed`/,
    );
    const [row] = await database.store.runs({});
    const created = row === undefined ? undefined : (await database.store.read(row.runId))[0]?.event;
    expect(created).toMatchObject({
      requestedBy: { login: "alice" },
      startedBy: { kind: "trigger", name: "deployed", authors: [{ login: "alice" }] },
    });
    expect(await post({ nonce })).toEqual({ status: 401, message: expect.stringContaining("used before") });
    expect(await database.store.runs({})).toHaveLength(1);
  });

  it.each<[string, Partial<Sent>, number, RegExp]>([
    ["another secret", { key: "another-secret-of-24-characters" }, 401, /does not match/],
    ["another body than the signed one", { signed: "{}" }, 401, /does not match/],
    ["another rule than the signed one", { signedPath: "/triggers/other" }, 401, /does not match/],
    ["no signature", { without: "x-baton-signature" }, 401, /are needed/],
    ["no time", { without: "x-baton-timestamp" }, 401, /are needed/],
    ["no nonce", { without: "x-baton-nonce" }, 401, /are needed/],
    ["a nonce that is too short", { nonce: "1" }, 401, /16–80/],
    ["a signature of nothing", { signature: "sha256=" }, 401, /does not match/],
    ["an old request", { secondsOff: -301 }, 401, /5 minutes/],
    ["one from the future", { secondsOff: 302 }, 401, /5 minutes/],
    [
      "a body that is too large",
      { body: `{"repository":"a/b","payload":{"x":"${"x".repeat(65_536)}"}}` },
      413,
      /65536 bytes/,
    ],
    ["no JSON", { body: "ok" }, 400, /not JSON/],
    ["a key that nobody reads", { body: '{"repository":"a/b","rule":"x"}' }, 400, /nothing else/],
    ["a repository that is no name", { body: '{"repository":"../x"}' }, 400, /owner\/name/],
    ["a name that no rule can have", { path: "/triggers/Deploy%20it" }, 400, /Send a POST/],
    ["a question", { method: "GET" }, 400, /Send a POST/],
  ])("refuses %s", async (_, given, status, message) => {
    const { post, database } = await scene();
    expect(await post(given)).toEqual({ status, message: expect.stringMatching(message) });
    await expect(database.store.delivery("triggers", given.nonce ?? "nonce-nonce-nonce-1")).resolves.toBeNull();
  });

  it("refuses everything without a secret, and accepts the one that is being replaced", async () => {
    const none = await scene([]);
    expect(await none.post()).toEqual({
      status: 401,
      message: expect.stringContaining("BATON_TRIGGER_SECRET is not set"),
    });
    server?.close();
    const two = await scene(["the-new-secret-of-24-chars", secret]);
    expect(await two.post()).toMatchObject({ status: 202 });
  });

  it.each([
    [
      "a repository that is not installed",
      { repository: "acme/other", payload: { ok: true } },
      /no repository acme\/other/,
    ],
    ["a condition that does not hold", { repository: "acme/shop" }, /is false|cannot be evaluated/],
  ])("%s answers as any other, and starts nothing", async (_, body, note) => {
    const { post, work, database } = await scene();
    expect((await post({ nonce: "the-nonce-of-a-sender", body: JSON.stringify(body) })).status).toBe(202);
    expect(await work("the-nonce-of-a-sender")).toMatch(note);
    expect(await database.store.runs({})).toEqual([]);
  });

  it(`answers for a rule of ${repository.owner} whatever the case of its name`, async () => {
    const { post, work } = await scene();
    await post({ nonce: "the-nonce-of-a-sender", body: '{"repository":"ACME/Shop","payload":{"ok":true}}' });
    expect(await work("the-nonce-of-a-sender")).toMatch(/Started/);
  });
});
