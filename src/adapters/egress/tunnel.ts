/**
 * CONNECT tunnels. To port 443 only TLS passes, and its server name must be the requested host.
 *
 * ET1 Nothing of the client reaches the server before its first TLS message was judged.
 */
import type { Socket } from "node:net";
import { type Host, readHost, sameHost } from "../../policy/hosts.ts";
import { helloBytesMax, readHello } from "./client-hello.ts";

const helloTimeoutMs = 15_000;
/** Fatal alert `access_denied`: https://www.rfc-editor.org/rfc/rfc8446#section-6.2 */
export const alertDenied = Buffer.from([21, 3, 1, 0, 2, 2, 49]);

export type HelloRead = { ok: true; bytes: Buffer } | { ok: false; problem: string | null };

/** Reads until the client has named its server. A null problem: the client disconnected. */
export function takeHello(client: Socket, head: Buffer, host: Host): Promise<HelloRead> {
  return new Promise((resolve) => {
    let bytes = head;
    let bytesNeeded = 0;
    const finish = (result: HelloRead): void => {
      clearTimeout(timer);
      client.pause();
      client.off("data", onData).off("end", onLeft).off("close", onLeft);
      resolve(result);
    };
    const onLeft = (): void => finish({ ok: false, problem: null });
    const timer = setTimeout(() => finish({ ok: false, problem: "no TLS message came" }), helloTimeoutMs);
    const judge = (): void => {
      if (bytes.length < bytesNeeded) return;
      const hello = readHello(bytes.subarray(0, helloBytesMax));
      if (hello.state === "incomplete") bytesNeeded = hello.bytesNeeded;
      else if (hello.state === "refused") finish({ ok: false, problem: hello.problem });
      else {
        const problem = nameProblem(hello.serverName, host);
        finish(problem === null ? { ok: true, bytes } : { ok: false, problem });
      }
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      judge();
    };
    client.on("data", onData).once("end", onLeft).once("close", onLeft);
    client.resume();
    if (head.length > 0) judge();
  });
}

/** Clients that connect to an address name no server: https://www.rfc-editor.org/rfc/rfc6066#section-3 */
function nameProblem(serverName: string | null, host: Host): string | null {
  if (serverName === null) return host.kind === "name" ? "its TLS names no server" : null;
  const named = readHost(serverName);
  if (named.ok && sameHost(named.value, host)) return null;
  return "its TLS names another server";
}

/** Copies both directions until both have ended. Data sent before the end still arrives. */
export function join(client: Socket, server: Socket, first: Buffer): void {
  if (first.length > 0) server.write(first);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.once("close", (failed) => (failed ? other.destroy() : other.destroySoon()));
    one.pipe(other);
  }
}
