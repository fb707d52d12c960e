/**
 * From an allowed name to a connection. The name is resolved once, judged and pinned.
 *
 * ER1 The host resolves a name once for each connection. Baton connects only to an address that it judged.
 * ER2 An address outside the public internet is refused, for names and literals, unless the list has that address.
 */
import { lookup as systemLookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { canonicalAddress, whyNotPublic } from "../../policy/addresses.ts";
import { type Endpoint, type Host, type HostRule, judgeHost } from "../../policy/hosts.ts";

/** Opens a connection to an address that was judged. */
export type Dial = (address: string, port: number) => Socket;
export type Lookup = (host: string) => Promise<{ address: string; family: 4 | 6 }[]>;

/** `denied`: the list does not allow it, and Baton reports it. `failed`: allowed, but not reachable. */
export type Refusal = { kind: "denied" | "failed"; reason: string };

export interface Allowed {
  host: Host;
  port: number;
  /** The entry names its port, so the protocol there is unknown. */
  portListed: boolean;
}

const lookupTimeoutMs = 10_000;
const connectTimeoutMs = 10_000;
const addressesMax = 4;

export const dialTcp: Dial = (address, port) => connect({ host: address, port, allowHalfOpen: true, noDelay: true });

export const lookupAll: Lookup = async (host) => {
  const found = await systemLookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export const endpointName = ({ host, port }: { host: Host; port: number }): string => {
  const name = host.kind === "ipv6" ? `[${host.name}]` : host.name;
  return port === 80 || port === 443 ? name : `${name}:${port}`;
};

export function allow(rules: readonly HostRule[], { host, port }: Endpoint, defaultPort: number): Allowed | Refusal {
  const wanted = { host, port: port ?? defaultPort };
  const verdict = judgeHost(rules, host, wanted.port);
  if (verdict.allowed) return { ...wanted, portListed: verdict.portListed };
  const reason =
    verdict.because === "port" ? `port ${wanted.port} of this host is not listed` : "the host is not listed";
  return { kind: "denied", reason };
}

export class Destinations {
  private readonly rules: readonly HostRule[];
  private readonly lookup: Lookup;
  private readonly dial: Dial;

  constructor(rules: readonly HostRule[], lookup: Lookup, dial: Dial) {
    this.rules = rules;
    this.lookup = lookup;
    this.dial = dial;
  }

  async open(allowed: Allowed, signal: AbortSignal): Promise<Socket | Refusal> {
    const addresses = await this.resolve(allowed.host, signal);
    if ("kind" in addresses) return addresses;
    for (const address of addresses) {
      const why = whyNotPublic(address);
      if (why !== null && !this.isListed(address, allowed.port))
        return { kind: "denied", reason: `its address ${address} is ${why}, and that address is not listed` };
    }
    let problem = "no address";
    for (const address of addresses.slice(0, addressesMax)) {
      const socket = await connected(() => this.dial(address, allowed.port), signal);
      if (typeof socket !== "string") return socket;
      problem = socket;
      if (signal.aborted) break;
    }
    return { kind: "failed", reason: `no connection (${problem})` };
  }

  private async resolve(host: Host, signal: AbortSignal): Promise<string[] | Refusal> {
    if (host.kind !== "name") return [host.name];
    try {
      const found = await within(this.lookup(host.name), lookupTimeoutMs, signal);
      const addresses = found.map(({ address }) => address).filter((address) => canonicalAddress(address) !== null);
      // A scope such as `%eth0` belongs to link-local addresses only.
      if (addresses.length > 0 && addresses.length === found.length) return [...new Set(addresses)];
      return { kind: "failed", reason: "the name has no address" };
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code ?? "no answer";
      return { kind: "failed", reason: `the name could not be resolved (${code})` };
    }
  }

  private isListed(address: string, port: number): boolean {
    const canonical = canonicalAddress(address);
    return this.rules.some(
      ({ host, below, ports }) =>
        !below && host.kind !== "name" && ports.includes(port) && canonicalAddress(host.name) === canonical,
    );
  }
}

/** The socket, or the reason why there is none. */
function connected(dial: () => Socket, signal: AbortSignal): Promise<Socket | string> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve("closed");
    const socket = dial();
    const give = (problem: string): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(problem);
    };
    const onAbort = (): void => give("closed");
    signal.addEventListener("abort", onAbort, { once: true });
    socket.setTimeout(connectTimeoutMs, () => give("timeout"));
    socket.on("error", (error: NodeJS.ErrnoException) => give(error.code ?? "error"));
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      resolve(socket);
    });
  });
}

async function within<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fail = (): void => late.reject(new Error("no answer"));
  const timer = setTimeout(fail, timeoutMs);
  signal.addEventListener("abort", fail, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", fail);
  }
}
