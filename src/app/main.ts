/**
 * `npm start`: the App. Without credentials, Probot's own set-up page registers it on GitHub in a few clicks and keeps what
 * GitHub gave in `.env`, which is read at the next start; what the environment says goes before it.
 */
import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { logSandbox } from "../adapters/sandbox/log-sandbox.ts";
import { forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { toBatonError } from "../core/errors.ts";
import { startBaton } from "../wire.ts";
import { makeDataDir } from "./data-dir.ts";
import { tryAddress } from "./listen.ts";
import { startServer, webhookPath } from "./server.ts";
import { readSettings } from "./settings.ts";

try {
  if (existsSync(".env")) loadEnvFile(".env");
  const settings = readSettings(process.env);
  await tryAddress(settings);
  if (settings.app === null) await setUp(settings.port, settings.host);
  else {
    // An agent is of the same user, and could read the App's key there.
    forgetEnvironment(settings.secrets);
    await serve(settings);
  }
} catch (thrown) {
  const error = toBatonError(thrown);
  process.stderr.write(`${error.code}: ${error.message}\n${error.remedy}\n`);
  // Whatever had begun by then would keep the process; a Baton may die at any instruction.
  process.exit(1);
}

async function serve(settings: ReturnType<typeof readSettings>): Promise<void> {
  makeDataDir(settings.dataDir);
  const baton = await startBaton(settings);
  const server = await startServer(settings, baton);
  const { agentSandbox } = baton.dependencies;
  if (agentSandbox !== undefined) void logSandbox(agentSandbox, baton.log);
  baton.log.info("Baton listens", { url: server.url, database: baton.database.kind, github: settings.githubApiUrl });
  const proxy = process.env["WEBHOOK_PROXY_URL"];
  if (proxy !== undefined) {
    const target = `${server.url}${webhookPath}`;
    baton.log.warn("The App's webhooks go to a proxy: forward them with smee-client", { proxy, target });
  }
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      baton.log.info("Baton stops: running steps are ended and resumed at the next start", { signal });
      void server
        .close()
        .then(() => baton.stop())
        .then(() => process.exit(0));
    });
  }
}

async function setUp(port: number, host: string): Promise<void> {
  const { run } = await import("probot");
  process.stderr.write(
    `No APP_ID is set: open http://${host}:${port} to register the App on GitHub, then start again.\n`,
  );
  // Probot would send the webhooks, and with them what people write, through a public proxy; who wants that says NO_SMEE_SETUP=false.
  const smee =
    (process.env["NO_SMEE_SETUP"] as string | undefined) === "false"
      ? { NO_SMEE_SETUP: undefined }
      : { NO_SMEE_SETUP: "true" as const };
  const env = { ...process.env, ...smee, PORT: `${port}`, HOST: host };
  await run(() => {}, { env });
}
