/** The door as one of several handlers: which requests it ignores, how it closes, and how it notices another handler. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { Database } from "../ports/store.ts";
import { type Door, openDoor, webhookPath } from "./door.ts";
import { listen } from "./listen.ts";

const secret = "the-secret";
const body = JSON.stringify({ action: "created", installation: { id: 7 } });
const signed = {
  "content-type": "application/json",
  "x-github-delivery": "guid-1",
  "x-github-event": "label",
  "x-github-hook-id": "42",
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
};

let database: Database;
let servers: Server[];
/** A slow store: the promise that an insert waits for, and whether one waits. */
let held: Promise<void>;
let atStore: PromiseWithResolvers<void>;
const doorWith = (secrets = [secret]): Door =>
  openDoor(
    {
      dependencies: {
        store: {
          ...database.store,
          insertDelivery: async (...given) => {
            atStore.resolve();
            await held;
            return database.store.insertDelivery(...given);
          },
          runs: () => Promise.reject(new Error('relation "runs" does not exist')),
        },
        clock: new ManualClock(),
      },
      database,
      claims: null as never,
      identities: null,
      log: silentLog,
    },
    { secrets },
  );

beforeEach(() => {
  database = openMemory({ clock: new ManualClock(), log: silentLog });
  servers = [];
  held = Promise.resolve();
  atStore = Promise.withResolvers();
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await database.close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;

/** A server that asks one handler after the other, as Probot's server does. */
async function serve(...handlers: Handler[]): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      for (const handler of handlers) if (await handler(request, response)) return;
      response.writeHead(404).end();
    })();
  });
  servers.push(server);
  await listen(server, { host: "127.0.0.1", port: 0 });
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}

const deliver = (url: string, path = webhookPath) => fetch(`${url}${path}`, { method: "POST", headers: signed, body });
const never: Handler = () => false;

describe("the self-check", () => {
  it.each<[string, (door: Door) => Handler[]]>([
    ["alone", (door) => [door.handle]],
    ["behind one that does not care", (door) => [never, door.handle]],
    [
      "before one that answers all",
      (door) => [door.handle, (_, response) => response.writeHead(200).end("ok").writableEnded],
    ],
  ])("is content with a door %s, and keeps nothing of it", async (_, handlers) => {
    const door = doorWith();
    const { server } = await serve(...handlers(door));
    let isAsked = false;
    void atStore.promise.then(() => {
      isAsked = true;
    });
    await door.probe(server);
    expect(isAsked).toBe(false);
  });

  it.each<[string, (door: Door) => Handler[]]>([
    [
      "a handler that takes deliveries",
      (door) => [(_, response) => response.writeHead(200).end("ok").writableEnded, door.handle],
    ],
    ["one that refuses them", (door) => [(_, response) => response.writeHead(401).end().writableEnded, door.handle]],
    ["one that ends the connection", (door) => [({ socket }) => socket.destroy().destroyed, door.handle]],
    ["nobody", () => [never]],
    ["the door of another Baton", () => [doorWith().handle]],
  ])("is an error where %s answers", async (_, handlers) => {
    const door = doorWith();
    const { server } = await serve(...handlers(door));
    await expect(door.probe(server)).rejects.toMatchObject({ code: "BATON_DOOR_TAKEN" });
  });

  it("looks at every address of the door", async () => {
    const door = doorWith();
    door.addPath("/hooks/baton");
    const other: Handler = ({ url }, response) =>
      url === "/hooks/baton" ? response.writeHead(200).end().writableEnded : false;
    const { server } = await serve(other, door.handle);
    await expect(door.probe(server)).rejects.toThrow("/hooks/baton");
  });

  it("cannot be asked for by others", async () => {
    const { url } = await serve(doorWith().handle);
    const forged = await fetch(`${url}${webhookPath}`, { method: "POST", headers: { "x-baton-probe": "guess" }, body });
    expect(forged.status).toBe(401);
  });
});

describe("a handler among others", () => {
  it("leaves what is not Baton's untouched: body, root and unknown paths", async () => {
    const own: Handler = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      return response.end(`host: ${Buffer.concat(chunks).toString()}`).writableEnded;
    };
    const { url } = await serve(doorWith().handle, own);
    for (const path of ["/", "/api/github", "/api/v1/effects/r/e/1/claim", "/healthy"])
      expect(await (await fetch(`${url}${path}`, { method: "POST", body: "its body" })).text()).toBe("host: its body");
    expect((await deliver(url, "/")).status).toBe(202);
  });

  it.each([
    ["keeps the bytes", true, 202, undefined],
    ["keeps none: an error at once, not after its deadline", false, 400, "BATON_PAYLOAD_INVALID"],
  ])("takes a body that the host has read, where it %s", async (_, keeps, status, code) => {
    const parser: Handler = async (request) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      if (keeps) Object.assign(request, { rawBody: Buffer.concat(chunks) });
      return false;
    };
    const { url } = await serve(parser, doorWith().handle);
    const answer = await deliver(url);
    expect([answer.status, ((await answer.json()) as { code?: string }).code]).toEqual([status, code]);
  });

  it("says nothing of the database in its health", async () => {
    const { url } = await serve(doorWith().handle);
    const answer = await fetch(`${url}/health`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining("relation")]);
  });
});

it("a door that closes answers what is under way, and refuses what comes", async () => {
  const store = Promise.withResolvers<void>();
  held = store.promise;
  const door = doorWith();
  const { url } = await serve(door.handle);
  const early = deliver(url);
  await atStore.promise;
  const closed = door.close();
  const late = await deliver(url);
  expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([503, "BATON_STOPPING"]);
  store.resolve();
  expect((await early).status).toBe(202);
  await closed;
  expect(await database.store.delivery("42", "guid-1")).not.toBeNull();
});
