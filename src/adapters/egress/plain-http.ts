/**
 * A judged request without TLS. Baton rebuilds it, sends it to a pinned address, and returns the answer.
 *
 * EH3 Headers that belong to one connection do not pass, in either direction. A server cannot leave HTTP either.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Allowed, endpointName } from "./destination.ts";
import { connectionOptions, valuesOf } from "./judge-request.ts";

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and the headers that clients send only to proxies. */
const hopByHop = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Alternating names and values, as Node expects them. */
function passed(message: IncomingMessage, also: readonly string[]): string[] {
  const dropped = new Set([...hopByHop, ...connectionOptions(message), ...also]);
  return message.rawHeaders.filter((_, index) => {
    const name = message.rawHeaders[index - (index % 2)] ?? "";
    return !dropped.has(name.toLowerCase());
  });
}

/** Port 443 without TLS is unusual, so the header keeps that port. */
const hostHeader = (allowed: Allowed): string =>
  allowed.port === 443 ? `${endpointName(allowed)}:443` : endpointName(allowed);

/** Sends the request over `socket` and the answer back. Resolves with a problem when there was no answer. */
export function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { socket, allowed, path, signal }: { socket: Socket; allowed: Allowed; path: string; signal: AbortSignal },
): Promise<string | null> {
  return new Promise((resolve) => {
    const chunked = valuesOf(incoming, "transfer-encoding").length > 0;
    const length = valuesOf(incoming, "content-length")[0];
    const hasBody = chunked || length !== undefined;
    const headers = ["Host", hostHeader(allowed), ...passed(incoming, ["host", "content-length"])];
    if (chunked) headers.push("Transfer-Encoding", "chunked");
    else if (length !== undefined) headers.push("Content-Length", length);
    else if (!["GET", "HEAD", "OPTIONS", "DELETE"].includes(incoming.method ?? "")) headers.push("Content-Length", "0");
    headers.push("Connection", "close");
    const request = httpRequest({
      createConnection: () => socket,
      method: incoming.method,
      path,
      headers,
      setHost: false,
      signal,
      insecureHTTPParser: false,
    });
    const stop = (): void => {
      socket.destroy();
      resolve(null);
    };
    outgoing.once("close", stop);
    // An interim answer of the server does not pass. A switched protocol closes the connection (EH3).
    request.once("upgrade", (_, switched) => {
      switched.destroy();
      resolve("the server switched to another protocol");
    });
    request.once("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, passed(response, []));
      response.on("error", () => outgoing.destroy());
      response.pipe(outgoing);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent) outgoing.destroy();
      resolve(error.code ?? "broken answer");
    });
    if (hasBody) incoming.pipe(request);
    else request.end();
  });
}
