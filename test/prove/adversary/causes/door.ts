/** Deliveries that GitHub did not send, against the real door over HTTP. */
import { createHmac } from "node:crypto";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { openMemory } from "../../../../src/adapters/memory/open.ts";
import { silentLog } from "../../../../src/adapters/system/log.ts";
import { deliver } from "../../../../src/app/deliver.ts";
import { readBody } from "../../../../src/app/read-body.ts";
import { limits } from "../../../../src/core/limits.ts";
import { toThreadEvent } from "../../../../src/intake/events.ts";
import type { Database } from "../../../../src/ports/store.ts";
import { ManualClock } from "../../../fakes/manual-clock.ts";
import { type Cause, defineCause, shared } from "../cause.ts";

const secret = "the-secret-of-the-hook";
const body = JSON.stringify({ action: "created", installation: { id: 7 } });

interface Door {
  server: Server;
  database: Database;
  url: string;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const door = shared<Door>(
  async () => {
    const clock = new ManualClock();
    const database = openMemory({ clock, log: silentLog });
    const server = createServer((request, response) => {
      void deliver(
        { store: database.store, clock, log: silentLog, secrets: [secret], bodyDeadlineMs: 20_000 },
        request,
        response,
      );
    });
    return { server, database, url: await listening(server) };
  },
  async ({ server, database }) => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await database.close();
  },
);

const sign = (bytes: string | Buffer, with_ = secret, how = "sha256"): string =>
  `${how}=${createHmac(how, with_).update(bytes).digest("hex")}`;

interface Sent {
  headers: Record<string, string>;
  /** Latin-1, so that it can contain any bytes. */
  bytes: string;
}

async function send({ headers, bytes }: Sent, end = true): Promise<number> {
  const { url } = await door();
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: "POST", headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => {
        outgoing.destroy();
        resolve(response.statusCode ?? 0);
      });
    });
    outgoing.once("error", reject);
    if (end) outgoing.end(Buffer.from(bytes, "latin1"));
    else outgoing.flushHeaders();
  });
}

let guids = 0;
const headersOf = (signature: string | null): Record<string, string> => ({
  "content-type": "application/json",
  "x-github-delivery": `guid-${++guids}`,
  "x-github-event": "issue_comment",
  "x-github-hook-id": "42",
  ...(signature === null ? {} : { "x-hub-signature-256": signature }),
});

interface Signature {
  how: string;
  value: string | null;
}
const signatures = defineCause<Signature>({
  name: "delivery without GitHub's signature",
  surface: "webhook",
  guard: "src/app/deliver.ts DL1: SHA-256 over the raw bytes, fails closed",
  fixed: [
    { how: "none", value: null },
    { how: "empty", value: "" },
    { how: "of the empty secret", value: sign(body, "") },
    { how: "SHA-1", value: sign(body, secret, "sha1") },
    { how: "half", value: sign(body).slice(0, 40) },
  ],
  draw: (draw) =>
    draw.one<() => Signature>([
      () => ({ how: "of another secret", value: sign(body, draw.word(12)) }),
      () => ({ how: "another algorithm", value: sign(body, secret, draw.one(["sha1", "md5", "sha512", "sha384"])) }),
      () => ({
        how: "named sha256",
        value: `sha256=${sign(body, secret, draw.one(["sha1", "md5", "sha512"])).split("=")[1]}`,
      }),
      () => ({
        how: "one digit changed",
        value: sign(body).replace(/.$/, (last) => (last === "0" ? "1" : "0")) + "".repeat(draw.whole(0, 1)),
      }),
      () => ({ how: "without its name", value: sign(body).slice(7) }),
      () => ({ how: "with something behind", value: `${sign(body)}${draw.word(3)}` }),
      () => ({ how: "two", value: `${sign(body, draw.word())}, ${sign(body, draw.word())}` }),
      () => ({ how: "zeros", value: `sha256=${"0".repeat(draw.whole(1, 128))}` }),
      () => ({ how: "the secret itself", value: `sha256=${Buffer.from(secret).toString("hex")}${draw.word(2)}` }),
    ])(),
  async attack({ value }, guarded) {
    // Without the guard, any signature is the right one.
    const status = await send({ headers: headersOf(guarded ? value : sign(body)), bytes: body });
    return status < 300 ? `answered ${status}` : null;
  },
  atOnce: 8,
});

const evil = '{"action":"created","installation":{"id":7},"comment":{"body":"/baton run"}}';
const reencoded = defineCause<string>({
  name: "signed body that arrives in other bytes",
  surface: "webhook",
  guard: "src/app/deliver.ts DL1: no byte is parsed before the signature holds",
  fixed: [`${body} `, `\ufeff${body}`, JSON.stringify(JSON.parse(body), null, 1), evil],
  draw(draw) {
    const at = draw.whole(1, body.length - 1);
    return draw.one([
      `${body.slice(0, at)}${draw.one([" ", "\n", "\t"])}${body.slice(at)}`,
      `${body.slice(0, -1)},"${draw.word()}":1}`,
      body.replace("7", `${draw.whole(8, 99_999)}`),
      `${body}${draw.one(["\r\n", "\n\n", "\u0000", ""])}${draw.word(2)}`,
      encodeURIComponent(body).slice(0, draw.whole(20, 60)),
      `payload=${encodeURIComponent(body)}&${draw.word()}`,
      body.replace("created", `cr\\u0065ated${"".padEnd(draw.whole(0, 4))}`),
      [...body].reverse().join("").slice(draw.whole(0, 9)),
    ]);
  },
  async attack(other, guarded) {
    const bytes = Buffer.from(other, "utf8").toString("latin1");
    // Without the guard, the signature covers the bytes that came.
    const signed = guarded ? body : Buffer.from(bytes, "latin1");
    const status = await send({ headers: headersOf(sign(signed)), bytes });
    return status < 300 ? `answered ${status}` : null;
  },
  atOnce: 8,
});

interface Replay {
  times: number;
  guid: string;
}
const replay = defineCause<Replay>({
  name: "delivery that is sent again",
  surface: "webhook",
  guard: "src/app/deliver.ts DL2: one row by hook and GUID",
  fixed: [{ times: 2, guid: "replayed" }],
  draw: (draw) => ({ times: draw.whole(2, 5), guid: `again-${draw.word(10)}` }),
  async attack({ times, guid }, guarded) {
    const answers = await Promise.all(
      Array.from({ length: times }, () =>
        // Without the guard, each one is a new delivery.
        send({ headers: { ...headersOf(sign(body)), ...(guarded ? { "x-github-delivery": guid } : {}) }, bytes: body }),
      ),
    );
    const taken = answers.filter((status) => status === 202).length;
    return taken === 1 ? null : `taken ${taken} times`;
  },
});

/** The door's own reader without its bound. */
async function unbounded(declared: number): Promise<number> {
  const server = createServer((request, response) => {
    readBody(request, { what: "delivery", bytesMax: Number.POSITIVE_INFINITY, deadlineMs: 200 }).catch(() =>
      response.writeHead(408).end(),
    );
  });
  const url = await listening(server);
  try {
    return await new Promise<number>((resolve, reject) => {
      const headers = { "content-length": `${declared}` };
      const outgoing = httpRequest(url, { method: "POST", headers, agent: false }, (response) => {
        resolve(response.statusCode ?? 0);
        outgoing.destroy();
      });
      outgoing.once("error", reject);
      outgoing.flushHeaders();
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const oversized = defineCause<{ declared: number }>({
  name: "delivery larger than GitHub sends",
  surface: "webhook",
  guard: "src/app/read-body.ts BD1: refused by its length before a byte of it is read",
  fixed: [{ declared: limits.deliveryBytesMax + 1 }],
  draw: (draw) => ({ declared: limits.deliveryBytesMax + draw.whole(1, 2_000_000_000) }),
  async attack({ declared }, guarded) {
    // Only announced. A door without the guard waits for it.
    const headers = { ...headersOf(sign(body)), "content-length": `${declared}` };
    const status = guarded ? await send({ headers, bytes: "" }, false) : await unbounded(declared);
    return status === 413 ? null : `answered ${status}`;
  },
  atOnce: 8,
});

/** The same store with a caller that checks nothing: it accepts every value. */
async function keptAnyway(headers: Record<string, string>, bytes: string): Promise<string | null> {
  const { store } = (await door()).database;
  const delivery = {
    hook: "app",
    guid: headers["x-github-delivery"] ?? "",
    event: headers["x-github-event"] ?? "",
    action: null,
    installationId: null,
    payload: bytes,
    receivedAt: 0,
  };
  const isNew = await store.insertDelivery(delivery, { queue: "delivery", data: { hook: "app", guid: delivery.guid } });
  return isNew ? "it is kept" : null;
}

const odd = defineCause<Sent & { what: string }>({
  name: "signed delivery that is no delivery",
  surface: "webhook",
  guard: "src/app/deliver.ts: only objects with a plain GUID and event are kept",
  fixed: [
    { what: "list", headers: {}, bytes: "[1]" },
    { what: "no JSON", headers: {}, bytes: "payload=%7B%7D" },
    { what: "GUID", headers: { "x-github-delivery": "a/../b" }, bytes: body },
    { what: "event", headers: { "x-github-event": "Issue Comment" }, bytes: body },
  ],
  draw: (draw) =>
    draw.one<() => Sent & { what: string }>([
      () => ({
        what: "text",
        headers: {},
        bytes:
          draw.one(["null", "true", "1", '"x"', "NaN", "{", "{]", "", "[", "\u0000"]) + " ".repeat(draw.whole(0, 9)),
      }),
      () => ({ what: "deep", headers: {}, bytes: "[".repeat(draw.whole(1_000, 60_000)) }),
      () => ({
        what: "GUID",
        headers: {
          "x-github-delivery": draw.one([
            "",
            "' or 1=1 --",
            "a b",
            "x".repeat(draw.whole(81, 200)),
            "../../etc",
            "\u00e9",
          ]),
        },
        bytes: body,
      }),
      () => ({
        what: "event",
        headers: {
          "x-github-event": draw.one(["", "ISSUES", "a;b", "a/b", "y".repeat(draw.whole(61, 99)), "__proto__ x"]),
        },
        bytes: body,
      }),
    ])(),
  async attack({ headers, bytes }, guarded) {
    const signed = { ...headersOf(sign(Buffer.from(bytes, "latin1"))), ...headers };
    if (!guarded) return await keptAnyway(signed, bytes);
    const status = await send({ headers: signed, bytes });
    return status < 300 ? `answered ${status}` : null;
  },
  atOnce: 8,
});

const prototypes = defineCause<string>({
  name: "payload with parts of every object's prototype",
  surface: "webhook",
  guard: "src/intake/events.ts: only checked fields of a payload are used",
  fixed: [
    '{"__proto__":{"action":"created"},"issue":{"number":1},"comment":{"id":1,"body":"/baton run","user":{"id":1,"login":"a","type":"User"}}}',
    '{"action":"created","constructor":{"prototype":{"installation":{"id":1}}}}',
  ],
  draw(draw) {
    const user = '{"id":1,"login":"alice","type":"User"}';
    const whole: Record<string, string> = {
      action: '"created"',
      installation: '{"id":3}',
      repository: '{"id":7,"name":"shop","default_branch":"main","owner":{"login":"acme"}}',
      issue: '{"number":12}',
      comment: `{"id":9,"body":"/baton run","user":${user}}`,
    };
    const missing = draw.one(Object.keys(whole));
    const rest = Object.entries(whole)
      .filter(([name]) => name !== missing)
      .map(([name, value]) => `"${name}":${value}`);
    const carrier = draw.one(["__proto__", "constructor", "prototype"]);
    return `{"${carrier}":{"${missing}":${whole[missing]},"${draw.word()}":1},${rest.join(",")}}`;
  },
  attack(text, guarded) {
    const payload = JSON.parse(text) as Record<string, unknown>;
    // Without the guard: merged into an object, as in many frameworks.
    const given: unknown = guarded
      ? payload
      : Object.assign(
          {},
          payload["constructor"],
          payload["prototype"],
          (payload as { __proto__?: object }).__proto__,
          payload,
        );
    const polluted = (): boolean => (({}) as Record<string, unknown>)["action"] !== undefined;
    const taken = toThreadEvent("issue_comment", given);
    if (polluted()) return "every object has an action";
    return taken.kind === "comment" ? "a comment was made of it" : null;
  },
});

/** The guard off: converts each field to its expected type, as a lenient reader does. */
function converted(path: string, value: unknown): unknown {
  const first: unknown = Array.isArray(value) ? (value as unknown[])[0] : value;
  if (path === "comment.user.type") return "User";
  if (path === "action") return "created";
  if (/id$|number$/.test(path)) return Math.trunc(Number(first)) || 1;
  return typeof first === "object" && first !== null ? JSON.stringify(first) : String(first);
}

interface Wrong {
  path: string;
  value: unknown;
}
const wrongTypes = defineCause<Wrong>({
  name: "payload whose ids, names or people are something else",
  surface: "webhook",
  guard: "src/intake/events.ts: each field is checked, and whoever is not `User` is a bot",
  fixed: [
    { path: "comment.user.id", value: "1" },
    { path: "repository.id", value: { toString: "7" } },
    { path: "comment.user.type", value: ["User"] },
    { path: "comment.user.type", value: "Bot" },
  ],
  draw: (draw) => ({
    path: draw.one([
      "comment.user.id",
      "comment.user.login",
      "comment.id",
      "comment.body",
      "repository.id",
      "repository.owner.login",
      "repository.name",
      "issue.number",
      "installation.id",
      "action",
      "comment.user.type",
    ]),
    value: draw.one<unknown>([
      null,
      [],
      {},
      true,
      [draw.word()],
      { id: draw.whole(1, 99) },
      draw.whole(1, 99) + 0.5,
      "",
    ]),
  }),
  attack({ path, value }, guarded) {
    const payload = {
      action: "created",
      installation: { id: 3 },
      repository: { id: 7, name: "shop", default_branch: "main", owner: { login: "acme" } },
      issue: { number: 12 },
      comment: { id: 9, body: "/baton run", user: { id: 1, login: "alice", type: "User" } },
    };
    const parts = path.split(".");
    let at: Record<string, unknown> = payload;
    for (const part of parts.slice(0, -1)) at = at[part] as Record<string, unknown>;
    at[parts.at(-1) ?? ""] = guarded ? value : converted(path, value);
    const taken = toThreadEvent("issue_comment", payload);
    if (taken.kind !== "comment") return null;
    // Fields of any type are unused fields.
    if (path === "comment.user.type") return taken.author.kind === "bot" ? null : "taken for a person";
    const empty = value === "" && ["comment.body", "repository.name", "repository.owner.login"].includes(path);
    return empty ? null : `taken with ${path} = ${JSON.stringify(value)}`;
  },
});

export const doorCauses: readonly Cause[] = [signatures, reencoded, replay, oversized, odd, prototypes, wrongTypes];
