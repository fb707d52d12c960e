/**
 * `npm start`: the App on Probot's server. Without credentials, the set-up page registers it on GitHub first and keeps
 * GitHub's answer in `.env`. The environment takes precedence.
 */
import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { Probot, Server } from "probot";
import { createLogger } from "../adapters/system/log.ts";
import { readableLines } from "../adapters/system/log-lines.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";
import { hideSecrets } from "../environment/shown-secrets.ts";
import { webhookPath } from "./door.ts";
import { cannotListen, tryAddress } from "./listen.ts";
import { createApplication } from "./probot-app.ts";
import { answerNotFound } from "./server.ts";
import { setUp } from "./set-up/set-up.ts";

try {
  if (existsSync(".env")) loadEnvFile(".env");
  let settings = readSettings(process.env);
  const ignored = useProxies(process.env);
  await tryAddress(settings);
  if (settings.app === null) {
    const print = (text: string): void => void process.stderr.write(`${text}\n`);
    await setUp({ settings, environment: process.env, envFile: ".env", print });
    settings = readSettings(process.env);
  }
  if (settings.app === null) throw new BatonError("BATON_INTERNAL", "The set-up page kept no credentials.");
  // An agent runs as the same user, and could read the App's key there.
  const warnings = hideSecrets({ secrets: settings.secrets, envFile: existsSync(".env") ? ".env" : null, keep: false });
  await serve({ ...settings, app: settings.app }, ignored === null ? warnings : [...warnings, ignored]);
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
  const isForPeople = settings.logFormat === null ? process.stderr.isTTY === true : settings.logFormat === "pretty";
  const log = isForPeople
    ? createLogger(settings.logLevel, readableLines(process.stderr))
    : createLogger(settings.logLevel);
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
