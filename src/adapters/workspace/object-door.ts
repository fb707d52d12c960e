/**
 * Where an agent's git gets older files from: `git fetch` over HTTP on this machine's loopback, for attempts whose repository was
 * fetched without blobs. Baton brings them from the remote with its own token; the agent has none.
 *
 * OD1 Each attempt has an address of its own that nobody can guess. It ends with the workspace.
 * OD2 It only gives, and only objects of that attempt's repository that the remote gave. Nothing can be pushed.
 * OD3 What one request may ask for is bounded.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Log } from "../../ports/log.ts";
import { git } from "./git-command.ts";

/** What stands behind an address. */
export interface Lender {
  /** The repository of what the remote gave, ready for one call. */
  gitDir(): Promise<string>;
  /** Brings these objects where they are missing. */
  bring(oids: readonly string[]): Promise<void>;
}

const bodyBytesMax = 4 * 1024 * 1024;
const wantsMax = 50_000;
const answerBytesMax = 512 * 1024 * 1024;

const service = {
  "uploadpack.allowAnySHA1InWant": "true",
  "uploadpack.allowFilter": "true",
  "transfer.hideRefs": "refs/baton",
};

export class ObjectDoor {
  readonly #log: Log;
  readonly #lenders = new Map<string, { name: string; lender: Lender }>();
  #server: Promise<{ server: Server; port: number }> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `name`: of the attempt. What its git gets as the address of its remote. */
  async open(name: string, lender: Lender): Promise<{ url: string; port: number }> {
    this.close(name);
    this.#server ??= this.#listen();
    const { port } = await this.#server;
    const secret = randomBytes(24).toString("hex");
    this.#lenders.set(secret, { name, lender });
    return { url: `http://127.0.0.1:${port}/${secret}`, port };
  }

  close(name: string): void {
    for (const [secret, entry] of this.#lenders) if (entry.name === name) this.#lenders.delete(secret);
  }

  async end(): Promise<void> {
    this.#lenders.clear();
    const listening = await this.#server;
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
    // It must not keep the process.
    server.unref();
    return { server, port: (server.address() as AddressInfo).port };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://door");
    const [, secret = "", ...rest] = pathname.split("/");
    const lender = this.#lenders.get(secret)?.lender;
    const asked = `${request.method} /${rest.join("/")}`;
    const isRefs = asked === "GET /info/refs" && searchParams.get("service") === "git-upload-pack";
    if (lender === undefined || (!isRefs && asked !== "POST /git-upload-pack")) {
      response.writeHead(lender === undefined ? 404 : 403).end();
      return;
    }
    const protocol = String(request.headers["git-protocol"] ?? "");
    const env = /^version=[0-2]$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {};
    const gitDir = await lender.gitDir();
    const common = { gitDir, env, config: service, outputBytesMax: answerBytesMax, timeoutMs: 600_000 };
    response.setHeader("cache-control", "no-cache");
    if (isRefs) {
      const { bytes } = await git(["upload-pack", "--stateless-rpc", "--advertise-refs", gitDir], common);
      response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
      response.end(Buffer.concat([Buffer.from("001e# service=git-upload-pack\n0000"), bytes]));
      return;
    }
    const body = await readBody(request);
    if (body === null) {
      response.writeHead(413).end();
      return;
    }
    const wants = wantsOf(body);
    if (wants.length > wantsMax) {
      response.writeHead(413).end();
      return;
    }
    await lender.bring(wants);
    const { bytes } = await git(["upload-pack", "--stateless-rpc", gitDir], { ...common, input: body });
    response.setHeader("content-type", "application/x-git-upload-pack-result");
    response.end(bytes);
  }
}

/** null: too much. */
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

/** The objects that a request of git's protocol wants, by its lines: `want <id> …`. */
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
