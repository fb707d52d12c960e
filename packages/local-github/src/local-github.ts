/**
 * A local GitHub for the demo and tests, on this machine (127.0.0.1). It has REST, webhooks, git over HTTP and a CI
 * that really runs.
 *
 * Owns: starting, stopping, and the surface. Does not own: any part of Baton. Baton's core does not know it.
 * L1 Nothing outlives `close()`: no server, child, timer or file. L2 `settle()` resolves when nothing is in flight.
 */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccount, registerApp } from "./deeds/accounts.ts";
import { actionsSlug } from "./deeds/ci.ts";
import type { Exchange, LogEntry } from "./exchange.ts";
import { createFaults, type Faults } from "./faults.ts";
import { pages } from "./pages/pages.ts";
import { speak } from "./pages/speak.ts";
import { createPeople, type People } from "./people.ts";
import { createRateLimits, type RateLimitOptions } from "./rate-limits.ts";
import { actionRoutes } from "./routes/actions.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { appRoutes } from "./routes/app.ts";
import { checkRoutes } from "./routes/checks.ts";
import { codeRoutes, commitRoutes } from "./routes/code.ts";
import { graphqlRoutes } from "./routes/graphql.ts";
import { issueRoutes } from "./routes/issues.ts";
import { metaRoutes } from "./routes/meta.ts";
import { pullRoutes } from "./routes/pulls.ts";
import { repositoryRoutes } from "./routes/repositories.ts";
import { serve } from "./server.ts";
import type { Site, WorkflowDispatch } from "./site.ts";
import { emptyState, type State } from "./state.ts";
import { createWebhooks, type Delivery } from "./webhooks.ts";

export interface LocalGithubOptions {
  /** Any free port by default. */
  port?: number;
  now?: () => Date;
  limits?: RateLimitOptions;
  onExchange?: (exchange: Exchange) => void;
  /** Called for each request of the API and of git before any work on it. The server waits for the returned promise. */
  onRequest?: (request: { method: string; path: string }) => Promise<void> | undefined;
  /** The person who acts in the pages, and comments that a button writes. Absent: the pages are read-only. */
  player?: { login: string; phrases: readonly string[] };
  /** Plays the runners. Called for each workflow that `workflow_dispatch` starts. */
  onDispatch?: (dispatch: WorkflowDispatch) => void;
}

export interface LocalGithub extends People {
  /** The address for people and for git clones: `http://127.0.0.1:1234`. */
  url: string;
  /** Base URL for Octokit. */
  apiUrl: string;
  /** Base URL in the form of an Enterprise Server: the same API under `/api/v3`. */
  enterpriseApiUrl: string;
  faults: Faults;
  /** Every request, oldest first. */
  log: LogEntry[];
  /** Every webhook delivery, oldest first. */
  deliveries: readonly Delivery[];
  /** The whole state, for reading. */
  state: State;
  /** Sends a delivery again, with the same GUID and bytes. */
  redeliver(deliveryId: number): void;
  /** Resolves when no request, delivery or CI job is in flight. Throws errors from inside. */
  settle(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The routes that it serves. The tests compare them with GitHub's description. */
export const localGithubRoutes = [
  ...metaRoutes,
  ...appRoutes,
  ...issueRoutes,
  ...pullRoutes,
  ...checkRoutes,
  ...actionRoutes,
  ...repositoryRoutes,
  ...codeRoutes,
  ...commitRoutes,
  ...alertRoutes,
];

/**
 * Every exchange of every local GitHub of this process. The checks of shapes listen here, so no test can bypass them.
 */
const exchanges = channel("local-github.exchange");

export async function startLocalGithub(options: LocalGithubOptions = {}): Promise<LocalGithub> {
  const directory = await mkdtemp(join(tmpdir(), "local-github-"));
  await mkdir(`${directory}/repositories`);
  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", reject);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state = emptyState();
  const now = options.now ?? (() => new Date());
  const closing = new AbortController();
  const flight = createFlight();
  const locks = new Map<number, Promise<unknown>>();
  const faults = createFaults(() => state);
  const onExchange = (exchange: Exchange): void => {
    options.onExchange?.(exchange);
    exchanges.publish(exchange);
  };
  const log: LogEntry[] = [];

  const site: Site = {
    player: options.player === undefined ? null : { ...options.player, key: randomBytes(24).toString("base64url") },
    state,
    origin,
    apiUrl: origin,
    directory,
    now,
    timestamp: () => `${now().toISOString().slice(0, 19)}Z`,
    deliveries: [],
    post: (webhook) => webhooks.post(webhook),
    redeliver: (delivery) => webhooks.redeliver(delivery),
    onDispatch: (dispatch) => options.onDispatch?.(dispatch),
    inFlight: (work) => flight.add(work),
    closing: closing.signal,
    locked(repositoryId, work) {
      const before = locks.get(repositoryId) ?? Promise.resolve();
      const after = before.then(work, work);
      locks.set(
        repositoryId,
        after.catch(() => undefined),
      );
      return after;
    },
  };
  const webhooks = createWebhooks(site, { faults: faults.webhooks, onExchange });
  addGithubItself(site);
  const limits = createRateLimits(options.limits ?? {}, now);
  const onRequest = options.onRequest ?? (() => undefined);
  const routes = [...localGithubRoutes, ...graphqlRoutes];
  const parts = { site, routes, faults, limits, log, onRequest, onExchange, pages, speak };
  server.on("request", (request, response) => flight.add(serve(parts, request, response)));

  async function settle(): Promise<void> {
    webhooks.flush();
    await flight.landed();
  }

  async function close(): Promise<void> {
    closing.abort();
    server.close();
    server.closeAllConnections();
    await flight.landed().catch(() => undefined);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  return {
    ...createPeople(site),
    url: origin,
    apiUrl: origin,
    enterpriseApiUrl: `${origin}/api/v3`,
    faults: faults.faults,
    log,
    deliveries: site.deliveries,
    state,
    redeliver(deliveryId) {
      const found = site.deliveries.find((one) => one.id === deliveryId);
      if (found === undefined) throw new Error(`There is no delivery ${deliveryId}.`);
      webhooks.redeliver(found);
    },
    settle,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The accounts that exist from the start: GitHub, and the App that is GitHub Actions. */
function addGithubItself(site: Site): void {
  createAccount(site, { login: "github", kind: "Organization" });
  const { publicKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const grants = { actions: "write", checks: "write", contents: "write", statuses: "write" } as const;
  registerApp(site, { slug: actionsSlug, name: "GitHub Actions", ownerLogin: "github", grants, events: [] }, publicKey);
}

/** Work in flight, and its errors. */
function createFlight() {
  const work = new Set<Promise<unknown>>();
  const failures: unknown[] = [];
  return {
    add(one: Promise<unknown>): void {
      const watched = one
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => work.delete(watched));
      work.add(watched);
    },
    async landed(): Promise<void> {
      while (work.size > 0) await Promise.all(work);
      if (failures.length > 0) throw new AggregateError(failures.splice(0), "The local GitHub failed inside.");
    },
  };
}
