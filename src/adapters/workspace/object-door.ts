/**
 * Serves older files to an agent's git, by `git fetch` over HTTP on this machine's loopback. For attempts whose
 * repository was fetched without blobs. Baton fetches them from the remote with its own token. The agent has no token.
 *
 * OD1 Each attempt has an address of its own that nobody can guess. It ends with the workspace.
 * OD2 The door only gives objects of that attempt's repository that came from the remote. Nothing can be pushed.
 * OD3 The size of one request is bounded. So is the number of simultaneous requests, per attempt and in total.
 * OD4 Open requests of an attempt end with its address.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Log } from "../../ports/log.ts";
import { Slots } from "../system/slots.ts";
import { git } from "./git-command.ts";

/** The source of objects behind an address. */
export interface Lender {
  /** The repository of the remote's objects, ready for one call. */
  gitDir(): Promise<string>;
  /** Fetches these objects where they are missing. */
  bring(oids: readonly string[]): Promise<void>;
}

const bodyBytesMax = 4 * 1024 * 1024;
const wantsMax = 50_000;
const answerBytesMax = 512 * 1024 * 1024;
const servedAtOnceMax = 4;
const servedOfAttemptMax = 2;
/** Per attempt, including waiting requests. */
const requestsOfAttemptMax = 32;

interface Entry {
  name: string;
  lender: Lender;
  slots: Slots;
  requests: number;
  ending: AbortController;
}

const service = {
  "uploadpack.allowAnySHA1InWant": "true",
  "uploadpack.allowFilter": "true",
  "transfer.hideRefs": "refs/baton",
};

export class ObjectDoor {
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  readonly #slots = new Slots(servedAtOnceMax);
  #server: Promise<{ server: Server; port: number }> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `name`: the attempt's name. Returns the address of the remote for the attempt's git. */
  async open(name: string, lender: Lender): Promise<{ url: string; port: number }> {
    this.close(name);
    if (this.#server === null) {
      this.#server = this.#listen();
      // The next attempt tries again.
      this.#server.catch(() => (this.#server = null));
    }
    const { port } = await this.#server;
    const secret = randomBytes(24).toString("hex");
    const slots = new Slots(servedOfAttemptMax);
    this.#entries.set(secret, { name, lender, slots, requests: 0, ending: new AbortController() });
    return { url: `http://127.0.0.1:${port}/${secret}`, port };
  }

  close(name: string): void {
    for (const [secret, entry] of this.#entries) {
      if (entry.name !== name) continue;
      this.#entries.delete(secret);
      entry.ending.abort();
    }
  }

  async end(): Promise<void> {
    for (const { ending } of this.#entries.values()) ending.abort();
    this.#entries.clear();
    const listening = await this.#server?.catch(() => null);
    this.#server = null;
    listening?.server.closeAllConnections();
    listening?.server.close();
  }

  async #listen(): Promise<{ server: Server; port: number }> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#log.warn("An agent's git could not be given older files", { error });
        if (!response.headersSent) response.writeHead(502);
        response.end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // The server must not keep the process running.
    server.unref();
    return { server, port: (server.address() as AddressInfo).port };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://door");
    const [, secret = "", ...rest] = pathname.split("/");
    const entry = this.#entries.get(secret);
    const asked = `${request.method} /${rest.join("/")}`;
    const isRefs = asked === "GET /info/refs" && searchParams.get("service") === "git-upload-pack";
    if (entry === undefined || (!isRefs && asked !== "POST /git-upload-pack")) {
      response.writeHead(entry === undefined ? 404 : 403).end();
      return;
    }
    if (entry.requests >= requestsOfAttemptMax) {
      response.writeHead(503).end();
      return;
    }
    // The caller may have disconnected.
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const signal = AbortSignal.any([entry.ending.signal, gone.signal]);
    entry.requests += 1;
    try {
      await entry.slots.use(() => this.#serve(entry.lender, isRefs, signal, request, response));
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      response.destroy();
    } finally {
      entry.requests -= 1;
    }
  }

  async #serve(
    lender: Lender,
    isRefs: boolean,
    signal: AbortSignal,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    signal.throwIfAborted();
    const protocol = String(request.headers["git-protocol"] ?? "");
    const env = /^version=[0-2]$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {};
    // Read before the request gets one of the shared slots. A slow sender occupies only its own slot.
    const body = isRefs ? Buffer.alloc(0) : await readBody(request);
    const wants = body === null ? [] : wantsOf(body);
    if (body === null || wants.length > wantsMax) {
      response.writeHead(413).end();
      return;
    }
    const bytes = await this.#slots.use(async () => {
      signal.throwIfAborted();
      const gitDir = await lender.gitDir();
      const options = { gitDir, env, config: service, outputBytesMax: answerBytesMax, timeoutMs: 600_000, signal };
      if (isRefs) return (await git(["upload-pack", "--stateless-rpc", "--advertise-refs", gitDir], options)).bytes;
      await lender.bring(wants);
      return (await git(["upload-pack", "--stateless-rpc", gitDir], { ...options, input: body })).bytes;
    });
    response.setHeader("cache-control", "no-cache");
    response.setHeader("content-type", `application/x-git-upload-pack-${isRefs ? "advertisement" : "result"}`);
    response.end(isRefs ? Buffer.concat([Buffer.from("001e# service=git-upload-pack\n0000"), bytes]) : bytes);
  }
}

/** Null: too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers["content-encoding"] !== "gzip") return body;
  try {
    return gunzipSync(body, { maxOutputLength: bodyBytesMax });
  } catch {
    return null;
  }
}

/** The objects that a request of git's protocol wants, from its `want <id> …` lines. */
export function wantsOf(body: Buffer): string[] {
  const wants = new Set<string>();
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    if (!Number.isInteger(length) || (length > 2 && length < 4)) break;
    if (length > 4) {
      const want = /^want ([0-9a-f]{40,64})\b/.exec(body.toString("latin1", at + 4, at + Math.min(length, 80)))?.[1];
      if (want !== undefined) wants.add(want);
    }
    at += length < 4 ? 4 : length;
  }
  return [...wants];
}
