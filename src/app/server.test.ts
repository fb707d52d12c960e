/** The real server and raw sockets: how a client may send its head, in real time. */
import { createHmac } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { limits } from "../core/limits.ts";
import type { Database } from "../ports/store.ts";
import { webhookPath } from "./door.ts";
import { type RunningServer, startServer } from "./server.ts";

const headMs = 300;
const secret = "the-secret";

let database: Database;
let server: RunningServer;
let sockets: Socket[];

beforeEach(async () => {
  const clock = new ManualClock();
  database = openMemory({ clock, log: silentLog });
  sockets = [];
  server = await startServer(
    { app: { id: 1, privateKey: "", secrets: [secret] }, host: "127.0.0.1", port: 0 },
    {
      dependencies: { store: database.store, clock },
      database,
      claims: null as never,
      identities: null,
      log: silentLog,
    },
    null,
    { headMs },
  );
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
  await database.close();
});

interface Line {
  socket: Socket;
  /** All bytes until the server closed the connection. */
  ended: Promise<string>;
  /** Resolves when the bytes so far contain this text. */
  says(words: string): Promise<void>;
}

function dial(): Line {
  const socket = connect({ port: Number(new URL(server.url).port), host: "127.0.0.1" });
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  // A write to a connection that the server has closed.
  socket.on("error", () => {});
  return {
    socket,
    ended: new Promise((resolve) => socket.on("close", () => resolve(text))),
    says: (words) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (text.includes(words)) resolve();
        };
        socket.on("data", look);
        look();
      }),
  };
}

const half = `POST ${webhookPath} HTTP/1.1\r\nHost: baton\r\nX-GitHub-Event: issue_comment\r\n`;

describe("engine-ends-and-answers: the door and slow heads", () => {
  it("waits 10 s for a head, no longer than GitHub for an answer", () => {
    expect(limits.requestHeadMs).toBe(10_000);
  });

  it.each<[string, (line: Line) => Promise<void> | void]>([
    ["half a head", ({ socket }) => void socket.write(half)],
    ["nothing at all", () => {}],
    ["half of the first line", ({ socket }) => void socket.write("POST /api/git")],
    [
      "a head that comes byte by byte",
      async ({ socket }) => {
        for (const letter of half.repeat(10)) {
          if (socket.closed || socket.destroyed) return;
          socket.write(letter);
          await pause(15);
        }
      },
    ],
    [
      "half a head after a whole request",
      async ({ socket, says }) => {
        socket.write("GET /ping HTTP/1.1\r\nHost: baton\r\n\r\n");
        await says('"ok":true');
        socket.write(half);
      },
    ],
  ])("a client that sends %s gets 408 and loses its socket; others are served meanwhile", async (_, send) => {
    const slow = dial();
    const sent = send(slow);
    expect((await fetch(`${server.url}/ping`)).status).toBe(200);
    expect(await slow.ended).toMatch(/HTTP\/1\.1 408 [^\n]+\r\nConnection: close\r\n\r\n$/);
    await sent;
    expect((await fetch(`${server.url}/ping`)).status).toBe(200);
  });

  it("a whole head is enough: its body may take longer", async () => {
    const body = JSON.stringify({ action: "created", installation: { id: 7 } });
    const { socket, says } = dial();
    socket.write(
      [
        half.trimEnd(),
        "X-GitHub-Delivery: b0b5ea30-0000-4000-8000-000000000001",
        `X-Hub-Signature-256: sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        `Content-Length: ${body.length}`,
        "",
        body.slice(0, 5),
      ].join("\r\n"),
    );
    await pause(2 * headMs);
    socket.write(body.slice(5));
    await says("HTTP/1.1 202");
  });

  it("a client that sends half a head does not keep Baton from stopping", async () => {
    const slow = dial();
    slow.socket.write(half);
    const whole = dial();
    whole.socket.write("GET /ping HTTP/1.1\r\nHost: baton\r\n\r\n");
    await whole.says('"ok":true');
    await server.close();
    await Promise.all([slow.ended, whole.ended]);
  });
});

it("the health of a database that fails names no host, no user and no password to anybody", async () => {
  for (const words of [
    'password authentication failed for user "baton_owner"',
    "getaddrinfo ENOTFOUND db.internal.example",
    "connect ECONNREFUSED 10.0.3.7:5432",
  ]) {
    database.ping = async () => {
      throw new Error(words);
    };
    for (const path of ["/ping", "/health", "/ready"]) {
      const response = await fetch(`${server.url}${path}`);
      const text = await response.text();
      expect(response.status).toBe(503);
      expect(JSON.parse(text)).toMatchObject({ ok: false, message: expect.stringContaining("does not answer") });
      expect(text).not.toMatch(/baton_owner|internal|10\.0\.3\.7/);
    }
  }
});
