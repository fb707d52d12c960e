/**
 * `npm start`: the App on Probot's server. Without credentials, Probot's own set-up page registers it on GitHub in a few
 * clicks. The page keeps GitHub's answer in `.env` for the next start. The environment takes precedence.
 */
import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { Probot, run, Server } from "probot";
import { createLogger } from "../adapters/system/log.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { toBatonError } from "../core/errors.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";
import { hideSecrets } from "../environment/shown-secrets.ts";
import { webhookPath } from "./door.ts";
import { cannotListen, tryAddress } from "./listen.ts";
import { createApplication } from "./probot-app.ts";
import { answerNotFound } from "./server.ts";

try {
  const envFile = existsSync(".env") ? ".env" : null;
  if (envFile !== null) loadEnvFile(envFile);
  const settings = readSettings(process.env);
  const ignored = useProxies(process.env);
  await tryAddress(settings);
  if (settings.app === null) await setUp(settings.port, settings.host);
  else {
    // An agent runs as the same user, and could read the App's key there.
    const warnings = hideSecrets({ secrets: settings.secrets, envFile, keep: false });
    await serve({ ...settings, app: settings.app }, ignored === null ? warnings : [...warnings, ignored]);
  }
} catch (thrown) {
  const error = toBatonError(thrown);
  process.stderr.write(`${error.code}: ${error.message}\n${error.remedy}\n`);
  // Work that has begun by then would keep the process alive. A Baton may die at any instruction.
  process.exit(1);
}

async function serve(
  settings: AppSettings & { app: NonNullable<AppSettings["app"]> },
  warnings: readonly string[],
): Promise<void> {
  const { app, host, port, githubApiUrl: baseUrl } = settings;
  const log = createLogger(settings.logLevel);
  const application = createApplication({ start: { settings, warnings }, ownsProcess: true, ownsServer: true });
  const { id: appId, privateKey, secrets } = app;
  const server = new Server({
    Probot: Probot.defaults({ appId, privateKey, secret: secrets[0], baseUrl, log }),
    log,
    host,
    // As text: Probot does not accept the number 0, any free port, as a port.
    port: `${port}` as unknown as number,
    enablePing: false,
    enableStaticFiles: false,
    enableNotFound: false,
  });
  await server.load(application.app);
  server.addHandler((request, response) => {
    answerNotFound(request.url, response);
    return true;
  });
  const listening = await server.start().catch((cause: NodeJS.ErrnoException) => {
    throw cannotListen(settings, cause);
  });
  await application.serve(listening);
  const proxy = process.env["WEBHOOK_PROXY_URL"];
  if (proxy === undefined) return;
  const target = `http://${host}:${server.port}${webhookPath}`;
  log.warn({ proxy, target }, "The App's webhooks go to a proxy: forward them with smee-client");
}

async function setUp(port: number, host: string): Promise<void> {
  // The page writes `.env` for this user only.
  process.umask(0o077);
  process.stderr.write(
    `No APP_ID is set: open http://${host}:${port} to register the App on GitHub, then start again.\n`,
  );
  // Probot would send the webhooks, and people's words in them, through a public proxy. An operator who wants that sets
  // NO_SMEE_SETUP=false.
  const smee =
    (process.env["NO_SMEE_SETUP"] as string | undefined) === "false"
      ? { NO_SMEE_SETUP: undefined }
      : { NO_SMEE_SETUP: "true" as const };
  const env = { ...process.env, ...smee, PORT: `${port}`, HOST: host };
  await run(() => {}, { env });
}
