/**
 * Baton as a Probot application. `probot run` loads it, and `npm start` hosts it on Probot's server. `createNodeMiddleware`
 * mounts it in any Node server. Authentication and log are Probot's.
 *
 * PA1 A delivery with an answer of 2xx is in the store. Deliveries reach Baton's own door, never Probot's middleware, which
 *     answers after 9 s whatever a handler has done by then.
 * PA2 If Probot's server listens, a signed delivery by Baton itself shows that the door answers. Otherwise Baton ends.
 * PA3 A signal ends Baton in order: it answers requests under way, then leaves active runs for the next start.
 * PA4 A process that is not Baton's keeps its environment. If the process has its own rules, it ends by them.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, realpathSync } from "node:fs";
import { createServer, type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApplicationFunction, createNodeMiddleware, type Probot } from "probot";
import { logSandbox } from "../adapters/sandbox/log-sandbox.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import { product } from "../core/product.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";
import { hideSecrets } from "../environment/shown-secrets.ts";
import type { Log } from "../ports/log.ts";
import { type Baton, startBaton, watchApp } from "../wire.ts";
import { operatorOf } from "../wire-tools.ts";
import { GithubSignIn } from "./api/github-sign-in.ts";
import { LocalSessions } from "./api/local-session.ts";
import { openApi } from "./api/serve.ts";
import { Tokens } from "./api/tokens.ts";
import type { AppCheck } from "./app-check.ts";
import { type About, controlPath } from "./control/protocol.ts";
import { openControl } from "./control/server.ts";
import { startRun } from "./control/start-run.ts";
import { makeDataDir } from "./data-dir.ts";
import { type Door, openDoor } from "./door.ts";
import { listen } from "./listen.ts";
import { boundHeads, closeServer } from "./server.ts";

export interface ApplicationOptions {
  /** Read from the environment unless given. `warnings`: the result of hiding its secrets. */
  start?: { settings: AppSettings; warnings: readonly string[] };
  /** The process is Baton's own: it has no environment to keep (PA4), and ends when Baton does. */
  ownsProcess?: boolean;
  /** The server is Baton's own, down to its root. */
  ownsServer?: boolean;
}

export interface Application {
  /** For Probot. */
  app: ApplicationFunction;
  /** PA2, for a server that listens. Throws unless the door answers there. */
  serve(server: Server): Promise<void>;
  /** PA3, for a host that ends by its own rules. */
  stop(): Promise<void>;
}

type NodeMiddleware = Awaited<ReturnType<typeof createNodeMiddleware>>;

interface Parts {
  door: Door | null;
  baton: Baton | null;
  check: AppCheck | null;
  /** Probot's server, if that is the host. It closes with Baton. */
  server: Server | null;
  /** Address of its API. */
  github: string;
  control: Awaited<ReturnType<typeof openControl>>;
  startedAt: number;
}

export function createApplication(options: ApplicationOptions = {}): Application {
  const isProbots = isProbotProgram();
  const { ownsProcess = isProbots, ownsServer = false } = options;
  const parts: Parts = {
    door: null,
    baton: null,
    check: null,
    server: null,
    github: "",
    control: null,
    startedAt: Date.now(),
  };
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= end(parts);
    return stopped;
  };
  const serve = async (server: Server): Promise<void> => {
    const { door, baton, github } = parts;
    if (door === null || baton === null) throw new BatonError("BATON_INTERNAL", "Probot has not loaded Baton.");
    await door.probe(server);
    const { kind: database } = baton.database;
    if (parts.server === null) baton.log.info("Baton is mounted", { database, github });
    else baton.log.info("Baton listens", { url: urlOf(server), database, github });
  };
  /** Under `probot run`, nothing else reports the failure in words. */
  const fail = async (thrown: unknown): Promise<never> => {
    await stop();
    if (!isProbots) throw thrown;
    const { code, message, remedy } = toBatonError(thrown);
    process.stderr.write(`${code}: ${message}\n${remedy}\n`);
    return process.exit(1);
  };

  const load: ApplicationFunction = async (probot, { addHandler }) => {
    const { settings, warnings } = options.start ?? readStart(ownsProcess);
    if (settings.app === null)
      throw new BatonError(
        "BATON_SETTINGS_INVALID",
        "APP_ID is not set. Baton reads the App's credentials from the environment and from `.env`, not from options of the command `probot`.",
      );
    makeDataDir(settings.dataDir);
    const octokit = await probot.auth();
    const signJwt = async (): Promise<string> => ((await octokit.auth({ type: "app" })) as { token: string }).token;
    const baton = await startBaton(settings, { logger: probot.log, signJwt });
    parts.baton = baton;
    parts.github = settings.githubApiUrl;
    const { log } = baton;
    if (baton.dependencies.agentSandbox !== undefined) void logSandbox(baton.dependencies.agentSandbox, log);
    for (const warning of warnings) log.warn(warning);
    parts.check = watchApp(settings, { log, signJwt });
    const sessions = new LocalSessions(baton.dependencies.clock);
    const door = openDoor(baton, {
      secrets: settings.app.secrets,
      triggerSecrets: settings.triggerSecrets,
      check: parts.check,
      api: openApi(baton, { local: sessions, github: signInOf(settings, baton) }),
      ownsRoot: ownsServer,
    });
    parts.door = door;
    parts.control = await openControl({
      path: controlPath(settings.dataDir),
      operator: operatorOf({ ...baton.database, store: baton.dependencies.store }, baton.runs, settings, {
        start: (request) => startRun(baton.dependencies, baton.runner, request),
        createToken: (request) => new Tokens(baton.dependencies).create(baton.dependencies.github, request),
        signIn: async () => sessions.link(listeningUrl(parts)),
      }),
      about: () => aboutOf(parts, baton),
      stop: () => process.kill(process.pid, "SIGTERM"),
      log,
    });
    door.addPath(probot.webhookPath);
    addHandler((request, response) => door.handle(request, response));
    stopAtSignals({ log, ownsProcess, stop });
    const onServer = (server: Server): void => {
      if (parts.server !== null) return;
      boundHeads(server);
      parts.server = server;
      // A host with its own server asks for it itself.
      if (!ownsServer) server.once("listening", () => void serve(server).catch(fail));
    };
    standIn(probot, door, () => watchServers(onServer, { thisTurn: true }));
    // Every listening server there must have the door, even if Probot asked nobody for it.
    if (isProbots) watchServers(onServer, { thisTurn: false });
  };
  const app: ApplicationFunction = async (probot, given) => {
    try {
      await load(probot, given);
    } catch (thrown) {
      await fail(thrown);
    }
  };
  return { app, serve, stop };
}

/** `probot run` loads this, and `createNodeMiddleware` accepts it. */
export default createApplication().app;

/** For any kind of server: the middleware, after a server for one delivery has shown that the door answers (PA2). */
export async function createMiddleware(probot: Probot): Promise<{ middleware: NodeMiddleware; stop(): Promise<void> }> {
  const { app, serve, stop } = createApplication({ ownsProcess: false });
  const middleware = await createNodeMiddleware(app, { probot });
  const server = createServer((request, response) => {
    void middleware(request, response, () => response.writeHead(404).end());
  });
  try {
    await listen(server, { host: "127.0.0.1", port: 0 });
    await serve(server);
  } catch (thrown) {
    await stop();
    throw thrown;
  } finally {
    await closeServer(server);
  }
  return { middleware, stop };
}

/** `probot run` has already read `.env`. */
function readStart(ownsProcess: boolean): NonNullable<ApplicationOptions["start"]> {
  const settings = readSettings(process.env);
  const ignored = useProxies(process.env);
  const envFile = existsSync(".env") ? ".env" : null;
  const warnings = hideSecrets({ secrets: settings.secrets, envFile, keep: !ownsProcess });
  return { settings, warnings: ignored === null ? warnings : [...warnings, ignored] };
}

/**
 * PA1: a caller that asks this Probot for its middleware gets the door. Probot's server asks without options, right before
 * it listens. `createNodeMiddleware` asks with options and listens nowhere.
 */
function standIn(probot: Probot, door: Door, serverAsks: () => void): void {
  probot.getNodeMiddleware = async (options) => {
    if (options === undefined) serverAsks();
    else if (options.path !== undefined) door.addPath(options.path);
    // biome-ignore lint/complexity/noBannedTypes: the type that Probot gives.
    return async (request: IncomingMessage, response: ServerResponse, next?: Function) => {
      const isOurs = await door.handle(request, response);
      if (!isOurs) next?.();
      return isOurs;
    };
  };
}

/**
 * Finds the server that is about to listen, because Baton must bound slow heads before that. `thisTurn`: only before
 * anything else can happen. Otherwise it is the next server with a chosen port. Baton's own servers use any free port.
 */
function watchServers(found: (server: Server) => void, { thisTurn }: { thisTurn: boolean }): void {
  const channel = "tracing:net.server.listen:asyncStart";
  const onListen = (message: unknown): void => {
    const { server, options } = message as { server: unknown; options?: { port?: unknown } };
    if (!(server instanceof Server) || (!thisTurn && Number(options?.port ?? 0) === 0)) return;
    unsubscribe(channel, onListen);
    found(server);
  };
  subscribe(channel, onListen);
  if (thisTurn) setImmediate(() => unsubscribe(channel, onListen));
}

function stopAtSignals({
  log,
  ownsProcess,
  stop,
}: {
  log: Log;
  ownsProcess: boolean;
  stop: () => Promise<void>;
}): void {
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const onSignal = (): void => {
      if (isStopping) return;
      isStopping = true;
      log.info("Baton stops: running steps are ended and resumed at the next start", { signal });
      void stop().then(() => {
        if (ownsProcess) process.exit(0);
        process.off(signal, onSignal);
        // PA4: without Baton's listener, the signal would have ended a host that does not listen to it.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.on(signal, onSignal);
  }
}

/** PA3 */
async function end({ door, baton, check, server, control }: Parts): Promise<void> {
  await Promise.all([door?.close(), server === null ? undefined : closeServer(server)]);
  await check?.stop();
  // Callers on the socket read the database, so the socket closes first.
  await control?.close();
  await baton?.stop();
}

async function aboutOf({ server, check, startedAt }: Parts, { database, dependencies }: Baton): Promise<About> {
  return {
    version: product.version,
    pid: process.pid,
    startedAt,
    url: server?.listening === true ? urlOf(server) : null,
    database: database.kind,
    github: check?.status()?.state ?? "unknown",
    activeRuns: (await dependencies.store.runs({ active: true })).length,
  };
}

/** True if the process is that of the command `probot`, which loads the application and does nothing else. */
function isProbotProgram(): boolean {
  try {
    return /[\\/]probot[\\/]bin[\\/]probot\.js$/.test(realpathSync(process.argv[1] ?? ""));
  } catch {
    return false;
  }
}

/** null: the operator set no client of GitHub. */
function signInOf(
  { client, publicUrl, githubWebUrl: webUrl, githubApiUrl: apiUrl }: AppSettings,
  { dependencies: { store, clock } }: Baton,
): GithubSignIn | null {
  if (client === null || publicUrl === null) return null;
  return new GithubSignIn({
    store,
    clock,
    publicUrl,
    app: { clientId: client.id, clientSecret: client.secret, webUrl, apiUrl },
  });
}

function listeningUrl({ server }: Parts): string {
  if (server?.listening !== true)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      "This Baton is a part of another server, whose address it does not know.",
    );
  return urlOf(server);
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
