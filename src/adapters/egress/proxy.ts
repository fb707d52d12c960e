/**
 * The only way from a sandbox to the internet. It is an HTTP/1.1 proxy on a Unix socket that allows listed hosts only.
 *
 * Owns: connections, limits, refusals. Does not own: host lists (`policy/hosts.ts`), addresses (`destination.ts`).
 * EP1 Denied by default. An unclear or unlisted destination gets no connection. The proxy reports its name once.
 * EP2 After `close` no connection is left on either side.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BatonError } from "../../core/errors.ts";
import { type Endpoint, readEndpoint, readHostRule } from "../../policy/hosts.ts";
import { type Answer, answerOf, refuse, respond } from "./answers.ts";
import { Denials } from "./denials.ts";
import {
  type Allowed,
  allow,
  Destinations,
  type Dial,
  dialTcp,
  endpointName,
  type Lookup,
  lookupAll,
  type Refusal,
} from "./destination.ts";
import {
  connectProblem,
  frameProblem,
  type Judged,
  readAbsolute,
  readOrigin,
  upgradeProblem,
} from "./judge-request.ts";
import { exchange } from "./plain-http.ts";
import { alertDenied, join, takeHello } from "./tunnel.ts";

export interface EgressOptions {
  socketPath: string;
  /** Entries in the syntax of `policy/hosts.ts`. A bad entry is an error of the caller. */
  hosts: readonly string[];
  onDenied(name: string, reason: string): void;
  lookup?: Lookup;
  /** Tests redirect system ports to their own servers. */
  dial?: Dial;
}

const headerBytesMax = 64 * 1024;
const connectionsMax = 256;
const idleTimeoutMs = 5 * 60_000;
const headersTimeoutMs = 60_000;
const established = "HTTP/1.1 200 Connection Established\r\n\r\n";

export async function startEgressProxy(options: EgressOptions): Promise<{ close(): Promise<void> }> {
  const proxy = new EgressProxy(options);
  await proxy.listen(options.socketPath);
  return { close: () => proxy.close() };
}

class EgressProxy {
  private readonly rules;
  private readonly destinations: Destinations;
  private readonly denials: Denials;
  private readonly sockets = new Set<Socket>();
  /** Connections to servers, including those that are still opening. */
  private connections = 0;
  private readonly closing = new AbortController();
  private readonly server = this.httpServer((request, response) =>
    this.serve(request, response, readAbsolute(request)),
  );
  /** Plain HTTP inside a tunnel to port 80. This server never listens. */
  private readonly inner = this.httpServer((request, response) =>
    this.serve(request, response, readOrigin(request, this.tunnels.get(request.socket) ?? "")),
  );
  private readonly tunnels = new WeakMap<Socket, string>();

  constructor({ hosts, onDenied, lookup, dial }: EgressOptions) {
    this.rules = hosts.map((entry) => {
      const rule = readHostRule(entry);
      if (!rule.ok) throw new BatonError("BATON_INTERNAL", `The host list has a bad entry: ${rule.problem}.`);
      return rule.value;
    });
    this.destinations = new Destinations(this.rules, lookup ?? lookupAll, dial ?? dialTcp);
    this.denials = new Denials(onDenied);
    this.server.maxConnections = connectionsMax;
    this.server.on("connection", (socket: Socket) => this.watch(socket));
    this.server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.connect(request, socket, head).catch(() => socket.destroy());
    });
    // The proxy serves attempts. It does not keep a process running by itself.
    this.server.unref();
  }

  async listen(socketPath: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(socketPath, () => {
        this.server.off("error", reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await ended;
  }

  private httpServer(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
    const server = createServer(
      {
        maxHeaderSize: headerBytesMax,
        insecureHTTPParser: false,
        headersTimeout: headersTimeoutMs,
        // An upload may take any time, as long as bytes still flow.
        requestTimeout: 0,
        keepAliveTimeout: idleTimeoutMs,
      },
      (request, response) => {
        handle(request, response).catch(() => response.destroy());
      },
    );
    server.timeout = idleTimeoutMs;
    server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
      const target = /^\S{1,10} ([^\r\n]+?)(?: HTTP\/|\r|\n)/.exec(error.rawPacket?.toString("latin1") ?? "")?.[1];
      if (target !== undefined && error.code === "HPE_INVALID_URL")
        this.denials.tell(target, "it is not a valid host name");
      refuse(socket as Socket, { status: 400, text: "Baton's sandbox proxy cannot read this request.\n" });
    });
    return server;
  }

  /** Both sides of every connection end with the proxy, or after a long time without data. */
  private watch(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
    if (this.closing.signal.aborted) socket.destroy();
  }

  private async serve(request: IncomingMessage, response: ServerResponse, judged: Judged): Promise<void> {
    const problem = frameProblem(request) ?? upgradeProblem(request);
    if (problem !== null)
      return respond(response, { status: 400, text: `Baton's sandbox refused this request: ${problem}.\n` });
    if (!judged.ok) return respond(response, this.told(judged.target, { kind: "denied", reason: judged.problem }));
    const allowed = allow(this.rules, judged.endpoint, 80);
    if ("kind" in allowed) return respond(response, this.told(nameOf(judged.endpoint, 80), allowed));
    const name = endpointName(allowed);
    const socket = await this.open(allowed);
    if ("kind" in socket) return respond(response, this.told(name, socket));
    if (response.destroyed) return void socket.destroy();
    const target = { socket, allowed, path: judged.path, signal: this.closing.signal };
    const problemOfServer = await exchange(request, response, target);
    if (problemOfServer !== null)
      respond(response, answerOf(name, { kind: "failed", reason: `no answer (${problemOfServer})` }));
  }

  private async connect(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    // Node's HTTP server no longer owns the socket.
    client.on("error", () => client.destroy());
    client.setTimeout(idleTimeoutMs);
    const target = request.url ?? "";
    const endpoint = readEndpoint(target);
    if (!endpoint.ok) return refuse(client, this.told(target, { kind: "denied", reason: endpoint.problem }));
    const problem = connectProblem(request, endpoint.value);
    if (problem !== null) return refuse(client, this.told(target, { kind: "denied", reason: problem }));
    const allowed = allow(this.rules, endpoint.value, 443);
    if ("kind" in allowed) return refuse(client, this.told(nameOf(endpoint.value, 443), allowed));
    if (allowed.port === 80 && !allowed.portListed) return this.serveTunnel(client, target, head);
    const server = await this.open(allowed);
    if ("kind" in server) return refuse(client, this.told(endpointName(allowed), server));
    if (client.destroyed) return void server.destroy();
    client.write(established);
    if (allowed.port !== 443) return join(client, server, head);
    const hello = await takeHello(client, head, allowed.host);
    if (hello.ok) return join(client, server, hello.bytes);
    server.destroy();
    if (hello.problem === null) return void client.destroy();
    this.denials.tell(endpointName(allowed), hello.problem);
    client.end(alertDenied);
    client.destroySoon();
  }

  /** The Host header of each request in the tunnel is judged, as it is without a tunnel. */
  private serveTunnel(client: Socket, target: string, head: Buffer): void {
    client.write(established);
    this.tunnels.set(client, target);
    if (head.length > 0) client.unshift(head);
    this.inner.emit("connection", client);
  }

  private told(name: string, refusal: Refusal): Answer {
    if (refusal.kind === "denied") this.denials.tell(name, refusal.reason);
    return answerOf(name, refusal);
  }

  private async open(allowed: Allowed): Promise<Socket | Refusal> {
    // A client can send many requests over one connection without waiting.
    if (this.connections >= connectionsMax) return { kind: "failed", reason: "too many connections at once" };
    this.connections += 1;
    const opened = await this.destinations.open(allowed, this.closing.signal);
    if ("kind" in opened) {
      this.connections -= 1;
      return opened;
    }
    opened.once("close", () => {
      this.connections -= 1;
    });
    this.watch(opened);
    return opened;
  }
}

const nameOf = ({ host, port }: Endpoint, defaultPort: number): string =>
  endpointName({ host, port: port ?? defaultPort });
