/**
 * Requests as they arrived, before any connection is made: their destination, and the reason for a refusal.
 *
 * EH1 Target and Host header name the same host, and there is only one Host header.
 * EH2 A request has one length. Baton refuses a request that two servers could split differently.
 */
import type { IncomingMessage } from "node:http";
import { type Endpoint, readEndpoint, sameHost } from "../../policy/hosts.ts";

export type Judged = { ok: true; endpoint: Endpoint; path: string } | { ok: false; target: string; problem: string };

/** All values of one header, one for each time that it was sent. */
export function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** The problem with the frame of a request (EH2). Null for a good request. */
export function frameProblem(request: IncomingMessage): string | null {
  const lengths = valuesOf(request, "content-length");
  const encodings = valuesOf(request, "transfer-encoding");
  if (lengths.length > 1 || lengths.some((length) => !/^\d{1,15}$/.test(length)))
    return "it has more than one Content-Length, or one that is not a number";
  if (encodings.length > 1 || encodings.some((encoding) => encoding.toLowerCase() !== "chunked"))
    return "its Transfer-Encoding is not `chunked`";
  if (lengths.length > 0 && encodings.length > 0) return "it has both Content-Length and Transfer-Encoding";
  const framing = ["host", "content-length", "transfer-encoding"];
  if (connectionOptions(request).some((option) => framing.includes(option)))
    return "its Connection header names a header that frames the request";
  return null;
}

export function connectionOptions(message: IncomingMessage): string[] {
  return [...valuesOf(message, "connection"), ...valuesOf(message, "proxy-connection")]
    .flatMap((value) => value.split(","))
    .map((option) => option.trim().toLowerCase());
}

/** `http://host/path`, the form that clients send to a proxy. */
export function readAbsolute(request: IncomingMessage): Judged {
  const target = request.url ?? "";
  const [, scheme, authority, path] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined)
    return { ok: false, target, problem: "it is not the address of a page" };
  if (scheme.toLowerCase() !== "http")
    return { ok: false, target: authority, problem: `\`${scheme}:\` needs a tunnel (CONNECT)` };
  return judgeTarget(request, authority, path);
}

/** `/path`, inside a tunnel to `authority`. */
export function readOrigin(request: IncomingMessage, authority: string): Judged {
  const path = request.url ?? "";
  if (path.startsWith("/") || path === "*") return judgeTarget(request, authority, path);
  return { ok: false, target: authority, problem: "inside a tunnel a request names a path, not an address" };
}

function judgeTarget(request: IncomingMessage, authority: string, path: string): Judged {
  const fail = (problem: string): Judged => ({ ok: false, target: authority, problem });
  const endpoint = readEndpoint(authority);
  if (!endpoint.ok) return fail(endpoint.problem);
  if (/[^\x21-\x7e]|#/.test(path)) return fail("its path has characters that no path has");
  const hosts = valuesOf(request, "host");
  const named = hosts.length === 1 ? readEndpoint(hosts[0] ?? "") : null;
  if (named === null || !named.ok) return fail("it does not have one valid Host header");
  const { host, port } = endpoint.value;
  if (!sameHost(named.value.host, host) || (named.value.port ?? 80) !== (port ?? 80))
    return fail("its Host header names another host");
  return { ok: true, endpoint: endpoint.value, path: path.startsWith("/") || path === "*" ? path : `/${path}` };
}

/** A switch of protocol would leave HTTP. Then Baton could no longer judge each request. */
export function upgradeProblem(request: IncomingMessage): string | null {
  return valuesOf(request, "upgrade").length > 0 ? "`Upgrade` needs a tunnel (CONNECT)" : null;
}

export function connectProblem(request: IncomingMessage, { host, port }: Endpoint): string | null {
  if (port === null) return "the port is missing";
  const frame = frameProblem(request);
  if (frame !== null) return frame;
  const lengths = valuesOf(request, "content-length");
  if (valuesOf(request, "transfer-encoding").length > 0 || lengths.some((length) => Number(length) > 0))
    return "a CONNECT request has no body";
  const hosts = valuesOf(request, "host");
  // Python's clients sent no Host header for years: https://github.com/python/cpython/pull/8305
  if (hosts.length === 0) return null;
  const named = hosts.length === 1 ? readEndpoint(hosts[0] ?? "") : null;
  if (named === null || !named.ok) return "it does not have one valid Host header";
  if (sameHost(named.value.host, host) && (named.value.port ?? port) === port) return null;
  return "its Host header names another host";
}
