/**
 * The health of a whole installation, one finding a part. Each asks by itself, so that one that hangs or fails hides none.
 *
 * Owns: the questions, and the score. Does not own: the answers (`app-line.ts`, `sandbox.ts`, `harnesses.ts`).
 * HE1 Reads only. It opens no database, because that would migrate it.
 */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { children } from "../adapters/child/children.ts";
import { ownEnvironment } from "../adapters/child/own-environment.ts";
import { missingText } from "../app/app-check.ts";
import { runningBaton } from "../app/control/client.ts";
import { retirementText, retiringDefaults, tableAgeText } from "../config/models.ts";
import { toBatonError } from "../core/errors.ts";
import { product } from "../core/product.ts";
import { openSecretFiles } from "../environment/secret-files.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";
import { duration } from "../text/format.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";
import { harnessesOf, healthOf } from "./harnesses.ts";
import { sandboxHere } from "./sandbox.ts";

export interface Finding {
  part: string;
  /** `bad`: no run can pass. `warn`: runs work, and something needs a person. */
  state: "ok" | "warn" | "bad";
  says: string;
  /** The next step. null: there is none. */
  todo: string | null;
}

const ok = (part: string, says: string): Finding => ({ part, state: "ok", says, todo: null });
const warn = (part: string, says: string, todo: string | null = null): Finding => ({ part, state: "warn", says, todo });
const bad = (part: string, says: string, todo: string | null = null): Finding => ({ part, state: "bad", says, todo });

const gigabyte = 1024 ** 3;
const freeBytesMin = 5 * gigabyte;
const connectMs = 5_000;

export async function healthHere(context: CliContext): Promise<Finding[]> {
  let settings: AppSettings;
  try {
    settings = readSettings(environmentOf(context));
  } catch (thrown) {
    const { message, remedy } = toBatonError(thrown);
    return [bad("settings", message.replaceAll("\n", "; "), remedy)];
  }
  const asked: [part: string, ask: () => Finding[] | Promise<Finding[]>][] = [
    ["program", () => programOf(settings)],
    ["git", gitOf],
    ["app", () => appOf(settings)],
    ["GitHub", () => githubOf(settings)],
    ["database", () => databaseOf(settings)],
    ["data", () => dataOf(settings)],
    ["secrets", () => secretsOf(context)],
    ["harnesses", () => harnessOf(context)],
    ["models", () => modelsOf(context)],
    ["sandbox", () => sandboxOf(context)],
  ];
  const found = await Promise.all(
    asked.map(async ([part, ask]) => {
      try {
        return await ask();
      } catch (thrown) {
        const { message, remedy } = toBatonError(thrown);
        return [bad(part, message, remedy)];
      }
    }),
  );
  return found.flat();
}

/** Up to 100. A part that prevents runs counts as nothing, a warning as half. */
export function scoreOf(findings: readonly Pick<Finding, "state">[]): number {
  const points = { ok: 1, warn: 0.5, bad: 0 };
  const sum = findings.reduce((total, { state }) => total + points[state], 0);
  return findings.length === 0 ? 0 : Math.round((100 * sum) / findings.length);
}

const order: Readonly<Record<Finding["state"], number>> = { bad: 0, warn: 1, ok: 2 };

/** Findings that need a person, the most important first. */
export function issuesOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ state }) => state !== "ok").toSorted((a, b) => order[a.state] - order[b.state]);
}

function programOf({ onboarding, owners }: AppSettings): Finding[] {
  return [
    ok("program", `Baton ${product.version} on Node ${process.versions.node}`),
    owners === null
      ? warn("owners", "every account that installs the App is served", "Keep the App private, or set BATON_OWNERS.")
      : ok("owners", `serves ${owners.join(", ")}`),
    ok(
      "onboarding",
      onboarding.atInstall
        ? `set-up pull requests at installation, at most ${onboarding.perDay} a day for each account`
        : "off: only `baton onboard` and `/baton setup` open set-up pull requests",
    ),
  ];
}

async function gitOf(): Promise<Finding[]> {
  const { exitCode, stdout } = await children.call({
    command: ["git", "--version"],
    env: ownEnvironment(),
    timeoutMs: 10_000,
    outputBytesMax: 4_096,
  });
  return exitCode === 0 ? [ok("git", stdout.toString("utf8").trim())] : [bad("git", "does not run", "Install git.")];
}

async function appOf({ dataDir, app }: AppSettings): Promise<Finding[]> {
  const running = await runningBaton(dataDir);
  if (running === null)
    return app === null
      ? [bad("app", "no App is set up here", "Open the set-up page: `baton start`.")]
      : [bad("app", "Baton does not run on this data directory", "Start it: `baton start`.")];
  const { version, startedAt, url, activeRuns } = running.about;
  const says = `Baton ${version} runs for ${duration(Date.now() - startedAt)} at ${url ?? "its host's address"}, ${activeRuns} active ${activeRuns === 1 ? "run" : "runs"}`;
  return version === product.version
    ? [ok("app", says)]
    : [warn("app", says, `This command is of ${product.version}. Restart Baton, or use its own command.`)];
}

async function githubOf(settings: AppSettings): Promise<Finding[]> {
  const { askForApp, deliveriesOf } = await import("../wire.ts");
  const status = await askForApp(settings);
  if (status === null)
    return [bad("GitHub", "no App is set up here (APP_ID, PRIVATE_KEY)", "Open the set-up page: `baton start`.")];
  if (status.state === "ok" || status.state === "incomplete") {
    const lacks = missingText(status).join("; ");
    const first =
      lacks === ""
        ? ok("GitHub", `knows the App ${status.app}`)
        : warn("GitHub", `missing at ${lacks}`, status.message);
    return [first, deliveryFinding(await deliveriesOf(settings))];
  }
  return [bad("GitHub", status.message ?? status.state, null)];
}

export function deliveryFinding(deliveries: readonly { ok: boolean; deliveredAt: string }[]): Finding {
  const part = "deliveries";
  const failed = deliveries.filter((one) => !one.ok);
  const [last] = deliveries;
  if (last === undefined)
    return warn(part, "GitHub sent none in the last days", "Comment `/baton help` on an issue, and ask again.");
  const many = `${failed.length} of the last ${deliveries.length} failed`;
  if (!last.ok)
    return bad(
      part,
      `${many}, and so did the newest`,
      "Open the App's page, Advanced, and read the answer. Check the webhook's address and secret.",
    );
  return failed.length === 0
    ? ok(part, `the last ${deliveries.length} arrived`)
    : warn(part, many, "Baton asks GitHub again for those that matter.");
}

async function databaseOf({ databaseUrl, dataDir }: AppSettings): Promise<Finding[]> {
  if (databaseUrl === null)
    return existsSync(`${dataDir}/database`)
      ? [ok("database", `embedded, in ${dataDir}`)]
      : [warn("database", `none in ${dataDir} yet`, "Baton makes it at its first start.")];
  const { hostname, port } = new URL(databaseUrl);
  const address = `${hostname}:${port === "" ? 5432 : port}`;
  return (await answers(hostname, Number(port === "" ? 5432 : port)))
    ? [ok("database", `PostgreSQL at ${address} answers`)]
    : [bad("database", `nothing answers at ${address}`, "Start the server, or correct DATABASE_URL.")];
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

function dataOf({ dataDir }: AppSettings): Finding[] {
  const place = existsSync(dataDir) ? dataDir : dirname(dataDir);
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return [
      bad("data", `${place} is not writable for this user`, "Run Baton as the user that owns it, or set BATON_DATA."),
    ];
  }
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const says = `${Math.floor(free / gigabyte)} GB free in ${place}`;
  return [
    free < freeBytesMin
      ? warn("data", says, "Workspaces need space: free some, or move BATON_DATA.")
      : ok("data", says),
  ];
}

function secretsOf(context: CliContext): Finding[] {
  const envFile = existsSync(`${context.directory}/.env`) ? `${context.directory}/.env` : null;
  const open = openSecretFiles(context.environment, envFile);
  return open.length === 0
    ? [ok("secrets", "no file with secrets is open to other users")]
    : open.map((text) => warn("secrets", text, null));
}

async function harnessOf(context: CliContext): Promise<Finding[]> {
  const harnesses = [...(await harnessesOf(context)).values()];
  const health = await healthOf(
    context,
    harnesses.map(({ name }) => name),
  );
  const probes = await Promise.all(harnesses.map(async (one) => ({ name: one.name, ...(await one.probe()) })));
  const ready = probes.filter(({ installed, authenticated }) => installed && authenticated);
  if (ready.length === 0) {
    const advice = probes.map(
      ({ name, installed, advice: text }) =>
        `${name}: ${installed ? "no key" : "not installed"}${text === null ? "" : `, ${text}`}`,
    );
    return [bad("harnesses", "none is ready", advice[0] ?? "Install one, and set its key.")];
  }
  return ready.map(({ name, version }) => {
    const lately = health.get(name) ?? "unknown";
    const says = `${name} ${version ?? ""} is ready; ${lately}`.replaceAll("  ", " ");
    return lately.includes("left out")
      ? warn("harnesses", says, "Its last attempts failed: `baton run list`.")
      : ok("harnesses", says);
  });
}

function modelsOf(context: CliContext): Finding[] {
  const today = context.today?.() ?? new Date().toISOString().slice(0, 10);
  const age = tableAgeText(today);
  const warnings = [...retiringDefaults(today).map(retirementText), ...(age === null ? [] : [age])];
  return warnings.length === 0
    ? [ok("models", "no default model retires soon")]
    : warnings.map((text) => warn("models", text));
}

async function sandboxOf(context: CliContext): Promise<Finding[]> {
  const { mode, works, name, problem, remedy } = await sandboxHere(context);
  if (mode === "off")
    return [warn("sandbox", "off (BATON_SANDBOX): an agent can do everything that Baton's user can", null)];
  if (works) return [ok("sandbox", `${name} works (BATON_SANDBOX: ${mode})`)];
  const then = mode === "require" ? "no agent starts here" : "agents run without one";
  return [(mode === "require" ? bad : warn)("sandbox", `${problem} So ${then}.`, remedy)];
}
