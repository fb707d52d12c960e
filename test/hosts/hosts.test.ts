/**
 * Baton in its three hosts, each in its own process: `npm start`, `probot run`, and a Node server that mounts it. All share
 * one table, because the door's promises do not depend on its host.
 */
import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseTemplate } from "../../packages/local-github/demo/world.ts";
import { webhookPath } from "../../src/app/door.ts";
import { limits } from "../../src/core/limits.ts";
import { freePort } from "../free-port.ts";
import { shortLived } from "../short-lived.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const root = at("../..");
const probotProgram = join(root, "node_modules/probot/bin/probot.js");
const runByProbot = (app: string): string[] => [probotProgram, "run", app];

interface HostKind {
  name: string;
  args: string[];
  /** The process ends with its own code, not by the signal. */
  exit: { exitCode: number | undefined; signal: string | undefined };
  /** The server is Probot's, and Baton bounds its heads. */
  boundsHeads: boolean;
}
const own = { exitCode: 0, signal: undefined };
const hosts: HostKind[] = [
  { name: "npm start", args: [at("../../src/app/main.ts")], exit: own, boundsHeads: true },
  { name: "probot run", args: runByProbot(at("../../src/app/probot-app.ts")), exit: own, boundsHeads: true },
  {
    name: "a Node server with the middleware",
    args: [at("middleware-process.ts")],
    exit: { exitCode: undefined, signal: "SIGTERM" },
    boundsHeads: false,
  },
];

const secret = `hook-${randomUUID()}`;
const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();

let directory: string;
let living: Started[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-host-"));
  living = [];
  const template = process.env[databaseTemplate];
  if (template !== undefined) cpSync(template, join(directory, "data"), { recursive: true });
});
afterEach(async () => {
  await Promise.all(living.map(({ kill }) => kill()));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  url: string;
  pid: number;
  printed(): string;
  prints(text: RegExp): Promise<void>;
  ended: Promise<{ exitCode?: number; signal?: string }>;
  kill(signal?: NodeJS.Signals): Promise<{ exitCode?: number; signal?: string }>;
}

/** `announces`: the line that it prints with its address after its start. */
async function start(
  args: string[],
  environment: Record<string, string> = {},
  announces: RegExp = /(?:"url":"|host at )(http:[^"\s]+)/,
): Promise<Started> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    APP_ID: "1",
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: secret,
    GITHUB_API_URL: "http://127.0.0.1:9",
    BATON_DATA: join(directory, "data"),
    BATON_PUBLIC_URL: "https://baton.example",
    // Probot does not accept 0 as a port.
    PORT: `${await freePort()}`,
    HOST: "127.0.0.1",
    LOG_FORMAT: "json",
    LOG_LEVEL: "info",
    NODE_OPTIONS: `--import=${at("hold-process.ts")}`,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(directory, "compiled"),
    ...environment,
  };
  const child = execa(process.execPath, [...shortLived, ...args], {
    cwd: directory,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
  let printed = "";
  child.all.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
  });
  const prints = async (text: RegExp): Promise<void> => {
    while (!text.test(printed))
      await Promise.race([once(child.all, "data"), child.then(() => Promise.reject(new Error(printed)))]);
  };
  const ended = child.then(({ exitCode, signal }) => ({
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  }));
  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    child.kill(signal);
    return ended;
  };
  const started = { url: "", pid: child.pid as number, printed: () => printed, prints, ended, kill };
  living.push(started);
  await prints(announces);
  return { ...started, url: announces.exec(printed)?.[1] ?? "" };
}

interface Answer {
  status: number;
  body: string;
}

interface Sent {
  path?: string;
  headers?: Record<string, string>;
  /** null: only the head, and nothing after it. */
  body: string | null;
}

/** Resolves with null if the connection ends without an answer. */
function send(url: string, { path = webhookPath, headers = {}, body }: Sent): Promise<Answer | null> {
  return new Promise((resolve) => {
    const outgoing = httpRequest(`${url}${path}`, { method: "POST", headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => {
        outgoing.destroy();
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    outgoing.on("error", () => resolve(null));
    if (body === null) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}

const payload = JSON.stringify({ action: "created", installation: { id: 7 } });
const signed = (guid: string, body = payload): Record<string, string> => ({
  "content-type": "application/json",
  "x-github-delivery": guid,
  "x-github-event": "label",
  "x-github-hook-id": "42",
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});
const deliver = (url: string, guid: string, path = webhookPath) =>
  send(url, { path, headers: signed(guid), body: payload });
const isTaken = { status: 202, body: JSON.stringify({ ok: true, duplicate: false }) };
const isKnown = { status: 200, body: JSON.stringify({ ok: true, duplicate: true }) };

describe.each(hosts)("$name", ({ args, exit, boundsHeads }) => {
  it("has one door: deliveries, health and effects, with its bounds; shows no secret; ends in order", async () => {
    const host = await start(args, { HOST_LIMITS: JSON.stringify({ requestHeadMs: 2_000 }) });
    const { url } = host;
    expect(await deliver(url, "guid-1")).toEqual(isTaken);
    expect(await deliver(url, "guid-1")).toEqual(isKnown);
    expect(await deliver(url, "guid-2", "/")).toEqual(isTaken);
    // Refused before a byte of the body, so the test sends none.
    const unsigned = { "x-github-event": "label", "content-length": "1000000" };
    expect(await send(url, { headers: unsigned, body: null })).toMatchObject({ status: 401 });
    const large = { ...signed("guid-3"), "content-length": `${limits.deliveryBytesMax + 1}` };
    expect(await send(url, { headers: large, body: null })).toMatchObject({ status: 413 });
    const health = await fetch(`${url}/health`);
    expect(await health.json()).toMatchObject({ ok: true, activeRuns: 0 });
    const token = `eyJ${"a".repeat(40)}.eyJ${"b".repeat(40)}.${"c".repeat(40)}`;
    const effect = { path: "/api/v1/effects/r/e/1/claim", headers: { authorization: `Bearer ${token}` }, body: "{}" };
    expect(await send(url, effect)).toMatchObject({
      status: 401,
      body: expect.stringContaining("BATON_WORKER_REFUSED"),
    });
    const other = await send(url, { path: "/of-the-host", body: "" });
    expect(other).toMatchObject(boundsHeads ? { status: 404 } : { status: 200, body: "the host's own POST; kept" });
    if (boundsHeads) {
      const slow = connect({ port: Number(new URL(url).port), host: "127.0.0.1" });
      slow.write(`POST ${webhookPath} HTTP/1.1\r\nHost: b`);
      const [said] = (await once(slow, "data")) as [Buffer];
      expect(said.toString()).toContain("408");
      slow.destroy();
    } else {
      // A POST to the root of another server is not Baton's, unless GitHub sends it.
      expect(await send(url, { path: "/", body: "" })).toMatchObject({ body: "the host's own POST; kept" });
    }
    const environ = existsSync("/proc/self/environ") ? readFileSync(`/proc/${host.pid}/environ`, "latin1") : "";
    for (const shown of [environ, host.printed()]) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(privateKey.split("\n")[3]);
      expect(shown).not.toContain(token);
    }
    expect(await host.kill("SIGTERM")).toEqual(JSON.parse(JSON.stringify(exit)));
    expect(host.printed()).toContain("Baton stops");
  });

  it("keeps its word through a kill on either side of the insert: what was answered 2xx is there", async () => {
    const held = async (moment: string): Promise<void> => {
      const host = await start(args, { HOST_HOLD: moment });
      let answer: Answer | null = null;
      const sending = deliver(host.url, "guid-1").then((said) => {
        answer = said;
      });
      await host.prints(new RegExp(`holding ${moment}`));
      await host.kill("SIGKILL");
      await sending;
      expect(answer).toBeNull();
    };
    await held("before");
    // Baton kept and promised nothing, so the delivery is new.
    await held("after");
    // Baton kept the delivery, although nobody got an answer.
    const host = await start(args);
    expect(await deliver(host.url, "guid-1")).toEqual(isKnown);
    expect(await deliver(host.url, "guid-2")).toEqual(isTaken);
    await host.kill("SIGKILL");
    const next = await start(args);
    expect(await deliver(next.url, "guid-2")).toEqual(isKnown);
  });

  it("answers a delivery that waits for a slow store when it is there, also while it ends, and takes no other", async () => {
    const host = await start(args, { HOST_HOLD: "before", HOST_LIMITS: JSON.stringify({ requestsEndMs: 120_000 }) });
    let answered = false;
    const answer = deliver(host.url, "guid-1").finally(() => {
      answered = true;
    });
    await host.prints(/holding before/);
    // Probot's own middleware answers after 9 s, whether or not the delivery is kept. One case waits for it, under its own
    // command.
    if (args[0] === probotProgram) await pause(9_500);
    expect(answered).toBe(false);
    process.kill(host.pid, "SIGTERM");
    await host.prints(/Baton stops/);
    const refused = await deliver(host.url, "guid-2");
    expect(refused === null || refused.status === 503).toBe(true);
    process.kill(host.pid, "SIGUSR2");
    // Without an answer, the host ended: its own words say why.
    expect(await answer, host.printed()).toEqual(isTaken);
    expect(await host.ended).toEqual(JSON.parse(JSON.stringify(exit)));
  });
});

it("Probot's own createNodeMiddleware mounts it as any application, at its path as well", async () => {
  const host = await start([at("middleware-process.ts"), "plain"]);
  expect(await deliver(host.url, "guid-1")).toEqual(isTaken);
  expect(await deliver(host.url, "guid-1", "/hooks")).toEqual(isKnown);
  expect(await send(host.url, { path: "/of-the-host", body: "" })).toMatchObject({ body: "the host's own POST; kept" });
  expect(await host.kill("SIGTERM")).toEqual({ signal: "SIGTERM" });
});

describe("probot run", () => {
  it.each(["probot", "another handler"])(
    "refuses to start where %s answers deliveries in Baton's place",
    async (usurper) => {
      const host = await start(
        runByProbot(at("usurper-process.ts")),
        { HOST_USURPER: usurper },
        /BATON_DOOR_TAKEN: .*answers deliveries/,
      );
      expect(await host.ended).toEqual({ exitCode: 1 });
      expect(host.printed()).toContain("WEBHOOK_PATH");
    },
  );

  it.each<[string, Record<string, string>, RegExp]>([
    ["a setting that is wrong", { BATON_SANDBOX: "perhaps" }, /BATON_SETTINGS_INVALID: BATON_SANDBOX is "perhaps"/],
    ["a place of its data that is a file", { BATON_DATA: probotProgram }, /BATON_SETTINGS_INVALID: BATON_DATA is/],
  ])("says %s in words, and ends", async (_, environment, told) => {
    const host = await start(runByProbot(at("../../src/app/probot-app.ts")), environment, told);
    expect(await host.ended).toEqual({ exitCode: 1 });
  });
});
