/** The only place that builds adapters and joins them to the runner. */

import { hostname } from "node:os";
import { join } from "node:path";
import { setImmediate as macrotask } from "node:timers/promises";
import { z } from "zod";
import { builtInProcesses } from "../processes/index.ts";
import { children } from "./adapters/child/children.ts";
import { killSurvivors } from "./adapters/child/survivors.ts";
import { openDatabase } from "./adapters/database/open.ts";
import { createGithubApp } from "./adapters/github/github-app.ts";
import { harnessesOf } from "./adapters/harness/index.ts";
import { startModelProxy } from "./adapters/model-proxy/proxy.ts";
import { ownerUpstreamsOf, upstreamsOf } from "./adapters/model-proxy/upstreams.ts";
import { createJobIdentities } from "./adapters/oidc/job-identities.ts";
import { openPackageCaches } from "./adapters/sandbox/package-caches.ts";
import { createSecretScan } from "./adapters/secrets/secret-scan.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { createLog, logOver, redactLines } from "./adapters/system/log.ts";
import { systemRandom } from "./adapters/system/random.ts";
import { chooseWay } from "./adapters/workspace/probe-overlay.ts";
import { createWorkspaces } from "./adapters/workspace/workspaces.ts";
import { type AppCheck, type AppStatus, checkApp, startAppCheck } from "./app/app-check.ts";
import { rounds } from "./app/rounds.ts";
import { Timetable } from "./app/timetable.ts";
import { BatonError } from "./core/errors.ts";
import { startEngine } from "./engine.ts";
import type { AppSettings } from "./environment/settings.ts";
import { startFacts } from "./environment/start-facts.ts";
import type { GithubDeliverySummary } from "./ports/github.ts";
import type { JobIdentities } from "./ports/job-identity.ts";
import type { HostLogger, Log } from "./ports/log.ts";
import type { Database, Store } from "./ports/store.ts";
import { defineValue, readValue, writeValue } from "./ports/values.ts";
import { AgentSlots } from "./runner/agent-slots.ts";
import type { Dependencies } from "./runner/dependencies.ts";
import { durableWorkspaces } from "./runner/durable-workspaces.ts";
import type { OutboxPump } from "./runner/outbox/pump.ts";
import { redactingStore } from "./runner/redacting-store.ts";
import { EffectClaims } from "./runner/remote/claims.ts";
import type { Runner } from "./runner/runner.ts";
import { Runs } from "./runner/runs.ts";
import { storedWork } from "./runner/stored-work.ts";
import { createRedactor } from "./text/redact.ts";
import { agentSandboxOf, machineSandbox } from "./wire-sandbox.ts";

/** A started Baton: everything except its HTTP door. */
export interface Baton {
  dependencies: Dependencies;
  database: Database;
  runner: Runner;
  /** The library's door (JSON-001). */
  runs: Runs;
  /** The effect protocol's door (JSON-002). */
  claims: EffectClaims;
  /** The identities of its workers. null: no address is set at which workers could come. */
  identities: JobIdentities | null;
  outbox: OutboxPump;
  log: Log;
  stop(): Promise<void>;
}

const instanceValue = defineValue("instance", z.string());
const shutdownGraceMs = 8_000;

/** Parts that a host such as Probot already has. */
export interface Host {
  /** Baton writes to it. From now on, Baton also redacts everything that others write to it. */
  logger?: HostLogger;
  /** Proves that the caller is the App. */
  signJwt?: () => Promise<string>;
}

export async function startBaton(
  settings: AppSettings,
  overrides: Partial<Pick<Dependencies, "harnesses" | "processes" | "onInstructionsLoaded" | "agentSandbox">> &
    Host = {},
): Promise<Baton> {
  if (settings.app === null)
    throw new BatonError("BATON_SETTINGS_INVALID", "APP_ID, PRIVATE_KEY and WEBHOOK_SECRET are not set.");
  const redact = createRedactor({ secrets: settings.secrets });
  const log = logIn(overrides, settings, redact);
  log.info("Baton starts", { ...startFacts(settings) });
  const workspacesDir = join(settings.dataDir, "workspaces");
  const way = await chooseWay({ wanted: settings.workspaces, rootDir: workspacesDir, log });
  const database = await openDatabase({ databaseUrl: settings.databaseUrl, dataDir: settings.dataDir, log });
  const workspaces = createWorkspaces({
    rootDir: workspacesDir,
    log,
    way,
    secrets: createSecretScan(settings.secrets),
  });
  const models = await startModelProxy(upstreamsOf(settings.harness), ownerUpstreamsOf(settings.harness));
  const stopping = new AbortController();
  const dependencies: Dependencies = {
    store: redactingStore(database.store, redact),
    queue: database.queue,
    feed: database.feed,
    clock: systemClock,
    random: systemRandom,
    log,
    github: createGithubApp({
      appId: settings.app.id,
      privateKey: settings.app.privateKey,
      baseUrl: settings.githubApiUrl,
      webUrl: settings.githubWebUrl,
      clock: systemClock,
      stop: stopping.signal,
      ...(overrides.signJwt === undefined ? {} : { signJwt: overrides.signJwt }),
    }),
    workspaces: durableWorkspaces(workspaces, storedWork(database.store)),
    agentSandbox: overrides.agentSandbox ?? agentSandboxOf(settings.sandbox, machineSandbox(settings.dataDir, log)),
    packageCaches: openPackageCaches({ children, root: join(settings.dataDir, "caches") }),
    agentSlots: new AgentSlots(settings.agents, () => systemClock.now()),
    repositoryCommands: settings.harness.repositoryCommands,
    harnesses: overrides.harnesses ?? harnessesOf(settings.harness, settings.dataDir),
    models,
    owners: settings.owners,
    onboarding: settings.onboarding,
    publicUrl: settings.publicUrl,
    processes: overrides.processes ?? builtInProcesses(),
    ...(overrides.onInstructionsLoaded === undefined ? {} : { onInstructionsLoaded: overrides.onInstructionsLoaded }),
    redact,
    settle: async () => {
      await macrotask();
    },
    killSurvivors,
    instance: await instanceOf(database.store),
    owner: `${hostname()}/${process.pid}/${systemRandom.ulid(Date.now())}`,
    soleOwner: database.kind === "pglite",
  };
  const timetable = new Timetable(dependencies, rounds);
  const { runner, outbox } = await startEngine(dependencies);
  timetable.start();
  return {
    dependencies,
    database,
    runner,
    runs: new Runs(dependencies, runner),
    claims: new EffectClaims(dependencies, runner),
    identities:
      settings.publicUrl === null
        ? null
        : createJobIdentities({ issuer: settings.oidcIssuer, audience: settings.publicUrl }),
    outbox,
    log,
    async stop() {
      // Work that would have to wait for GitHub's limits stays for the next start.
      stopping.abort();
      // Order: no new work, then active work, then its last messages, then the store.
      await Promise.all([timetable.stop(), database.queue.stop(shutdownGraceMs)]);
      await runner.stop();
      await workspaces.release();
      await models.close();
      await outbox.stop();
      await database.close();
    },
  };
}

function logIn({ logger }: Host, { logLevel: level }: AppSettings, redact: (text: string) => string): Log {
  if (logger === undefined) return createLog({ level, redact });
  redactLines(logger, redact);
  return logOver(logger.child({ name: "baton" }), redact);
}

/** Asks GitHub about the App, in parallel with everything else. */
export function watchApp(settings: AppSettings, { log, signJwt }: Pick<Baton, "log"> & Host): AppCheck | null {
  const asked = appOf(settings, signJwt);
  return asked === null ? null : startAppCheck({ ...asked, clock: systemClock, log });
}

/** The same, asked once. null: no App is set up. */
export async function askForApp(settings: AppSettings): Promise<AppStatus | null> {
  const asked = appOf(settings);
  return asked === null ? null : checkApp(asked);
}

/** The App's newest deliveries, as GitHub logged them. Empty: no App is set up, or GitHub sent none. */
export async function deliveriesOf({ app, githubApiUrl: baseUrl }: AppSettings): Promise<GithubDeliverySummary[]> {
  if (app === null) return [];
  const github = createGithubApp({ appId: app.id, privateKey: app.privateKey, baseUrl, clock: systemClock });
  return (await github.deliveries(null)).deliveries;
}

function appOf({ app, githubApiUrl: baseUrl }: AppSettings, signJwt?: Host["signJwt"]) {
  if (app === null) return null;
  const { id: appId, privateKey } = app;
  const own = signJwt === undefined ? {} : { signJwt };
  return { appId, reader: createGithubApp({ appId, privateKey, baseUrl, clock: systemClock, ...own }) };
}

/** Made once for a database. Two replicas may each make one at its first start. Later, both read the one that was kept. */
async function instanceOf(store: Store): Promise<string> {
  const known = await readValue(store, instanceValue);
  if (known !== null) return known;
  const made = systemRandom.ulid(Date.now());
  await writeValue(store, instanceValue, made);
  return made;
}
