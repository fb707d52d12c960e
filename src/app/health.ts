/**
 * Baton's health. `/ping`: this process and its database work. `/health`: GitHub does not refuse it. `/ready`: GitHub
 * confirmed it.
 *
 * HL1 The words of a database are for the log.
 */
import type { ServerResponse } from "node:http";
import type { Log } from "../ports/log.ts";
import type { Database, Store } from "../ports/store.ts";
import type { AppStatus } from "./app-check.ts";

const healthPaths = ["/ping", "/health", "/ready"] as const;
type HealthPath = (typeof healthPaths)[number];

interface Asked {
  database: Pick<Database, "kind" | "ping">;
  dependencies: { store: Pick<Store, "runs"> };
  log: Log;
}

export function isHealthPath(path: string): path is HealthPath {
  return (healthPaths as readonly string[]).includes(path);
}

export async function answerHealth(
  asked: Asked,
  github: AppStatus | null,
  path: HealthPath,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await healthOf(asked, github, path);
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

async function healthOf(
  { database, dependencies, log }: Asked,
  github: AppStatus | null,
  path: HealthPath,
): Promise<{ status: number; body: object }> {
  try {
    await database.ping();
    const active = await dependencies.store.runs({ active: true, limit: 1_000 });
    const ok = isWell(github, path);
    return {
      status: ok ? 200 : 503,
      body: {
        ok,
        database: database.kind,
        activeRuns: active.length,
        ...(github === null ? {} : { github }),
      },
    };
  } catch (thrown) {
    log.warn("The database does not answer", { error: thrown });
    const message = "The database does not answer. The log has its words.";
    return { status: 503, body: { ok: false, database: database.kind, message } };
  }
}

function isWell(github: AppStatus | null, path: HealthPath): boolean {
  if (github === null || path === "/ping") return true;
  if (path === "/health") return github.state !== "refused";
  return github.state === "ok" || github.state === "incomplete";
}
