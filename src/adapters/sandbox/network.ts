/**
 * The network of one attempt: a Unix socket for each of Baton's services and one for the egress proxy.
 *
 * NW1 The sockets lie in a private directory that the agent sees read-only. Nothing else leads out of its network
 *     namespace.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** Denies and reports unlisted hosts. Implemented in `adapters/egress`. */
export type StartEgressProxy = (options: {
  socketPath: string;
  hosts: readonly string[];
  onDenied(name: string, reason: string): void;
  /** Probes resolve a listed name to the address of this machine. */
  lookup?: (host: string) => Promise<{ address: string; family: 4 | 6 }[]>;
  /** Probes connect a public address to a server of their own. */
  dial?: (address: string, port: number) => Socket;
}) => Promise<{ close(): Promise<void> }>;

export interface Service {
  /** Inside, on 127.0.0.1. */
  port: number;
  /** Outside, in the attempt's private directory. */
  fileName: string;
}

const proxyPort = 3128;

export function servicesOf(loopbackPorts: readonly number[]): { proxy: Service; ports: Service[] } {
  const ports = [...new Set(loopbackPorts)].map((port) => ({ port, fileName: `${port}.sock` }));
  let port = proxyPort;
  while (loopbackPorts.includes(port)) port += 1;
  return { proxy: { port, fileName: "proxy.sock" }, ports };
}

/** Listens on a Unix socket and passes each connection on to 127.0.0.1. */
export async function forwardToLoopback(socketPath: string, port: number): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const end = (): void => {
      inside.destroy();
      outside.destroy();
      open.delete(inside);
      open.delete(outside);
    };
    for (const socket of [inside, outside]) {
      open.add(socket);
      socket.on("error", end).on("close", end);
    }
    inside.pipe(outside);
    outside.pipe(inside);
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    async close() {
      for (const socket of open) socket.destroy();
      await closed(server);
    },
  };
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Variables that make the programs of the common toolchains use the proxy. */
export function proxyVariables(port: number, environment: Readonly<Record<string, string>>): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  const direct = "127.0.0.1,localhost,::1";
  const java = ["http", "https"]
    .flatMap((scheme) => [`-D${scheme}.proxyHost=127.0.0.1`, `-D${scheme}.proxyPort=${port}`])
    .join(" ");
  const withJava = (name: string): string => [environment[name], java].filter((part) => part !== undefined).join(" ");
  return {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    ALL_PROXY: url,
    http_proxy: url,
    https_proxy: url,
    all_proxy: url,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: "1",
    CARGO_HTTP_PROXY: url,
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    MAVEN_OPTS: withJava("MAVEN_OPTS"),
    GRADLE_OPTS: withJava("GRADLE_OPTS"),
  };
}

/** The path of a Unix socket may have at most 107 bytes and a zero. */
const socketPathBytesMax = 107;

/** The first directory in which the sockets' paths are short enough. */
export function privateParent(candidates: readonly string[]): string | null {
  const longest = join("baton-sandbox-XXXXXX", "inside", "65535.sock").length + 1;
  return candidates.find((path) => Buffer.byteLength(path) + longest <= socketPathBytesMax) ?? null;
}
