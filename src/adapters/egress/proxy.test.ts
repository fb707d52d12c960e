import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TlsOptions,
} from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { startEgressProxy } from "./proxy.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const publicAddress = "93.184.215.14";

interface World {
  socketPath: string;
  denied: { name: string; reason: string }[];
  looked: string[];
  dialed: string[];
  close(): Promise<void>;
}

/** A proxy for `hosts`. Names resolve to `addresses`. Every connection ends at `server` on loopback. */
async function proxyFor(
  hosts: readonly string[],
  { addresses = {}, server }: { addresses?: Record<string, string[]>; server?: Server } = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "egress-"));
  const socketPath = join(folder, "proxy.sock");
  const world: World = { socketPath, denied: [], looked: [], dialed: [], close: async () => {} };
  const proxy = await startEgressProxy({
    socketPath,
    hosts,
    onDenied: (name, reason) => world.denied.push({ name, reason }),
    lookup: async (host) => {
      world.looked.push(host);
      const found = addresses[host] ?? [publicAddress];
      if (found.length === 0) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
      return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
    dial: (address, port) => {
      world.dialed.push(`${address} ${port}`);
      return connect({ host: "127.0.0.1", port: portOf(server), allowHalfOpen: true });
    },
  });
  world.close = () => proxy.close();
  cleanups.push(async () => {
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  });
  return world;
}

const portOf = (server: Server | undefined): number => (server?.address() as AddressInfo | undefined)?.port ?? 1;

async function listening<T extends Server>(server: T): Promise<T> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

async function webServer(answer?: RequestListener): Promise<{ server: Server; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createHttpServer((request, response) => {
    text(request).then(
      (body) => {
        seen.push({ method: request.method, url: request.url, headers: request.headers, body });
        if (answer !== undefined) return answer(request, response);
        response.writeHead(200, { "content-type": "text/plain", "keep-alive": "timeout=9", "x-kept": "yes" });
        response.end("hello");
      },
      () => response.destroy(),
    );
  });
  return { server: await listening(server), seen };
}

/** Sends bytes and reads until the proxy closes, or until the answer contains `until`. */
async function send(world: World, bytes: string | Buffer, until?: string): Promise<string> {
  const socket = connect(world.socketPath);
  socket.write(bytes);
  let got = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    got += chunk.toString("latin1");
    if (until !== undefined && got.includes(until)) break;
  }
  return got;
}

const get = (url: string, host: string, more = ""): string =>
  `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
const connectLine = (target: string, more = `Host: ${target}\r\n`): string =>
  `CONNECT ${target} HTTP/1.1\r\n${more}\r\n`;
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe("plain HTTP", () => {
  test("a listed host answers; headers of one connection stay behind", async () => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test"], { server });
    const extra =
      "Proxy-Authorization: Basic eDp5\r\nX-Secret: 1\r\nTE: trailers\r\nConnection: x-secret\r\nX-Kept: 2\r\n";
    const answer = await send(world, get("http://registry.test/a?b=c", "registry.test", extra));
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain("hello");
    expect(answer).toContain("x-kept: yes");
    expect(answer).not.toContain("timeout=9");
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: "GET", url: "/a?b=c" });
    expect(seen[0]?.headers).toEqual({ host: "registry.test", "x-kept": "2", connection: "close" });
    expect(world.dialed).toEqual([`${publicAddress} 80`]);
    expect(world.denied).toEqual([]);
  });

  test.each([
    ["a length", "Content-Length: 5\r\n\r\nhello", "hello"],
    ["chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"],
    ["nothing", "\r\n", ""],
  ])("a body with %s arrives whole", async (_, rest, body) => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test"], { server });
    const head = "POST http://registry.test/ HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n";
    expect(statusOf(await send(world, head + rest))).toBe(200);
    expect(seen[0]).toMatchObject({ method: "POST", url: "/", body });
  });

  test("one connection to the proxy asks several hosts; each request is judged", async () => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["one.test", "two.test"], { server });
    const keep = (host: string): string => `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const answer = await send(world, keep("one.test") + keep("two.test") + keep("three.test"));
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(seen.map(({ headers }) => headers.host)).toEqual(["one.test", "two.test"]);
    expect(world.denied.map(({ name }) => name)).toEqual(["three.test"]);
  });

  test("a redirect is the client's: its target is judged as any other", async () => {
    const { server } = await webServer((_, response) => {
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
    });
    const world = await proxyFor(["registry.test"], { server });
    const answer = await send(world, get("http://registry.test/", "registry.test"));
    expect(statusOf(answer)).toBe(302);
    const next = /location: (\S+)/i.exec(answer)?.[1] ?? "";
    expect(statusOf(await send(world, get(next, "169.254.169.254")))).toBe(403);
    expect(world.dialed).toHaveLength(1);
  });

  test.each([
    ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n"],
    ["equal lengths twice", "Content-Length: 0\r\nContent-Length: 0\r\n"],
    ["length and encoding", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"],
    ["an unknown encoding", "Transfer-Encoding: xchunked\r\n"],
    ["two encodings", "Transfer-Encoding: gzip, chunked\r\n"],
    ["an encoding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"],
    ["a folded header", "X-One: a\r\n b\r\n"],
    ["a space before the colon", "Content-Length : 0\r\n"],
    ["a bare line feed", "X-One: a\nX-Two: b\r\n"],
    ["a null byte", "X-One: a\0b\r\n"],
    ["a length that is not a number", "Content-Length: 0x1\r\n"],
    ["a signed length", "Content-Length: +1\r\n"],
    ["a dropped length", "Connection: content-length\r\nContent-Length: 5\r\n"],
    ["a dropped host", "Connection: host\r\n"],
    ["a switch of protocol", "Connection: upgrade\r\nUpgrade: websocket\r\n"],
    ["a switch to HTTP/2", "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\n"],
  ])("a request that two servers could read differently is refused: %s", async (_, header) => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test"], { server });
    const head = `POST http://registry.test/ HTTP/1.1\r\nHost: registry.test\r\n${header}\r\n0\r\n\r\n`;
    expect(statusOf(await send(world, head))).toBe(400);
    expect(seen).toEqual([]);
    expect(world.dialed).toEqual([]);
  });

  test.each([
    ["another host", "Host: other.test\r\n"],
    ["another port", "Host: registry.test:81\r\n"],
    ["two hosts", "Host: registry.test\r\nHost: registry.test\r\n"],
    ["a host with a user", "Host: a@registry.test\r\n"],
    ["an empty host", "Host: \r\n"],
  ])("a Host header that disagrees with the target is refused: %s", async (_, header) => {
    const { server } = await webServer();
    const world = await proxyFor(["registry.test", "other.test"], { server });
    const answer = await send(world, `GET http://registry.test/ HTTP/1.1\r\n${header}Connection: close\r\n\r\n`);
    expect([400, 403]).toContain(statusOf(answer));
    expect(world.dialed).toEqual([]);
  });

  test.each([
    ["/relative", "registry.test"],
    ["https://registry.test/", "registry.test"],
    ["ftp://registry.test/", "registry.test"],
    ["http:registry.test/", "registry.test"],
    ["http:///registry.test/", "registry.test"],
    ["http://registry.test@evil.test/", "registry.test"],
    ["http://evil.test#@registry.test/", "registry.test"],
    ["http://evil.test\\@registry.test/", "registry.test"],
    ["http://registry.test%00.evil.test/", "registry.test"],
  ])("a target that is not an address of a listed host is refused: %s", async (target, host) => {
    const { server } = await webServer();
    const world = await proxyFor(["registry.test"], { server });
    expect([400, 403]).toContain(statusOf(await send(world, get(target, host))));
    expect(world.dialed).toEqual([]);
  });

  test("headers above 64 KB are refused", async () => {
    const world = await proxyFor(["registry.test"]);
    const answer = await send(
      world,
      get("http://registry.test/", "registry.test", `X-Long: ${"a".repeat(70_000)}\r\n`),
    );
    expect(statusOf(answer)).toBe(400);
  });
});

describe("refusals", () => {
  test("the answer names the host and the setting; the name is told once", async () => {
    const world = await proxyFor(["registry.test"]);
    for (let round = 0; round < 3; round++) {
      for (const answer of [
        await send(world, get("http://evil.test/", "evil.test")),
        await send(world, connectLine("evil.test:443")),
        await send(world, connectLine("EVIL.test.:443")),
      ]) {
        expect(statusOf(answer)).toBe(403);
        expect(answer).toContain("does not allow evil.test: the host is not listed");
        expect(answer).toContain("`sandbox.network` in `baton.yaml`");
      }
    }
    expect(world.denied).toEqual([{ name: "evil.test", reason: "the host is not listed" }]);
    expect(world.looked).toEqual([]);
  });

  test("a listed host with another port says so", async () => {
    const world = await proxyFor(["registry.test:8443", "other.test"]);
    expect(await send(world, connectLine("registry.test:443"))).toContain("port 443 of this host is not listed");
    expect(await send(world, connectLine("other.test:22"))).toContain("port 22 of this host is not listed");
    expect(world.denied.map(({ name }) => name)).toEqual(["registry.test", "other.test:22"]);
  });

  test("names that an agent makes up do not fill memory or the thread", async () => {
    const world = await proxyFor([]);
    const line = (index: number): string => `GET http://n${index}.test/ HTTP/1.1\r\nHost: n${index}.test\r\n\r\n`;
    for (let index = 0; index < 300; index++) await send(world, line(index));
    await send(world, connectLine(`${"a".repeat(9_000)}:443`));
    expect(world.denied).toHaveLength(200);
    expect(world.denied.every(({ name }) => name.length <= 255)).toBe(true);
  });

  test.each([
    ["a long name", `${"a".repeat(9_000)}:443`],
    ["an escape sequence", "evil.test\x1b[31m:443"],
    ["a null byte", "registry.test\0.evil.test:443"],
    ["bytes that are not text", "\xff\xfe.test:443"],
  ])("a name with %s is told clean and short", async (_, target) => {
    const world = await proxyFor(["registry.test"]);
    expect([400, 403]).toContain(statusOf(await send(world, Buffer.from(connectLine(target), "latin1"))));
    expect(world.denied).toHaveLength(1);
    expect(world.denied[0]?.name).toMatch(/^[\x21-\x7e]{1,255}$/);
  });

  test.each([
    ["upper case and a dot", "REGISTRY.test.:443", 200],
    ["two dots", "registry.test..:443", 403],
    ["a null byte", "registry.test\0:443", 400],
    ["a null byte in the middle", "evil.test\0registry.test:443", 400],
    ["an escaped null byte", "evil.test%00registry.test:443", 403],
    ["a user", "registry.test@evil.test:443", 403],
    ["no port", "registry.test", 403],
    ["port 0", "registry.test:0", 403],
    ["a port out of range", "registry.test:65979", 403],
    ["a port with a sign", "registry.test:+443", 403],
    ["two ports", "registry.test:443:443", 403],
    ["another label", "registry.test.evil.test:443", 403],
    ["a longer name", "evilregistry.test:443", 403],
    ["an escaped letter", "%72egistry.test:443", 403],
    ["a mapped address", "[::ffff:127.0.0.1]:443", 403],
    ["an address in hexadecimal", "0x7f.0.0.1:443", 403],
    ["an address as one number", "2130706433:443", 403],
    ["an address in octal", "0177.0.0.1:443", 403],
    ["a short address", "127.1:443", 403],
    ["a page", "http://registry.test:443", 403],
  ])("CONNECT with %s", async (_, target, status) => {
    const { server } = await webServer();
    const world = await proxyFor(["registry.test", "127.0.0.1"], { server });
    const answer = await send(world, connectLine(target, ""), "\r\n\r\n");
    expect(statusOf(answer)).toBe(status);
    expect(world.dialed).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe("addresses", () => {
  const reserved = [
    ["127.0.0.1", "loopback"],
    ["10.1.2.3", "private"],
    ["172.31.0.1", "private"],
    ["192.168.1.1", "private"],
    ["169.254.169.254", "link-local"],
    ["100.100.100.200", "shared by a carrier"],
    ["168.63.129.16", "metadata"],
    ["0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["::1", "loopback"],
    ["::", "unspecified"],
    ["fd00:ec2::254", "private"],
    ["fe80::1", "link-local"],
    ["ff02::1", "multicast"],
    ["::ffff:10.0.0.1", "IPv4"],
    ["64:ff9b::7f00:1", "loopback"],
    ["64:ff9b::a9fe:a9fe", "link-local"],
    ["2002:7f00:1::", "6to4"],
  ] as const;

  test.each(reserved)("a listed name that resolves to %s is refused", async (address, why) => {
    const world = await proxyFor(["registry.test"], { addresses: { "registry.test": [address] } });
    const answer = await send(world, connectLine("registry.test:443"));
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain(why);
    expect(world.dialed).toEqual([]);
    expect(world.denied).toHaveLength(1);
  });

  test("one private address among public ones refuses the name", async () => {
    const world = await proxyFor(["registry.test"], { addresses: { "registry.test": [publicAddress, "10.0.0.1"] } });
    expect(statusOf(await send(world, connectLine("registry.test:443")))).toBe(403);
  });

  test("an address that the list has, with its port, may be private", async () => {
    const { server } = await webServer();
    const world = await proxyFor(["registry.test:8080", "10.0.0.1:8080", "other.test:8081"], {
      server,
      addresses: { "registry.test": ["10.0.0.1"], "other.test": ["10.0.0.1"] },
    });
    expect(statusOf(await send(world, get("http://registry.test:8080/", "registry.test:8080")))).toBe(200);
    expect(statusOf(await send(world, get("http://10.0.0.1:8080/", "10.0.0.1:8080")))).toBe(200);
    expect(statusOf(await send(world, get("http://10.0.0.2:8080/", "10.0.0.2:8080")))).toBe(403);
    expect(statusOf(await send(world, get("http://other.test:8081/", "other.test:8081")))).toBe(403);
    expect(world.dialed).toEqual(["10.0.0.1 8080", "10.0.0.1 8080"]);
  });

  test("rebinding: the address that was judged is the one that is connected to", async () => {
    const { server } = await webServer();
    const answers = [[publicAddress], ["127.0.0.1"]];
    const addresses = {
      get "registry.test"() {
        return answers.shift() ?? ["127.0.0.1"];
      },
    };
    const world = await proxyFor(["registry.test"], { server, addresses });
    expect(statusOf(await send(world, get("http://registry.test/", "registry.test")))).toBe(200);
    expect(world.looked).toEqual(["registry.test"]);
    expect(world.dialed).toEqual([`${publicAddress} 80`]);
    expect(statusOf(await send(world, get("http://registry.test/", "registry.test")))).toBe(403);
    expect(world.dialed).toHaveLength(1);
  });

  test("an unknown name and a server that does not listen are failures, not denials", async () => {
    const world = await proxyFor(["gone.test", "down.test"], { addresses: { "gone.test": [] } });
    expect(await send(world, connectLine("gone.test:443"))).toMatch(
      /^HTTP\/1\.1 502 .*could not be resolved \(ENOTFOUND\)/s,
    );
    expect(await send(world, connectLine("down.test:443"))).toMatch(
      /^HTTP\/1\.1 502 .*no connection \(ECONNREFUSED\)/s,
    );
    expect(world.denied).toEqual([]);
  });
});

/** TLS with a shared key: a whole handshake without a certificate. */
const psk = { ciphers: "PSK-AES128-CBC-SHA256", minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
const pskServer: TlsOptions = { ...psk, pskCallback: () => Buffer.alloc(16, 7) };
const pskClient: ConnectionOptions = {
  ...psk,
  pskCallback: () => ({ psk: Buffer.alloc(16, 7), identity: "agent" }),
  checkServerIdentity: () => undefined,
};

async function tunnelTo(world: World, target: string): Promise<Socket> {
  const socket = connect(world.socketPath);
  socket.write(connectLine(target));
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

describe("TLS", () => {
  test("passes to the host whose name it carries, and nothing is decrypted", async () => {
    const server = await listening(createTlsServer(pskServer, (socket) => socket.end("over TLS")));
    const world = await proxyFor(["registry.test"], { server });
    const socket = await tunnelTo(world, "registry.test:443");
    const secure = connectTls({ ...pskClient, socket, servername: "registry.test" });
    expect(await text(secure)).toBe("over TLS");
    expect(world.denied).toEqual([]);
  });

  test.each([
    ["another server", "other.test", "its TLS names another server"],
    ["no server", undefined, "its TLS names no server"],
  ])("is refused when it names %s", async (_, servername, reason) => {
    let bytes = 0;
    const server = await listening(createTcpServer((socket) => socket.on("data", (chunk) => (bytes += chunk.length))));
    const world = await proxyFor(["registry.test", "other.test"], { server });
    const socket = await tunnelTo(world, "registry.test:443");
    const secure = connectTls({ ...pskClient, socket, ...(servername === undefined ? {} : { servername }) });
    const error = await new Promise<Error>((resolve) => secure.once("error", resolve));
    expect(error.message).toMatch(/access denied/i);
    expect(world.denied).toEqual([{ name: "registry.test", reason }]);
    expect(bytes).toBe(0);
  });

  test("to a port that is listed by number, any protocol passes", async () => {
    const server = await listening(createTcpServer((socket) => socket.end("SSH-2.0-test\r\n")));
    const world = await proxyFor(["git.test:22"], { server });
    expect(await send(world, connectLine("git.test:22"))).toContain("SSH-2.0-test");
  });

  test("what is not TLS does not pass to 443", async () => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test"], { server });
    await send(world, connectLine("registry.test:443") + get("/", "other.test"));
    expect(seen).toEqual([]);
    expect(world.denied).toEqual([{ name: "registry.test", reason: "the connection does not begin with TLS" }]);
  });
});

describe("tunnels to port 80", () => {
  test("each request inside is judged by its Host header", async () => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test", "other.test"], { server });
    const inside = (host: string): string => `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const answer = await send(world, connectLine("registry.test:80") + inside("registry.test") + inside("other.test"));
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(seen.map(({ url, headers }) => [url, headers.host])).toEqual([["/x", "registry.test"]]);
  });

  test.each([
    ["an upgrade", "GET / HTTP/1.1\r\nHost: registry.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["another tunnel", connectLine("other.test:22")],
    ["an absolute target", get("http://other.test/", "other.test")],
    ["no HTTP", "SSH-2.0-test\r\n\r\n"],
  ])("%s inside does not pass", async (_, inside) => {
    const { server, seen } = await webServer();
    const world = await proxyFor(["registry.test", "other.test"], { server });
    const answer = await send(world, connectLine("registry.test:80") + inside);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)?.slice(1)).not.toContain("HTTP/1.1 200");
    expect(seen).toEqual([]);
    expect(world.dialed).toEqual([]);
  });

  test("a port 80 that is listed by number passes bytes", async () => {
    const server = await listening(createTcpServer((socket) => socket.end("raw")));
    const world = await proxyFor(["registry.test:80"], { server });
    expect(await send(world, connectLine("registry.test:80"))).toContain("raw");
  });
});

describe("limits", () => {
  test("close ends every connection, on both sides, also those under way", async () => {
    const left: Promise<unknown>[] = [];
    const arrived = Promise.withResolvers<void>();
    const server = await listening(
      createTcpServer((socket) => {
        left.push(new Promise((resolve) => socket.once("close", resolve)));
        socket.resume();
        arrived.resolve();
      }),
    );
    const world = await proxyFor(["git.test:22", "registry.test"], { server });
    const tunnel = await tunnelTo(world, "git.test:22");
    const silent = await tunnelTo(world, "registry.test:443");
    const idle = connect(world.socketPath);
    await new Promise((resolve) => idle.once("connect", resolve));
    await arrived.promise;
    const clients = [tunnel, silent, idle].map((socket) => {
      socket.resume().on("error", () => {});
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await world.close();
    await Promise.all([...clients, ...left]);
    expect(left).toHaveLength(2);
    const late = connect(world.socketPath);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => late.once("error", resolve));
    expect(["ENOENT", "ECONNREFUSED"]).toContain(error.code);
  });

  test("more than 256 connections at once are dropped", async () => {
    const world = await proxyFor(["registry.test"]);
    const open: Socket[] = [];
    let dropped = 0;
    for (let index = 0; index < 300; index++) {
      const socket = connect(world.socketPath);
      socket.on("error", () => {});
      socket.once("close", () => (dropped += 1));
      await new Promise((resolve) => socket.once("connect", resolve));
      open.push(socket);
    }
    while (dropped < 44) await new Promise((resolve) => setImmediate(resolve));
    expect(dropped).toBe(44);
    for (const socket of open) socket.destroy();
  });

  test("many requests over one connection open at most 256 connections to servers", async () => {
    const server = await listening(createTcpServer(() => {}));
    const world = await proxyFor(["registry.test"], { server });
    const one = "GET http://registry.test/ HTTP/1.1\r\nHost: registry.test\r\n\r\n";
    const sockets = [connect(world.socketPath), connect(world.socketPath), connect(world.socketPath)];
    for (const socket of sockets) socket.on("error", () => {}).write(one.repeat(200));
    while (world.dialed.length < 256) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(world.dialed).toHaveLength(256);
    for (const socket of sockets) socket.destroy();
  });

  test("a bad entry of the list is an error of the caller", async () => {
    await expect(proxyFor(["*"])).rejects.toThrow("`*` would allow every host");
  });
});
