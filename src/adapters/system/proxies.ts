/**
 * The HTTP proxy for an address, by the variables that every tool reads. Pure.
 *
 * Owns: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in upper or lower case. Does not own: the proxies' users
 * (`use-proxies.ts`).
 * PX1 Baton never reaches this machine itself through a proxy, because it talks to its own servers. Nor the metadata
 *     server of its cloud, which would show the proxy's identity instead of Baton's, and Baton's login to the proxy.
 */
export interface Proxies {
  http: string | null;
  https: string | null;
  /** Hosts that are reached without a proxy. */
  direct: readonly string[];
}

export const noProxies: Proxies = { http: null, https: null, direct: [] };
/** https://cloud.google.com/compute/docs/metadata/querying-metadata */
const metadataHosts = ["metadata.google.internal", "169.254.169.254"];
/** In the syntax of `NO_PROXY`. */
export const neverProxied: readonly string[] = ["localhost", "127.0.0.1", "::1", ...metadataHosts];

export function readProxies(env: Readonly<Record<string, string | undefined>>): Proxies {
  const value = (name: string): string | null => {
    const text = (env[name.toLowerCase()] ?? env[name] ?? "").trim();
    return text === "" ? null : text;
  };
  return {
    http: value("HTTP_PROXY"),
    https: value("HTTPS_PROXY"),
    direct: (value("NO_PROXY") ?? "").split(/[\s,]+/).filter((one) => one !== ""),
  };
}

export function proxyFor(url: string, proxies: Proxies): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  const proxy = protocol === "https:" ? proxies.https : protocol === "http:" ? proxies.http : null;
  if (proxy === null || isThisMachine(host) || metadataHosts.includes(host)) return null;
  const isDirect = proxies.direct.some((entry) =>
    matches(entry.toLowerCase(), host, port || (protocol === "https:" ? "443" : "80")),
  );
  return isDirect ? null : proxy;
}

/** Passwords of proxies, which no log shows. */
export function proxySecrets({ http, https }: Proxies): string[] {
  return [http, https].flatMap((proxy) => {
    if (proxy === null || !URL.canParse(proxy)) return [];
    const { password } = new URL(proxy);
    return password === "" ? [] : [password, decodeURIComponent(password)];
  });
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(?:\.\d+){3}$/.test(host);
}

/** `*`, or a host and everything below it. A dot before it and a port are optional. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [, name = "", wantedPort] =
    /^(.*?)(?::(\d+))?$/.exec(entry.includes("::") ? entry.replace(/^\[|\]$/g, "") : entry) ?? [];
  const wanted = entry.includes("::") ? entry.replace(/^\[|\]$/g, "") : name.replace(/^\*?\./, "");
  if (!entry.includes("::") && wantedPort !== undefined && wantedPort !== port) return false;
  return wanted !== "" && (host === wanted || host.endsWith(`.${wanted}`));
}
