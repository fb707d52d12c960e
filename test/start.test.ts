/** `npm start` for an operator: with nothing set, with the set-up page's files, with mistakes. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort } from "./free-port.ts";
import { shortLived } from "./short-lived.ts";

const main = fileURLToPath(new URL("../src/app/main.ts", import.meta.url));
/** Compiled code of earlier starts. */
const { NODE_COMPILE_CACHE } = process.env;
const compiled: Record<string, string> = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-start-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

function start(environment: Record<string, string>) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: directory, ...compiled, ...environment };
  const child = execa(process.execPath, [...shortLived, main], {
    cwd: directory,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
  let printed = "";
  child.all.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
  });
  const prints = async (text: RegExp): Promise<void> => {
    while (!text.test(printed))
      await Promise.race([once(child.all, "data"), child.then(() => Promise.reject(new Error(printed)))]);
  };
  return { child, prints, first: () => printed.split("\n")[0] ?? "" };
}

it("without credentials serves the page that registers the App", async () => {
  const port = await freePort();
  const { child, prints, first } = start({ PORT: `${port}` });
  await prints(/Register the App: http/);
  const [address = ""] = /http:\S+/.exec(first()) ?? [];
  expect(await (await fetch(address)).text()).toContain("Register Baton on GitHub");
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(403);
  child.kill("SIGTERM");
  await child;
});

it("goes on with what that page kept in .env, is healthy, takes webhooks at both places, and ends politely", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const port = await freePort();
  writeFileSync(join(directory, ".env"), `APP_ID=1\nPRIVATE_KEY="${pem}"\nWEBHOOK_SECRET=secret\nPORT=${port}\n`);
  const { child, prints, first } = start({ GITHUB_API_URL: "http://127.0.0.1:9" });
  await prints(/Baton listens/);
  expect(JSON.parse(first())).toMatchObject({
    msg: "Baton starts",
    version: expect.any(String),
    data: expect.stringContaining(".baton"),
    database: "embedded",
    github: "http://127.0.0.1:9",
    harnesses: "none has a key",
    sandbox: "require",
  });
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

const root = fileURLToPath(new URL("..", import.meta.url));
const hasProc = existsSync("/proc/self/environ");

/** `npm start` as the README says, in its own folder: the package's own script, the repository's own sources. */
async function npmStart(environment: Record<string, string>) {
  copyFileSync(join(root, "package.json"), join(directory, "package.json"));
  for (const name of ["bin", "src", "processes", "node_modules", "app.yml"])
    symlinkSync(join(root, name), join(directory, name));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    npm_config_update_notifier: "false",
    ...compiled,
    ...environment,
  };
  const child = execa("npm", ["start"], {
    cwd: directory,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
  let printed = "";
  child.all.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
  });
  while (!printed.includes("Baton listens"))
    await Promise.race([once(child.all, "data"), child.then(() => Promise.reject(new Error(printed)))]);
  const family = (): number[] => [child.pid as number, ...descendantsOf(child.pid as number)];
  return {
    printed: () => printed,
    family,
    stop: async () => {
      // npm passes the signal on to a shell, which does not pass it on. So the program itself gets it.
      for (const pid of family())
        if (commandOf(pid).includes("src/app/main.ts") && commandOf(pid).startsWith("node"))
          process.kill(pid, "SIGTERM");
      await child;
    },
  };
}

const readProc = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};
const commandOf = (pid: number): string => readProc(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0);
function descendantsOf(pid: number): number[] {
  const children = allPids().filter((one) => parentOf(one) === pid);
  return children.flatMap((one) => [one, ...descendantsOf(one)]);
}

const newPem = (): string =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }).toString();

it.runIf(hasProc)(
  "npm-start-leaves-secrets-in-proc: with secrets in `.env` and in files, no process shows one, in its environment or its arguments",
  async () => {
    const pem = newPem();
    const secrets = {
      webhook: `hook-${crypto.randomUUID()}`,
      openai: `sk-${crypto.randomUUID()}`,
      anthropic: `sk-ant-${crypto.randomUUID()}`,
    };
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text, { mode: 0o600 });
      return join(directory, name);
    };
    file(
      ".env",
      [
        "APP_ID=1",
        `PRIVATE_KEY="${pem}"`,
        `WEBHOOK_SECRET_FILE=${file("hook", `${secrets.webhook}\n`)}`,
        `OPENAI_API_KEY=${secrets.openai}`,
        `ANTHROPIC_API_KEY_PATH=${file("anthropic", secrets.anthropic)}`,
        "PORT=0",
      ].join("\n"),
    );
    const baton = await npmStart({ GITHUB_API_URL: "http://127.0.0.1:9" });
    try {
      expect(baton.family().map(commandOf).join("\n")).toMatch(/npm[^]*src\/app\/main\.ts/);
      const values = [...Object.values(secrets), pem.split("\n")[3] as string];
      const shown = allPids().flatMap((pid) => {
        const text = readProc(`/proc/${pid}/environ`) + readProc(`/proc/${pid}/cmdline`);
        return values.filter((value) => text.includes(value)).map(() => `${pid} ${commandOf(pid)}`);
      });
      expect(shown).toEqual([]);
      for (const value of values) expect(baton.printed()).not.toContain(value);
      expect(baton.printed()).not.toContain("chmod 600");
      expect(baton.printed()).not.toMatch(/(?:OPENAI_API_KEY|WEBHOOK_SECRET|PRIVATE_KEY)[^"]* in the environment of/);
    } finally {
      await baton.stop();
    }
  },
);

it.runIf(hasProc)(
  "npm-start-leaves-secrets-in-proc: secrets in npm's own environment are told by name, with the way to move them; so is a file that others can open",
  async () => {
    const secret = {
      OPENAI_API_KEY: `sk-${crypto.randomUUID()}`,
      WEBHOOK_SECRET: `hook-${crypto.randomUUID()}`,
      MY_ALIAS: "",
    };
    writeFileSync(join(directory, ".env"), `APP_ID=1\nPRIVATE_KEY="${newPem()}"\nPORT=0\n`);
    chmodSync(join(directory, ".env"), 0o644);
    // A name without meaning, with a value that is one of Baton's secrets.
    const baton = await npmStart({
      ...secret,
      MY_ALIAS: `x${secret.OPENAI_API_KEY}`,
      GITHUB_API_URL: "http://127.0.0.1:9",
    });
    try {
      const warnings = baton
        .printed()
        .split("\n")
        .filter((line) => line.includes("in the environment of"));
      expect(warnings.length).toBeGreaterThanOrEqual(2);
      for (const line of warnings.slice(0, 2))
        expect(line).toMatch(
          /MY_ALIAS, OPENAI_API_KEY, WEBHOOK_SECRET.*WEBHOOK_SECRET_FILE.*LoadCredential.*install\.md/,
        );
      expect(baton.printed()).toContain("Run `chmod 600 .env`");
      for (const value of Object.values(secret)) if (value !== "") expect(baton.printed()).not.toContain(value);
      // Baton's own process shows none, whatever its ancestors do.
      const main = baton
        .family()
        .find((pid) => commandOf(pid).startsWith("node") && commandOf(pid).includes("main.ts"));
      expect(readProc(`/proc/${main}/environ`)).toContain("OPENAI_API_KEY=");
      expect(readProc(`/proc/${main}/environ`)).not.toContain(secret.OPENAI_API_KEY);
    } finally {
      await baton.stop();
    }
  },
);

it.runIf(hasProc)("npm-start-leaves-secrets-in-proc: a command of the program shows none either", async () => {
  const secret = `ghs_${crypto.randomUUID()}`;
  // It waits for a fetch that never ends, which leaves time to look.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  await execa("git", ["init", "-q"], { cwd: directory });
  await execa("git", ["remote", "add", "origin", "https://github.example/acme/shop.git"], { cwd: directory });
  const child = execa(process.execPath, [join(root, "bin/baton.js"), "init", "--pull-request"], {
    cwd: directory,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      GITHUB_TOKEN: secret,
      GITHUB_API_URL: `http://127.0.0.1:${port}`,
    },
    extendEnv: false,
    reject: false,
  });
  const [socket] = (await once(silent, "connection")) as [import("node:net").Socket];
  const shown = readProc(`/proc/${child.pid}/environ`) + commandOf(child.pid as number);
  child.kill("SIGKILL");
  await child;
  socket.destroy();
  silent.close();
  expect(shown).toContain("GITHUB_TOKEN=");
  expect(shown).not.toContain(secret);
});
