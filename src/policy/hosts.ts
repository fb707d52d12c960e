/**
 * Host lists of the sandbox: the form of an entry, and the host and port that it allows.
 *
 * HL1 The same function normalizes entry and request. A request passes only if its result equals a listed name.
 * HL2 Text that two programs could read differently is refused, not repaired.
 * HL3 `*.example.com` allows names below `example.com`, never the bare name and never all names below one label.
 */
import { canonicalAddress, readIpv4 } from "./addresses.ts";

/** Exists in every environment of Baton, but the pure folders are compiled without its types. */
declare const URL: new (address: string) => { readonly hostname: string };

/** A name or an address in the single form for comparison and connection. IPv6 has no brackets. */
export interface Host {
  name: string;
  kind: "name" | "ipv4" | "ipv6";
}

export interface Endpoint {
  host: Host;
  /** Null: not given. */
  port: number | null;
}

export interface HostRule {
  host: Host;
  /** Names below `host` instead of `host` itself. */
  below: boolean;
  ports: readonly number[];
  /** The entry names its port. */
  portListed: boolean;
}

export type Read<T> = { ok: true; value: T } | { ok: false; problem: string };

const refused = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });
const good = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

/** DNS allows 253 characters in a name and 63 in a label: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4 */
const nameCharactersMax = 253;
const labelPattern = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const defaultPorts = [80, 443] as const;

/** Host without port. IPv6 has brackets, as in a URL. */
export function readHost(text: string): Read<Host> {
  if (text === "") return refused("it is empty");
  if (/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]/u.test(text))
    return refused("it contains control characters or invisible ones");
  if (text.length > nameCharactersMax * 4) return refused("it is too long");
  if (text.startsWith("[")) return readBracketed(text);
  const odd = /[\s%@/\\?#:[\]<>^|"'`{}*,;]/.exec(text)?.[0];
  if (odd !== undefined) return refused(odd.trim() === "" ? "it contains a space" : `it contains \`${odd}\``);
  const plain = text.endsWith(".") ? text.slice(0, -1) : text;
  const name = hostnameOf(plain);
  if (name === null) return refused("it is not a host name");
  if (readIpv4(name) !== null)
    return name === plain ? good({ name, kind: "ipv4" }) : refused("an IPv4 address has four decimal numbers");
  return readName(name);
}

function readName(name: string): Read<Host> {
  if (name.length > nameCharactersMax) return refused("it is too long");
  const labels = name.split(".");
  if (labels.includes("")) return refused("a part between two dots is empty");
  if (!labels.every((label) => labelPattern.test(label))) return refused("it is not a host name");
  // Resolvers read a name that ends in a number as an address in an old form.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) return refused("a host name does not end in a number");
  return good({ name, kind: "name" });
}

function readBracketed(text: string): Read<Host> {
  const inner = /^\[([0-9a-f:.]+)\]$/i.exec(text)?.[1];
  const address = inner === undefined ? null : canonicalAddress(inner);
  const hostname = inner === undefined || address === null ? null : hostnameOf(`[${inner}]`);
  if (address === null || hostname === null || !address.includes(":")) return refused("it is not an IPv6 address");
  if (address.startsWith("0:0:0:0:0:ffff:")) return refused("it is an IPv4 address written as IPv6");
  return good({ name: hostname.slice(1, -1), kind: "ipv6" });
}

/** Lower case and punycode, as web programs convert it: https://url.spec.whatwg.org/#host-parsing */
function hostnameOf(text: string): string | null {
  try {
    return new URL(`http://${text}/`).hostname;
  } catch {
    return null;
  }
}

/** `host` or `host:port`. */
export function readEndpoint(text: string): Read<Endpoint> {
  const [, hostText, portText] = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/su.exec(text) ?? [];
  if (hostText === undefined) return refused("it is not `host` or `host:port`; an IPv6 address stands in brackets");
  const host = readHost(hostText);
  if (!host.ok) return host;
  if (portText === undefined) return good({ host: host.value, port: null });
  const port = /^[1-9]\d{0,4}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return refused("the port is not a number from 1 to 65535");
  return good({ host: host.value, port });
}

/** An entry of a host list: `host`, `host:port`, `*.host` or `*.host:port`. */
export function readHostRule(text: string): Read<HostRule> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return refused("it is an address of a page; write only its host");
  if (text === "*") return refused("`*` would allow every host; list the hosts");
  const below = text.startsWith("*.");
  const rest = below ? text.slice(2) : text;
  if (rest.includes("*")) return refused("`*` stands only at the start, as in `*.example.com`");
  if (rest.includes("/")) return refused("paths and address ranges are not possible; list single hosts");
  const endpoint = readEndpoint(rest);
  if (!endpoint.ok) return endpoint;
  const { host, port } = endpoint.value;
  if (below && host.kind !== "name")
    return refused("`*.` is only allowed in front of a name, not in front of an address");
  if (below && !host.name.includes("."))
    return refused(`\`*.${host.name}\` would allow every host below \`${host.name}\`; name at least two parts`);
  return good({ host, below, ports: port === null ? defaultPorts : [port], portListed: port !== null });
}

/** Why an entry is refused, as a sentence. null: the entry is valid. */
export function hostRuleProblem(text: string): string | null {
  const read = readHostRule(text);
  if (read.ok) return null;
  const shown = text.replace(/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu, "�").slice(0, 100);
  return `\`${shown}\` is not a host: ${read.problem}. Write \`host\`, \`host:port\` or \`*.host\`.`;
}

/** Equal for two spellings of one host. */
export function sameHost(one: Host, other: Host): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === "ipv6") return canonicalAddress(one.name) === canonicalAddress(other.name);
  return one.name === other.name;
}

function namedBy(rule: HostRule, host: Host): boolean {
  if (rule.below) return host.kind === "name" && host.name.endsWith(`.${rule.host.name}`);
  return sameHost(rule.host, host);
}

export type HostVerdict =
  | { allowed: true; portListed: boolean }
  /** `port`: the host is listed, but only with other ports. */
  | { allowed: false; because: "host" | "port" };

export function judgeHost(rules: readonly HostRule[], host: Host, port: number): HostVerdict {
  const named = rules.filter((rule) => namedBy(rule, host));
  const matching = named.filter((rule) => rule.ports.includes(port));
  if (matching.length > 0) return { allowed: true, portListed: matching.some((rule) => rule.portListed) };
  return { allowed: false, because: named.length > 0 ? "port" : "host" };
}

/** An operator's list bounds a repository's list: the bound must allow everything that the entry allows. */
export function coversRule(bound: readonly HostRule[], rule: HostRule): boolean {
  return rule.ports.every((port) =>
    bound.some((outer) => {
      if (!outer.ports.includes(port)) return false;
      if (!rule.below) return namedBy(outer, rule.host);
      return outer.below && (sameHost(outer.host, rule.host) || namedBy(outer, rule.host));
    }),
  );
}
