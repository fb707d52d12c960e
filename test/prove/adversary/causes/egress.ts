/** A sandboxed agent that wants another host than the listed ones: the real proxy, with servers that count. */
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { startEgressProxy } from "../../../../src/adapters/egress/proxy.ts";
import { hostRuleProblem } from "../../../../src/policy/hosts.ts";
import { type Cause, defineCause, shared } from "../cause.ts";

const listed = "registry.npmjs.org";
const publicAddress = "93.184.215.14";

interface World {
  socketPath: string;
  folder: string;
  proxy: { close(): Promise<void> };
  /** Another proxy, with other hosts. */
  open(socketPath: string, hosts: string[]): Promise<{ close(): Promise<void> }>;
  server: Server;
  sockets: Set<Socket>;
  /** Addresses of connections. */
  dialed: string[];
  /** Bytes that reached the server behind. */
  bytes: { count: number };
  addresses: Map<string, string[]>;
}

const world = shared<World>(
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "baton-egress-"));
    const socketPath = join(folder, "proxy.sock");
    const sockets = new Set<Socket>();
    const bytes = { count: 0 };
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        bytes.count += chunk.length;
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
      });
      socket.once("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const dialed: string[] = [];
    const addresses = new Map<string, string[]>();
    const open = (path: string, hosts: string[]) =>
      startEgressProxy({
        socketPath: path,
        hosts,
        onDenied: () => {},
        lookup: async (host) =>
          (addresses.get(host) ?? [publicAddress]).map((address) => ({
            address,
            family: address.includes(":") ? 6 : 4,
          })),
        dial: (address, wanted) => {
          dialed.push(`${address}:${wanted}`);
          return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
        },
      });
    const proxy = await open(socketPath, [listed, "*.files.example"]);
    return { socketPath, folder, proxy, open, server, sockets, dialed, bytes, addresses };
  },
  async ({ proxy, server, sockets, folder }) => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  },
);

/** Sends bytes. Resolves with the answer until the other side ends, or the caller stops it. */
async function send(text: string, then?: (socket: Socket) => void, through?: string): Promise<string> {
  const socketPath = through ?? (await world()).socketPath;
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(socketPath, () => socket.write(text, "latin1"));
    socket.setTimeout(1_500, () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve(said));
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
      if (then !== undefined && said.includes(" 200 ")) {
        const next = then;
        socket.removeAllListeners("data");
        next(socket);
      } else if (said.includes("\r\n\r\n")) socket.end();
    });
  });
}

/** Connections by a CONNECT, and bytes at the server behind. */
async function tunnel(target: string, through?: string): Promise<string[]> {
  const { dialed } = await world();
  const before = dialed.length;
  // The proxy dials the far side of a tunnel after the client has named its target inside.
  const inside = (socket: Socket): void => {
    socket.once("data", () => socket.destroy());
    socket.write(`GET / HTTP/1.1\r\nHost: ${target.replace(/:\d+$/, "")}\r\n\r\n`, "latin1");
  };
  await send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`, inside, through);
  return dialed.slice(before);
}

let opened = 0;

/**
 * The same proxy with the target in its list, because the list is the guard. It does not let through what its list cannot
 * hold.
 */
function tunnelListed(target: string, hosts: string[]): Promise<string[]> {
  return withListed(hosts, (path) => tunnel(target, path));
}

async function withListed<T>(hosts: string[], use: (socketPath: string) => Promise<T>): Promise<T> {
  const { folder, open } = await world();
  const path = join(folder, `open-${++opened}.sock`);
  const proxy = await open(path, hosts);
  try {
    return await use(path);
  } finally {
    await proxy.close();
  }
}

const lookAlike = defineCause<string>({
  name: "host name that only looks like a listed one",
  surface: "egress",
  guard: "src/policy/hosts.ts: a name is read by its labels, and one that cannot be read is denied",
  fixed: [`${listed}.evil.example:80`, `evil.example\u0000.${listed}:80`, `${listed}@evil.example:80`, `x${listed}:80`],
  draw(draw) {
    const evil = `${draw.word()}.example`;
    return `${draw.one([
      `${listed}.${evil}`,
      `${draw.word()}${listed}`,
      `${draw.word()}-${listed}`,
      `${evil}\u0000.${listed}`,
      `${evil}\u0000${listed}`,
      `${listed}\u0000.${evil}`,
      `${listed}@${evil}`,
      `user:${listed}@${evil}`,
      `${evil}#.${listed}`,
      `${evil}?.${listed}`,
      `${evil}/.${listed}`,
      `${evil}\\.${listed}`,
      `${evil}%00.${listed}`,
      `${evil}%2f.${listed}`,
      `xn--${listed}`,
      `${listed.replace("npmjs", "npm\u0458s")}`,
      `${evil}:80:${listed}`,
      `.${evil}.files.example.${evil}`,
      `files.example.${evil}`,
      `..${listed}`,
      `${listed}..`,
      `[${listed}]`,
      `${evil} ${listed}`,
      `${evil}\t.${listed}`,
    ])}:80`;
  },
  async attack(target, guarded) {
    const dialed = guarded ? await tunnel(target) : await tunnelListed(target, [target.replace(/:\d+$/, "")]);
    return dialed.length === 0 ? null : `connected to ${dialed.join(", ")}`;
  },
  atOnce: 1,
});

const notations = defineCause<string>({
  name: "address of the host or its network in another notation",
  surface: "egress",
  guard: "src/policy/hosts.ts, addresses.ts: literals are read to one form and must be listed",
  fixed: [
    "2130706433:80",
    "0x7f000001:80",
    "[::ffff:169.254.169.254]:80",
    "0177.0.0.1:80",
    "127.1:80",
    // The only one here that the list can hold. It shows that the list stops it.
    "127.0.0.1.:80",
  ],
  draw(draw) {
    const parts = draw.one([
      [127, 0, 0, 1],
      [169, 254, 169, 254],
      [10, 0, draw.whole(0, 9), draw.whole(1, 254)],
      [192, 168, 1, draw.whole(1, 254)],
    ] as const);
    const [a, b, c, d] = parts;
    const number = ((a * 256 + b) * 256 + c) * 256 + d;
    const hex = (value: number): string => `0x${value.toString(16)}`;
    return `${draw.one([
      `${number}`,
      hex(number),
      `0${number.toString(8)}`,
      `${a}.${b * 65_536 + c * 256 + d}`,
      `0${a.toString(8)}.${b}.${c}.${d}`,
      `${hex(a)}.${hex(b)}.${c}.${d}`,
      `[::ffff:${a}.${b}.${c}.${d}]`,
      `[::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}]`,
      `[::${a}.${b}.${c}.${d}]`,
      `[64:ff9b::${a}.${b}.${c}.${d}]`,
      `[2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::1]`,
      `[fe80::${draw.whole(1, 99)}%eth0]`,
      `${a}.${b}.${c}.${d}.`,
      `\uff11\uff12\uff17.0.0.${draw.whole(1, 9)}`,
      `${a}\u3002${b}\u3002${c}\u3002${d}`,
    ])}:80`;
  },
  async attack(target, guarded) {
    const dialed = guarded ? await tunnel(target) : await tunnelListed(target, [target.replace(/:\d+$/, "")]);
    return dialed.length === 0 ? null : `connected to ${dialed.join(", ")}`;
  },
  atOnce: 1,
});

let names = 0;
const rebinding = defineCause<{ addresses: string[] }>({
  name: "listed name that leads into the private network",
  surface: "egress",
  guard:
    "src/adapters/egress/destination.ts ER1, ER2: every address of a name is judged, and only a judged one is used",
  fixed: [{ addresses: ["127.0.0.1"] }, { addresses: [publicAddress, "169.254.169.254"] }, { addresses: ["::1"] }],
  draw: (draw) => {
    const inside = draw.one([
      `127.0.0.${draw.whole(1, 254)}`,
      `10.${draw.whole(0, 255)}.0.1`,
      `192.168.0.${draw.whole(1, 254)}`,
      `172.${draw.whole(16, 31)}.0.1`,
      "169.254.169.254",
      `100.${draw.whole(64, 127)}.0.1`,
      "0.0.0.0",
      "::1",
      `fd00::${draw.whole(1, 99)}`,
      `fe80::${draw.whole(1, 99)}`,
      "::ffff:127.0.0.1",
      `::ffff:10.0.0.${draw.whole(1, 99)}`,
      "64:ff9b::7f00:1",
      `224.0.0.${draw.whole(1, 99)}`,
      "255.255.255.255",
      "2002:7f00:1::",
    ]);
    return { addresses: draw.flip() ? [inside] : [publicAddress, inside] };
  },
  async attack({ addresses: given }, guarded) {
    const { addresses } = await world();
    const name = `n${++names}.files.example`;
    addresses.set(name, given);
    // The proxy does not judge an address that the list itself names. An address that cannot be listed shows nothing.
    const also = given.map((address) => (address.includes(":") ? `[${address}]` : address));
    const isListable = also.every((address) => hostRuleProblem(address) === null);
    if (!guarded && !isListable) return null;
    const target = `${name}:80`;
    const dialed = guarded ? await tunnel(target) : await tunnelListed(target, ["*.files.example", ...also]);
    return dialed.length === 0 ? null : `connected to ${dialed.join(", ")}`;
  },
  atOnce: 1,
});

const ports = defineCause<{ port: number }>({
  name: "port of a listed host that is not listed",
  surface: "egress",
  guard: "src/policy/hosts.ts: without a port of its own an entry is for 80 and 443",
  fixed: [{ port: 22 }, { port: 25 }],
  draw: (draw) => ({
    port: draw.one([22, 25, 53, 110, 465, 587, 853, 3_306, 5_432, 6_379, 8_080, draw.whole(1_024, 65_535)]),
  }),
  async attack({ port }, guarded) {
    const target = `${listed}:${port}`;
    const dialed = guarded ? await tunnel(target) : await tunnelListed(target, [target]);
    return dialed.length === 0 ? null : `connected to ${dialed.join(", ")}`;
  },
  atOnce: 1,
});

const fronting = defineCause<{ inside: string }>({
  name: "another host named inside the tunnel to a listed one",
  surface: "egress",
  guard: "src/adapters/egress/tunnel.ts: the name in the TLS greeting is the name that was asked for",
  fixed: [{ inside: "evil.example" }],
  draw: (draw) => ({
    inside: draw.one([
      `${draw.word()}.example`,
      `${listed}.${draw.word()}.example`,
      `x${listed}`,
      `${draw.word()}.npmjs.org`,
      "",
    ]),
  }),
  async attack({ inside }, guarded) {
    const { bytes } = await world();
    const before = bytes.count;
    const greet = (socket: Socket): void => {
      const tls = connectTls({ socket, servername: inside, rejectUnauthorized: false, timeout: 1_000 });
      tls.on("error", () => socket.destroy());
      tls.on("close", () => socket.destroy());
      socket.once("close", () => tls.destroy());
    };
    // At a port that an entry names, the proxy joins both ends, and does not judge the traffic.
    const port = guarded ? 443 : 8443;
    const ask = (path?: string): Promise<string> =>
      send(`CONNECT ${listed}:${port} HTTP/1.1\r\nHost: ${listed}:${port}\r\n\r\n`, greet, path);
    if (guarded) await ask();
    else await withListed([`${listed}:8443`], ask);
    return bytes.count === before ? null : "the greeting reached the server";
  },
  atOnce: 1,
});

interface Framed {
  target: string;
  lines: string[];
  body: string;
}
const framed = defineCause<Framed>({
  name: "plain request that two servers would read differently",
  surface: "egress",
  guard: "src/adapters/egress/judge-request.ts EH1, EH2: one Host, one length, no switch of protocol",
  fixed: [
    { target: `http://${listed}/`, lines: ["Host: evil.example"], body: "" },
    {
      target: `http://${listed}/`,
      lines: [`Host: ${listed}`, "Content-Length: 5", "Transfer-Encoding: chunked"],
      body: "0\r\n\r\n",
    },
  ],
  draw: (draw) => {
    const evil = `${draw.word()}.example`;
    const host = `Host: ${listed}`;
    return {
      target: `http://${listed}/${draw.word()}`,
      body: draw.one(["", "0\r\n\r\n", "hello"]),
      lines: draw.one([
        [`Host: ${evil}`],
        [host, `Host: ${evil}`],
        [`Host: ${evil}`, host],
        [host, "Content-Length: 5", "Transfer-Encoding: chunked"],
        [host, "Content-Length: 5", "Content-Length: 6"],
        [host, `Transfer-Encoding: ${draw.one(["xchunked", "chunked, identity", "gzip, chunked", "\u000bchunked"])}`],
        [host, "Upgrade: websocket", "Connection: upgrade"],
        [host, "Connection: host"],
        [host, "Connection: content-length", "Content-Length: 5"],
        [`Host: ${listed}@${evil}`],
        [`Host: ${listed}:${draw.whole(81, 9_999)}`],
        ["Host:"],
        [],
      ]),
    };
  },
  async attack({ target, lines, body }, guarded) {
    const { bytes } = await world();
    const before = bytes.count;
    const request = `POST ${target} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n${body}`;
    const inside = (socket: Socket): void => {
      socket.once("data", () => socket.destroy());
      socket.write(request, "latin1");
    };
    if (guarded) await send(request);
    // The same bytes through a port that an entry names, where nobody reads them.
    else
      await withListed([`${listed}:80`], (path) =>
        send(`CONNECT ${listed}:80 HTTP/1.1\r\nHost: ${listed}:80\r\n\r\n`, inside, path),
      );
    return bytes.count === before ? null : "the request reached the server";
  },
  atOnce: 1,
});

export const egressCauses: readonly Cause[] = [lookAlike, notations, rebinding, ports, fronting, framed];
