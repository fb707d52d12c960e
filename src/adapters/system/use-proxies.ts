/**
 * The process's HTTP proxies, for Node's `fetch` and `http` and for Baton's git. Read once at the start, because Baton
 * clears the environment then. This does not affect an agent's network.
 */
import http from "node:http";
import { neverProxied, noProxies, type Proxies, proxyFor, readProxies } from "./proxies.ts";

let current: Proxies = noProxies;
/** Restores Node's own behavior. */
let undo: () => void = () => {};

type ProxyEnvironment = Record<string, string>;

/** Returns a warning if this Node uses proxies only when started for them. */
export function useProxies(env: Readonly<Record<string, string | undefined>>): string | null {
  current = readProxies(env);
  undo();
  undo = () => {};
  if (current.http === null && current.https === null) return null;
  // Since Node 24.14: https://nodejs.org/api/http.html#httpsetglobalproxyfromenvproxyenv
  const { setGlobalProxyFromEnv: use } = http as { setGlobalProxyFromEnv?: (env: ProxyEnvironment) => () => void };
  if (use !== undefined) undo = use(proxyEnvironment());
  else if (env["NODE_USE_ENV_PROXY"] !== "1")
    return `HTTPS_PROXY or HTTP_PROXY is set, and Node ${process.versions.node} ignores it. Set NODE_USE_ENV_PROXY=1, or use Node 24.14 or newer.`;
  return null;
}

/** For agents of Node's `http` other than the global ones. */
export function proxyEnvironment(): ProxyEnvironment {
  const { http: plain, https, direct } = current;
  return {
    ...(plain === null ? {} : { http_proxy: plain }),
    ...(https === null ? {} : { https_proxy: https }),
    no_proxy: [...neverProxied, ...direct].join(","),
  };
}

/** The proxy for git. */
export function currentProxyFor(url: string): string | null {
  return proxyFor(url, current);
}
