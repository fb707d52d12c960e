/**
 * The HTTP door: webhooks, health. Thin: what it does is in `deliver.ts`.
 *
 * HD1 A client that does not send a whole head in time gets 408 and loses its socket, however many bytes came.
 * HD2 Nobody keeps Baton from stopping: what has not ended by then loses its socket.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Baton } from "../wire.ts";
import type { AppCheck, AppStatus } from "./app-check.ts";
import { deliver } from "./deliver.ts";
import { answerEffects, effectsPath, requestMsMax } from "./effects-api.ts";
import { listen } from "./listen.ts";
import type { AppSettings } from "./settings.ts";

/** Webhooks are taken at the root as well: an App that Probot's set-up page registered has its hook there. */
export const webhookPath = "/api/github/webhooks";

export interface RunningServer {
  url: string;
  close(): Promise<void>;
}

/** What the door needs of a Baton. */
type Served = Pick<Baton, "identities" | "claims" | "log" | "database"> & {
  dependencies: Pick<Baton["dependencies"], "store" | "clock">;
};

/** `check`: absent where nobody asks GitHub who the App is. */
export async function startServer(
  settings: Pick<AppSettings, "app" | "host" | "port">,
  baton: Served,
  check: Pick<AppCheck, "status"> | null = null,
  { headMs = limits.requestHeadMs }: { headMs?: number } = {},
): Promise<RunningServer> {
  const secrets = settings.app?.secrets ?? [];
  const { identities } = baton;
  const { store, clock } = baton.dependencies;
  // Node looks for slow clients every 30 s by itself.
  const server = createServer({ connectionsCheckingInterval: headMs / 10 }, (request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if ((path === webhookPath || path === "/") && request.method === "POST") {
      void deliver({ store, clock, log: baton.log, secrets }, request, response);
    } else if (identities !== null && path?.startsWith(effectsPath) === true) {
      void answerEffects({ claims: baton.claims, identities, log: baton.log }, request, response);
    } else if (path !== undefined && isHealthPath(path)) {
      void health(baton, check?.status() ?? null, path).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
        response.end(JSON.stringify(body));
      });
    } else {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(
        JSON.stringify({
          ok: false,
          message: `Nothing is at ${path}. Webhooks go to ${webhookPath}, health is at /health.`,
        }),
      );
    }
  });
  // HD1
  server.headersTimeout = headMs;
  // Only the last resort: each door has its own, stricter deadline, and runners bring bundles.
  server.requestTimeout = requestMsMax;
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  return { url: `http://${settings.host}:${port}`, close: () => closeServer(server) };
}

/** `/ping`: this process and its database work. `/health`: GitHub does not refuse it. `/ready`: GitHub confirmed it. */
const healthPaths = ["/ping", "/health", "/ready"] as const;
type HealthPath = (typeof healthPaths)[number];

function isHealthPath(path: string): path is HealthPath {
  return (healthPaths as readonly string[]).includes(path);
}

async function health(
  baton: Served,
  github: AppStatus | null,
  path: HealthPath,
): Promise<{ status: number; body: object }> {
  try {
    await baton.database.ping();
    const active = await baton.dependencies.store.runs({ active: true, limit: 1_000 });
    const ok = isWell(github, path);
    return {
      status: ok ? 200 : 503,
      body: {
        ok,
        database: baton.database.kind,
        activeRuns: active.length,
        ...(github === null ? {} : { github }),
      },
    };
  } catch (thrown) {
    // Its words name hosts and users, and anybody may ask.
    baton.log.error("The database does not answer", { error: toBatonError(thrown) });
    return {
      status: 503,
      body: {
        ok: false,
        database: baton.database.kind,
        message: "The database does not answer. Read why in Baton's log.",
      },
    };
  }
}

function isWell(github: AppStatus | null, path: HealthPath): boolean {
  if (github === null || path === "/ping") return true;
  if (path === "/health") return github.state !== "refused";
  return github.state === "ok" || github.state === "incomplete";
}

/** HD2: a closing server no longer looks for slow clients, and waits for each. */
async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), limits.requestsEndMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
