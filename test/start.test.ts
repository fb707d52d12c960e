/** `npm start` as an operator does it: without anything, with what the set-up page left, with mistakes. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";

const main = fileURLToPath(new URL("../src/app/main.ts", import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-start-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function start(environment: Record<string, string>) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: directory, ...environment };
  const child = execa(process.execPath, [main], { cwd: directory, env, extendEnv: false, reject: false, all: true });
  let printed = "";
  child.all.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
  });
  const prints = async (text: RegExp): Promise<void> => {
    while (!text.test(printed))
      await Promise.race([once(child.all, "data"), child.then(() => Promise.reject(new Error(printed)))]);
  };
  return { child, prints };
}

it("without credentials serves the page that registers the App", async () => {
  const port = await freePort();
  const { child, prints } = start({ PORT: `${port}` });
  await prints(/Listening on/);
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(page).toContain("Register GitHub App");
  child.kill("SIGTERM");
  await child;
});

it("goes on with what that page kept in .env, is healthy, takes webhooks at both places, and ends politely", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const port = await freePort();
  writeFileSync(join(directory, ".env"), `APP_ID=1\nPRIVATE_KEY="${pem}"\nWEBHOOK_SECRET=secret\nPORT=${port}\n`);
  const { child, prints } = start({ GITHUB_API_URL: "http://127.0.0.1:9" });
  await prints(/Baton listens/);
  const url = `http://127.0.0.1:${port}`;
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ ok: true, database: "pglite", activeRuns: 0 });
  for (const path of ["/", "/api/github/webhooks"]) {
    const refused = await fetch(`${url}${path}`, { method: "POST", body: "{}" });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      401,
      "BATON_SIGNATURE_INVALID",
    ]);
  }
  child.kill("SIGTERM");
  expect((await child).exitCode).toBe(0);
});

it("names every setting that is wrong, with its value, and what is missing", async () => {
  const { child } = start({ APP_ID: "12", PORT: "seventy", LOG_LEVEL: "loud", BATON_HARNESS_COMMAND: "agent" });
  const { exitCode, all } = await child;
  expect(exitCode).toBe(1);
  expect(all).toMatch(/BATON_SETTINGS_INVALID/);
  for (const told of [/PORT is "seventy"/, /LOG_LEVEL is "loud".*debug/, /PRIVATE_KEY/, /WEBHOOK_SECRET/])
    expect(all).toMatch(told);
});

it.each<[string, Record<string, string>, RegExp]>([
  [
    "a port that something else listens at",
    { PORT: "taken" },
    /BATON_ADDRESS_UNAVAILABLE.*something else.*set `PORT`/s,
  ],
  [
    "the same, before the App is registered",
    { PORT: "taken", APP_ID: "" },
    /BATON_ADDRESS_UNAVAILABLE.*something else/s,
  ],
  ["an address of no machine", { HOST: "192.0.2.1" }, /BATON_ADDRESS_UNAVAILABLE.*does not have that address/s],
  ["a file in the place of the folder", { BATON_DATA: main }, /BATON_SETTINGS_INVALID: BATON_DATA is .*main\.ts/s],
])("%s ends it with what to do, and nothing stays", async (_, environment, told) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { child } = start({
    APP_ID: "1",
    PRIVATE_KEY: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    WEBHOOK_SECRET: "secret",
    ...environment,
    PORT: environment["PORT"] === "taken" ? `${port}` : "0",
  });
  const { exitCode, all } = await child;
  taken.close();
  expect([exitCode, all]).toEqual([1, expect.stringMatching(told)]);
  expect(all).not.toContain("fault in Baton");
});
