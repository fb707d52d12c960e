/** The answer that a client reads when it gets no connection: one sentence with the host and the setting. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { shownName } from "./denials.ts";
import type { Refusal } from "./destination.ts";

export interface Answer {
  status: 400 | 403 | 502;
  text: string;
}

/** Many clients show only this line. */
const phrases = {
  400: "Bad Request",
  403: "Forbidden by sandbox.network in baton.yaml",
  502: "Bad Gateway",
} as const;

/** For the agent, and for the person who reads its transcript. */
export function answerOf(name: string, { kind, reason }: Refusal): Answer {
  const shown = shownName(name);
  if (kind === "failed") return { status: 502, text: `Baton's sandbox could not reach ${shown}: ${reason}.\n` };
  const setting = "The setting `sandbox.network` in `baton.yaml` lists the allowed hosts.";
  return { status: 403, text: `Baton's sandbox does not allow ${shown}: ${reason}. ${setting}\n` };
}

export function respond(response: ServerResponse, { status, text }: Answer): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  // The rest of a refused request must not be read as another request.
  response.writeHead(status, phrases[status], { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(text);
}

/** For sockets on which Node's HTTP server no longer speaks. */
export function refuse(client: Socket, { status, text }: Answer): void {
  const length = Buffer.byteLength(text);
  const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\nConnection: close`;
  if (client.writable) client.write(`HTTP/1.1 ${status} ${phrases[status]}\r\n${headers}\r\n\r\n${text}`);
  client.destroySoon();
}
