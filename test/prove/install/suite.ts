/**
 * The suite `install`: installs the result of `npm pack` into an empty folder and uses it as a stranger would. It does so on
 * each promised Node, and then with a clone. It uses npm's own registry.
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { product } from "../../../src/core/product.ts";
import { flagOf, type Suite } from "../suite.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const nodes = ["22", "24"] as const;
/** Only for a process that hangs. */
const timeout = 15 * 60_000;

interface Used {
  node: string;
  megabytes: number;
  /** Broken promises. Empty: all were kept. */
  wrong: string[];
}

interface Place {
  folder: string;
  /** The environment with one Node first on its path. */
  env: Record<string, string>;
  wrong: string[];
}

export const install: Suite = {
  name: "install",
  summary: "The package installs into an empty folder on Node 22 and 24, small and without a warning, and works there.",
  flags: [{ name: "megabytes", summary: "bound of an installation without optional packages", default: 60, min: 1 }],
  async prove(options) {
    const bound = flagOf(options, "megabytes");
    const work = mkdtempSync(join(tmpdir(), "baton-install-"));
    try {
      const packed = await pack(root, product.packageName, work);
      const demo = await pack(join(root, "packages/local-github"), product.localGitHubPackage, work);
      options.say(`packed: ${Math.round(readFileSync(packed).length / 1024)} KB`);
      const used: Used[] = [];
      for (const version of nodes) {
        const one = await useOn(version, { work, packed, demo, bound });
        used.push(one);
        options.say(`Node ${one.node}: ${one.megabytes} MB${one.wrong.map((line) => `\n  ${line}`).join("")}`);
      }
      const clone = await cloneOf(work);
      options.say(`a clone: ${clone.length === 0 ? "good" : clone.join("\n  ")}`);
      const held = clone.length === 0 && used.every(({ wrong }) => wrong.length === 0);
      return { held, result: { nodes: used, clone } };
    } finally {
      rmSync(work, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function pack(directory: string, name: string, destination: string): Promise<string> {
  await execa("npm", ["pack", "--pack-destination", destination], { cwd: directory, timeout });
  return join(destination, `${name.slice(1).replace("/", "-")}-${product.version}.tgz`);
}

async function useOn(
  version: string,
  given: { work: string; packed: string; demo: string; bound: number },
): Promise<Used> {
  const home = join(given.work, `node-${version}`);
  mkdirSync(home);
  await execa("npm", ["install", "--no-save", "--prefix", home, `node@${version}`], { cwd: home, timeout });
  const env = { PATH: `${join(home, "node_modules/node/bin")}${delimiter}${process.env["PATH"]}` };
  const { stdout: node } = await execa("node", ["--version"], { env });
  const folder = join(given.work, `empty-${version}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  const place: Place = { folder, env, wrong: [] };
  await installed(place, [given.packed, "--omit=optional"]);
  const { stdout } = await execa("du", ["-sm", join(folder, "node_modules")]);
  const megabytes = Number.parseInt(stdout, 10);
  if (!(megabytes <= given.bound)) place.wrong.push(`${megabytes} MB are installed, more than ${given.bound}.`);
  await programWorks(place);
  await setUpPageWorks(place);
  await libraryWorks(place);
  await demoWorks(place, given);
  await appWorks(place);
  return { node: node.trim(), megabytes, wrong: place.wrong };
}

async function installed({ folder, env, wrong }: Place, words: readonly string[]): Promise<void> {
  const { exitCode, all } = await execa("npm", ["install", "--no-audit", "--no-fund", ...words], {
    cwd: folder,
    env,
    all: true,
    reject: false,
    timeout,
  });
  if (exitCode !== 0 || /npm (?:warn|error)/i.test(all)) wrong.push(`npm install ${words.join(" ")}: ${all}`);
}

/** Calls the installed program. Returns its output, and notes a difference from the expected result. */
async function expects(place: Place, words: readonly string[], code: number, text: RegExp): Promise<string> {
  const baton = join(place.folder, "node_modules/.bin/baton");
  const answer = await execa(baton, words, { cwd: place.folder, env: place.env, all: true, reject: false, timeout });
  if (answer.exitCode !== code || !text.test(answer.all))
    place.wrong.push(`baton ${words.join(" ")} ended with ${answer.exitCode}: ${answer.all.slice(-1_000)}`);
  if (/Warning:/.test(answer.stderr)) place.wrong.push(`baton ${words.join(" ")} warns: ${answer.stderr}`);
  return answer.stdout;
}

async function programWorks(place: Place): Promise<void> {
  await expects(place, ["--version"], 0, new RegExp(`^${product.version.replaceAll(".", "\\.")}$`));
  await execa("git", ["init", "-q"], { cwd: place.folder });
  await expects(place, ["init"], 0, /Next steps/);
  await expects(place, ["config", "check"], 0, /./);
  const probes = JSON.parse(await expects(place, ["sandbox", "test", "--json"], 0, /stopped/)) as unknown[];
  if (probes.length < 10) place.wrong.push(`baton sandbox test made only ${probes.length} attempts.`);
  await expects(place, ["demo", "--no-serve"], 1, new RegExp(`npm install ${product.localGitHubPackage}@`));
}

/** Without credentials: the set-up page at the address that the terminal shows, and nothing without its key. */
async function setUpPageWorks({ folder, env, wrong }: Place): Promise<void> {
  const port = portOf(0);
  const started = execa(join(folder, "node_modules/.bin/baton"), ["start"], {
    cwd: folder,
    env: { ...env, PORT: port },
    all: true,
    reject: false,
    timeout,
  });
  try {
    let said = "";
    for await (const chunk of started.all) {
      said += String(chunk);
      if (/[?&]key=[\w-]+\s/.test(said)) break;
    }
    const address = /https?:\/\/\S+[?&]key=[\w-]+/.exec(said)?.[0] ?? "";
    const { pathname, search } = new URL(address);
    const page = await answerOf(`http://127.0.0.1:${port}${pathname}${search}`);
    if (!/<form/.test(page) || /Not here/.test(page)) wrong.push(`The set-up page is ${page.slice(0, 500)}`);
    const stranger = await answerOf(`http://127.0.0.1:${port}${pathname}`);
    if (!/Not here/.test(stranger)) wrong.push(`Without its key, the set-up page is ${stranger.slice(0, 500)}`);
  } finally {
    started.kill();
    await started;
  }
}

/** Waits until something listens. */
async function answerOf(url: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(url).catch(() => null);
    if (answer !== null || tries > 600) return (await answer?.text()) ?? "nothing";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function libraryWorks(place: Place): Promise<void> {
  const { packageName } = product;
  const program = `
    import { defineProcess } from "${packageName}";
    import { readSettings, startBaton } from "${packageName}/library";
    import { createMiddleware } from "${packageName}/probot-app";
    if (![defineProcess, readSettings, startBaton, createMiddleware].every((one) => typeof one === "function")) process.exit(1);`;
  writeFileSync(join(place.folder, "import.js"), program);
  const { exitCode, stderr } = await execa("node", ["import.js"], { cwd: place.folder, env: place.env, reject: false });
  if (exitCode !== 0 || stderr !== "") place.wrong.push(`The library does not import: ${stderr}`);
  // The library's two entry points need types of no other package than Zod.
  const typed = `
    import { defineProcess, type ProcessContext } from "${packageName}";
    import { type AppSettings, readSettings, startBaton, type RunSummary } from "${packageName}/library";
    export const settings: AppSettings = readSettings({});
    export const started: ReturnType<typeof startBaton> = startBaton(settings);
    export const costs = (run: RunSummary): number => run.money.spentUsd;
    export type Context = ProcessContext;
    // @ts-expect-error What is defined is typed.
    defineProcess(1);`;
  writeFileSync(join(place.folder, "typed.ts"), typed);
  const types = join(root, "node_modules/@types");
  const flags = ["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext", "--typeRoots", types];
  const tsc = await execa(join(root, "node_modules/.bin/tsc"), [...flags, "--types", "node", "typed.ts"], {
    cwd: place.folder,
    all: true,
    reject: false,
    timeout,
  });
  if (tsc.exitCode !== 0) place.wrong.push(`The types do not fit: ${tsc.all}`);
}

/** With the package of the demo, which brings the database, the whole job runs. */
async function demoWorks(place: Place, { packed, demo }: { packed: string; demo: string }): Promise<void> {
  await installed(place, [packed, demo]);
  const out = await expects(place, ["demo", "--json", "--no-serve"], 0, /"verdict":"passed"/);
  if (!out.includes('"merged":true')) place.wrong.push("The demo merged nothing.");
}

/** The App in the background: the command line asks and stops it. GitHub is unreachable, which does not prevent the start. */
async function appWorks(place: Place): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const app: Place = {
    ...place,
    env: {
      ...place.env,
      APP_ID: "1",
      PRIVATE_KEY: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
      WEBHOOK_SECRET: "a-secret",
      GITHUB_API_URL: "http://127.0.0.1:9/api/v3",
      PORT: portOf(1),
    },
  };
  await expects(app, ["start", "--detach"], 0, /^Baton runs as process \d+ at http/);
  await expects(app, ["status"], 0, /database +pglite/);
  await expects(app, ["run", "list"], 0, /no such runs/);
  await expects(app, ["database", "backup", "backup.tar.gz"], 0, /backup\.tar\.gz: \d/);
  await expects(app, ["stop"], 0, /has stopped/);
  await expects(app, ["status"], 1, /No Baton runs/);
}

const portOf = (offset: number): string => `${20_000 + (process.pid % 10_000) + offset}`;

/** The README's first command, in a clone of the committed files, on the oldest Node that the README names. */
async function cloneOf(work: string): Promise<string[]> {
  const wrong: string[] = [];
  const folder = join(work, "clone");
  const env = { PATH: `${join(work, "node-22/node_modules/node/bin")}${delimiter}${process.env["PATH"]}` };
  await execa("git", ["clone", "--quiet", "--depth", "1", `file://${root}`, folder], { timeout });
  const { all, exitCode } = await execa("npm", ["install"], { cwd: folder, env, all: true, reject: false, timeout });
  if (exitCode !== 0 || /EBADENGINE|npm error/.test(all)) wrong.push(`npm install: ${all}`);
  const { stdout: version } = await execa("node", ["bin/baton.js", "--version"], { cwd: folder, env, reject: false });
  if (version !== product.version) wrong.push(`node bin/baton.js --version: ${version}`);
  const { stdout: changed } = await execa("git", ["status", "--porcelain"], { cwd: folder });
  if (changed !== "") wrong.push(`npm install changes the tree: ${changed}`);
  return wrong;
}
