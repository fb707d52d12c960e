/**
 * The plain host of the door: a Node server with nothing else in it. The demo, tests and programs without Probot use it. The
 * App has Probot's server (`probot-app.ts`).
 *
 * HD1 A client that does not send its whole head in time gets 408 and loses its socket, whatever it sent.
 * HD2 Nobody keeps Baton from stopping: a request that has not ended by then loses its socket.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limits } from "../core/limits.ts";
import type { AppSettings } from "../environment/settings.ts";
import type { Api } from "./api/serve.ts";
import type { AppCheck } from "./app-check.ts";
import { openDoor, type Served, webhookPath } from "./door.ts";
import { requestMsMax } from "./effects-api.ts";
import { listen } from "./listen.ts";

export interface RunningServer {
  url: string;
  close(): Promise<void>;
}

/** `check`: absent if nobody asks GitHub about the App. */
export async function startServer(
  settings: Pick<AppSettings, "app" | "host" | "port"> & Partial<Pick<AppSettings, "triggerSecrets">>,
  baton: Served,
  check: Pick<AppCheck, "status"> | null = null,
  { headMs = limits.requestHeadMs, api = null }: { headMs?: number; api?: Api | null } = {},
): Promise<RunningServer> {
  const door = openDoor(baton, {
    secrets: settings.app?.secrets ?? [],
    triggerSecrets: settings.triggerSecrets ?? [],
    check,
    api,
    ownsRoot: true,
  });
  const server = createServer((request, response) => {
    void door.handle(request, response).then((isOurs) => {
      if (!isOurs) answerNotFound(request.url, response);
    });
  });
  boundHeads(server, headMs);
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${settings.host}:${port}`,
    close: () => {
      api?.close();
      return closeServer(server);
    },
  };
}

/** For a server that belongs to Baton alone. */
export function answerNotFound(url: string | undefined, response: ServerResponse): void {
  const path = (url ?? "/").split("?")[0];
  response.writeHead(404, { "content-type": "application/json" });
  const message = `Nothing is at ${path}. Webhooks go to ${webhookPath}, health is at /health.`;
  response.end(JSON.stringify({ ok: false, message }));
}

/** HD1, for a server that does not listen yet. */
export function boundHeads(server: Server, headMs: number = limits.requestHeadMs): void {
  server.headersTimeout = headMs;
  // By default, Node checks for slow clients every 30 s. It reads this value when the server begins to listen.
  Object.assign(server, { connectionsCheckingInterval: headMs / 10 });
  // Only the last resort: each address has its own, stricter deadline, and runners send bundles.
  server.requestTimeout = requestMsMax;
}

/** HD2: a closing server no longer checks for slow clients, and waits for each one. */
export async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), limits.requestsEndMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
