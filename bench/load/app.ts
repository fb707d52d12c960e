/** The real App, as an operator starts it: `src/app/main.ts` in its own process, with an empty GitHub. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { webhookPath } from "../../src/app/door.ts";

export const webhookSecret = "a-secret-of-this-benchmark";
/** As `npm start` does. It keeps compiled code for the next start. */
const program = [fileURLToPath(new URL("../../bin/in-clone.js", import.meta.url)), "src/app/main.ts"];
const patienceMs = 60_000;
const lookIntervalMs = 10;

export interface StartedApp {
  webhookUrl: string;
  pid: number;
  /** From the spawn of the process to the first good answer of /health. */
  startedInMs: number;
  /** Sends SIGTERM. Resolves when the process is gone. */
  stop(): Promise<void>;
}

let privateKey: string | null = null;

export async function startApp(options: { dataDir: string; databaseUrl: string | null }): Promise<StartedApp> {
  privateKey ??= generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs1", format: "pem" })
    .toString();
  const github = await emptyGithub();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const begunAt = performance.now();
  const child = spawn(process.execPath, program, {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      PATH: process.env["PATH"],
      APP_ID: "1",
      PRIVATE_KEY: privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
      BATON_DATA: options.dataDir,
      PORT: `${port}`,
      LOG_LEVEL: "error",
      ...(options.databaseUrl === null ? {} : { DATABASE_URL: options.databaseUrl }),
    },
  });
  await healthy(child, url).catch((thrown: unknown) => {
    github.close();
    throw thrown;
  });
  return {
    webhookUrl: `${url}${webhookPath}`,
    pid: child.pid ?? 0,
    startedInMs: performance.now() - begunAt,
    async stop() {
      github.close();
      github.closeAllConnections();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

async function healthy(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const ok = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    if (child.exitCode !== null) throw new Error(`The App ended with ${child.exitCode} before it was healthy.`);
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`The App was not healthy within ${patienceMs} ms.`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
  }
}

/** The measured path asks GitHub for nothing. The App's timetable does, and gets an empty list. */
async function emptyGithub(): Promise<Server> {
  const server = createHttpServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end("[]");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
