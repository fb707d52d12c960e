import { createHmac } from "node:crypto";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { limits } from "../core/limits.ts";
import type { Database, Store } from "../ports/store.ts";
import { deliver } from "./deliver.ts";

const secret = "the-current-secret";
const previous = "the-secret-before";
const body = JSON.stringify({
  action: "created",
  installation: { id: 7 },
  repository: { id: 1, name: "shop", default_branch: "main", owner: { login: "acme" } },
  issue: { number: 3 },
  comment: { id: 4, body: "/baton status", user: { id: 5, login: "alice", type: "User" } },
});

let database: Database;
let server: Server;
let url: string;
let store: Pick<Store, "insertDelivery">;
let secrets: string[];
let bodyDeadlineMs: number;

beforeEach(async () => {
  const clock = new ManualClock();
  database = openMemory({ clock, log: silentLog });
  store = database.store;
  secrets = [secret, previous];
  bodyDeadlineMs = 60_000;
  server = createServer((request, response) => {
    void deliver({ store, clock, log: silentLog, secrets, bodyDeadlineMs }, request, response);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await database.close();
});

const sign = (with_: string, text: string): string =>
  `sha256=${createHmac("sha256", with_).update(text).digest("hex")}`;

interface Sent {
  status: number;
  headers: IncomingHttpHeaders;
  body: { ok: boolean; code?: string; duplicate?: boolean };
}

const good = (text: string, with_ = secret): Record<string, string> => ({
  "content-type": "application/json",
  "x-github-delivery": "b0b5ea30-0000-4000-8000-000000000001",
  "x-github-event": "issue_comment",
  "x-github-hook-id": "42",
  "x-hub-signature-256": sign(with_, text),
});

const said = (text: string): object => {
  const { comment, ...rest } = JSON.parse(body) as { comment: object };
  return { ...rest, comment: { ...comment, body: text } };
};

/** `write` sends the body, or a part of it, or nothing. */
function send(
  headers: Record<string, string>,
  write: (outgoing: ReturnType<typeof httpRequest>) => void,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: "POST", headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => {
        const { statusCode = 0, headers: given } = response;
        outgoing.destroy();
        resolve({ status: statusCode, headers: given, body: JSON.parse(text) as Sent["body"] });
      });
    });
    outgoing.on("error", reject);
    write(outgoing);
  });
}

const whole = (headers: Record<string, string>, text: string) => send(headers, (outgoing) => outgoing.end(text));
const without = (headers: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
const kept = () => database.store.delivery("42", good(body)["x-github-delivery"] as string);

describe("a delivery that is taken", () => {
  it("is durable with its bytes when 202 is answered", async () => {
    const answer = await whole(good(body), body);
    expect(answer).toMatchObject({ status: 202, body: { ok: true, duplicate: false } });
    expect(await kept()).toMatchObject({ event: "issue_comment", action: "created", installationId: 7, payload: body });
  });

  it("is taken by the previous secret while it is being replaced, and no longer once that is gone", async () => {
    expect((await whole(good(body, previous), body)).status).toBe(202);
    secrets = [secret];
    expect((await whole(good(body, previous), body)).status).toBe(401);
  });

  it("a second time is 200 and no second row or job", async () => {
    const jobs: unknown[] = [];
    await database.queue.work("delivery", 1, async (job) => {
      jobs.push(job.data);
    });
    expect((await whole(good(body), body)).body).toEqual({ ok: true, duplicate: false });
    expect(await whole(good(body), body)).toMatchObject({ status: 200, body: { ok: true, duplicate: true } });
    await database.queue.stop(1_000);
    expect(jobs).toEqual([{ hook: "42", guid: good(body)["x-github-delivery"] }]);
  });

  it.each([
    ["an event that Baton ignores", "star", { action: "created" }],
    ["an edited comment", "issue_comment", { ...(JSON.parse(body) as object), action: "edited" }],
    ["a comment without a command", "issue_comment", said("I saw this as well, see `/baton` in the docs.")],
    ["a comment that quotes a command", "issue_comment", said("> /baton run\n\nWho wrote this?")],
    ["a push to another branch", "push", { ...(JSON.parse(body) as object), ref: "refs/heads/topic" }],
    [
      "a command without its author",
      "issue_comment",
      { ...(JSON.parse(body) as object), comment: { id: 4, body: "" } },
    ],
  ])("DL4: as %s has no job, and says why", async (_, event, payload) => {
    const jobs: unknown[] = [];
    await database.queue.work("delivery", 1, async (job) => void jobs.push(job.data));
    const text = JSON.stringify(payload);
    expect((await whole({ ...good(text), "x-github-event": event }, text)).status).toBe(202);
    expect(await kept()).toMatchObject({ state: "handled", payload: text });
    expect(JSON.parse((await kept())?.note ?? "")).toMatchObject({ kind: "ignored", reason: expect.any(String) });
    expect((await whole({ ...good(text), "x-github-event": event }, text)).status).toBe(200);
    await database.queue.stop(1_000);
    expect(jobs).toEqual([]);
  });

  it.each(["/baton status", "Hello\n\n/baton run", "@baton run", "@somebody status", "x".repeat(5_000)])(
    "DL4: as the comment %s has a job",
    async (text) => {
      const payload = JSON.stringify(said(text));
      await whole(good(payload), payload);
      expect(await kept()).toMatchObject({ state: "received" });
    },
  );

  it("DL4: as an event that rules of `triggers` may name has a job", async () => {
    const text = JSON.stringify({
      ...(JSON.parse(body) as object),
      action: "labeled",
      label: { name: "bug" },
      issue: {
        number: 3,
        title: "T",
        body: "",
        labels: [],
        user: { id: 5, login: "alice", type: "User" },
        updated_at: "2026-01-01T00:00:00Z",
      },
      sender: { id: 5, login: "alice", type: "User" },
    });
    await whole({ ...good(text), "x-github-event": "issues" }, text);
    expect(await kept()).toMatchObject({ state: "received" });
  });

  it("with the GUID of another hook is another delivery", async () => {
    await whole(good(body), body);
    expect((await whole({ ...good(body), "x-github-hook-id": "43" }, body)).status).toBe(202);
  });
});

const array = "[1,2]";
const noJson = "payload=%7B%7D";

describe("engine-ends-and-answers: the door", () => {
  it.each([
    ["no signature", without(good(body), "x-hub-signature-256")],
    ["an empty one", { ...good(body), "x-hub-signature-256": "" }],
    ["one of another kind", { ...good(body), "x-hub-signature-256": "sha1=0123" }],
  ])("refuses %s before it reads the body", async (_, headers) => {
    // The body never comes.
    const answer = await send({ ...headers, "content-length": "1000000" }, (outgoing) => outgoing.flushHeaders());
    expect([answer.status, answer.body.code]).toEqual([401, "BATON_SIGNATURE_INVALID"]);
  });

  it.each([
    [
      "an action with a zero byte",
      { action: "created\u0000", installation: { id: 7 } },
      { action: null, installationId: 7 },
    ],
    ["an action that is a book", { action: "x".repeat(10_000) }, { action: null, installationId: null }],
    [
      "an installation beyond all numbers",
      { action: "created", installation: { id: 1e300 } },
      { installationId: null },
    ],
    ["half an installation", { action: "created", installation: { id: 1.5 } }, { installationId: null }],
    ["an installation that is none", { action: "created", installation: null }, { installationId: null }],
  ])("keeps %s without asking a database to", async (_, payload, expected) => {
    const text = JSON.stringify(payload);
    expect((await whole(good(text), text)).status).toBe(202);
    expect(await kept()).toMatchObject({ ...expected, payload: text });
  });

  it("refuses bytes that are no UTF-8 although they are signed", async () => {
    const bytes = Buffer.concat([Buffer.from('{"action":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const signature = `sha256=${createHmac("sha256", secret).update(bytes).digest("hex")}`;
    const answer = await send({ ...good(""), "x-hub-signature-256": signature }, (outgoing) => outgoing.end(bytes));
    expect([answer.status, answer.body.code]).toEqual([401, "BATON_SIGNATURE_INVALID"]);
  });

  it("says nothing of the database when that fails", async () => {
    store = {
      ...store,
      insertDelivery: () => Promise.reject(new Error('duplicate key value violates "deliveries_pkey"')),
    };
    const answer = await whole(good(body), body);
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer.body)).not.toMatch(/duplicate|deliveries_pkey/);
  });
});

describe("a delivery that is refused", () => {
  it.each<[string, Record<string, string>, string, number, string]>([
    ["unsigned", without(good(body), "x-hub-signature-256"), body, 401, "BATON_SIGNATURE_INVALID"],
    ["signed by a stranger", good(body, "another"), body, 401, "BATON_SIGNATURE_INVALID"],
    ["signed for other bytes", good(`${body} `), body, 401, "BATON_SIGNATURE_INVALID"],
    [
      "signed by SHA-1 only",
      { ...without(good(body), "x-hub-signature-256"), "x-hub-signature": "sha1=0123" },
      body,
      401,
      "BATON_SIGNATURE_INVALID",
    ],
    ["signed by the empty secret", good(body, ""), body, 401, "BATON_SIGNATURE_INVALID"],
    [
      "no JSON, unsigned: not even looked at",
      { ...good(noJson), "x-hub-signature-256": "" },
      noJson,
      401,
      "BATON_SIGNATURE_INVALID",
    ],
    ["no JSON", good(noJson), noJson, 400, "BATON_PAYLOAD_INVALID"],
    ["a JSON array", good(array), array, 400, "BATON_PAYLOAD_INVALID"],
    ["empty", good(""), "", 401, "BATON_SIGNATURE_INVALID"],
    ["without a GUID", without(good(body), "x-github-delivery"), body, 400, "BATON_PAYLOAD_INVALID"],
    [
      "with a GUID of odd characters",
      { ...good(body), "x-github-delivery": "a/../b" },
      body,
      400,
      "BATON_PAYLOAD_INVALID",
    ],
    ["without an event", without(good(body), "x-github-event"), body, 400, "BATON_PAYLOAD_INVALID"],
  ])("%s", async (_name, headers, text, status, code) => {
    const answer = await whole(headers, text);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await kept()).toBeNull();
  });

  it("when no secret is set at all: it fails closed", async () => {
    secrets = [];
    expect((await whole(good(body, ""), body)).status).toBe(401);
    secrets = [""];
    expect((await whole(good(body, ""), body)).status).toBe(401);
  });

  it("too large by its own word: before a byte of it is read", async () => {
    const headers = { ...good(body), "content-length": `${limits.deliveryBytesMax + 1}` };
    const answer = await send(headers, (outgoing) => outgoing.flushHeaders());
    expect([answer.status, answer.body.code]).toEqual([413, "BATON_PAYLOAD_TOO_LARGE"]);
    expect(answer.headers.connection).toBe("close");
  });

  it("too large by what arrives, whatever it said", async () => {
    const chunk = Buffer.alloc(1_000_000, " ");
    const answer = await send({ ...good(body), "transfer-encoding": "chunked" }, (outgoing) => {
      let bytes = 0;
      const more = (): void => {
        while (bytes <= limits.deliveryBytesMax && !outgoing.destroyed) {
          bytes += chunk.length;
          if (!outgoing.write(chunk)) {
            outgoing.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    expect([answer.status, answer.body.code]).toEqual([413, "BATON_PAYLOAD_TOO_LARGE"]);
  });

  it("whose body never ends", async () => {
    bodyDeadlineMs = 100;
    const answer = await send({ ...good(body), "content-length": "1000" }, (outgoing) => outgoing.write("{"));
    expect([answer.status, answer.body.code]).toEqual([400, "BATON_PAYLOAD_INVALID"]);
    expect(answer.headers.connection).toBe("close");
  });

  it.each([
    ["that is down", new Error("connect ECONNREFUSED 127.0.0.1:5432")],
    ["that is broken in any other way", new TypeError("undefined is not a function")],
  ])("with 503 by a store %s, so that it is sent again", async (_name, thrown) => {
    store = { insertDelivery: () => Promise.reject(thrown) };
    const answer = await whole(good(body), body);
    expect([answer.status, answer.body.code]).toEqual([503, "BATON_DATABASE_UNAVAILABLE"]);
    store = database.store;
    expect((await whole(good(body), body)).status).toBe(202);
  });

  it("whose sender goes away within it is nothing, and the door stays open", async () => {
    const outgoing = httpRequest(url, { method: "POST", headers: { ...good(body), "content-length": "1000" } });
    outgoing.on("error", () => undefined);
    await new Promise((resolve) => outgoing.write("{", resolve));
    outgoing.destroy();
    expect((await whole(good(body), body)).status).toBe(202);
  });
});
