/**
 * The set-up page: without credentials, Baton serves nothing else. It registers the App, keeps its credentials in `.env`,
 * takes a model's key, and shows a test delivery. Then Baton starts in the same process.
 *
 * ST1 Only the person at this terminal can use it: every page and form needs the key in the address that Baton prints.
 * ST2 The App counts as registered when its credentials are kept. GitHub gives them once, so a failure loses none of them.
 * ST3 A delivery other than the test is refused, so that GitHub shows it as failed: Baton does not run yet. GitHub sends the
 *     test when it registers the App, before this page has the secret. The page accepts it then, and checks it later.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Webhooks } from "@octokit/webhooks";
import { convertManifest, type RegisteredApp } from "../../adapters/github/app-manifest.ts";
import { keyVariables } from "../../adapters/harness/key-variables.ts";
import { isSameText } from "../../adapters/system/same-text.ts";
import { BatonError, toBatonError } from "../../core/errors.ts";
import type { AppSettings } from "../../environment/settings.ts";
import { webhookPath } from "../door.ts";
import { listen } from "../listen.ts";
import { permissions } from "../permissions.ts";
import { readBody } from "../read-body.ts";
import { boundHeads, closeServer } from "../server.ts";
import { keepInEnvFile, readEnvFile } from "./env-file.ts";
import { manifestOf } from "./manifest.ts";
import { nextPage, page, registerPage, startedPage } from "./pages.ts";

export interface SetUpOptions {
  settings: Pick<AppSettings, "host" | "port" | "githubApiUrl" | "githubWebUrl">;
  /** Holds the kept values afterwards. */
  environment: Record<string, string | undefined>;
  /** The file that keeps the credentials. */
  envFile: string;
  /** Prints the address of the page. */
  print(text: string): void;
}

interface Delivered {
  event: string;
  body: string;
  signature: string;
  at: string;
}

/** GitHub's own, and strays of others. */
const earlyMax = 5;
const bodyBytesMax = 1024 * 1024;
const bodyMs = 10_000;

/** Resolves when the App is registered and the person starts Baton. */
export async function setUp({ settings, environment, envFile, print }: SetUpOptions): Promise<void> {
  const { githubApiUrl: apiUrl, githubWebUrl: webUrl } = settings;
  const key = randomBytes(24).toString("base64url");
  let converted: Promise<RegisteredApp> | null = null;
  let registered: RegisteredApp | null = null;
  let delivered: { event: string; at: string } | null = null;
  /** Tests from before the registration, unchecked. Only the last ones. */
  const early: Delivered[] = [];
  const started = Promise.withResolvers<void>();

  const keep = (values: Record<string, string>): void => {
    try {
      keepInEnvFile(envFile, values);
    } catch (cause) {
      if (cause instanceof BatonError) throw cause;
      const why = cause instanceof Error ? cause.message : "";
      const message = `\`${envFile}\` cannot be written: ${why}. Baton still holds the values. Fix the cause, then reload this page.`;
      throw new BatonError("BATON_SETTINGS_INVALID", message, { cause });
    }
    Object.assign(environment, values);
  };
  const keyIn = (): string | null => {
    const kept = readEnvFile(envFile);
    const isSet = ({ name }: { name: string }): boolean => (environment[name] ?? kept[name] ?? "") !== "";
    return keyVariables.find(isSet)?.name ?? null;
  };
  const register = async (code: string): Promise<void> => {
    // ST2: the code is good for one call.
    converted ??= convertManifest({ apiUrl, code });
    const app = await converted.catch((thrown: unknown) => {
      converted = null;
      throw thrown;
    });
    keep({ APP_ID: `${app.id}`, PRIVATE_KEY: app.pem, WEBHOOK_SECRET: app.webhook_secret });
    registered = app;
    for (const one of early.splice(0)) await note(one);
  };
  /** Whether the App's secret signed it. */
  const note = async ({ event, body, signature, at }: Delivered): Promise<boolean> => {
    const secret = registered?.webhook_secret ?? "";
    const isSigned = secret !== "" && (await new Webhooks({ secret }).verify(body, signature).catch(() => false));
    if (isSigned) delivered = { event, at };
    return isSigned;
  };
  const next = (delivery: { ok: boolean; says: string } | null = null): string => {
    const { slug, html_url: appUrl } = registered as RegisteredApp;
    return nextPage({ slug, appUrl, key, keyNames: keyVariables.map(({ name }) => name), keyIn: keyIn(), delivery });
  };
  const hookUrl = (origin: string): string => environment["WEBHOOK_PROXY_URL"] ?? `${origin}${webhookPath}`;

  const get = async (url: URL, origin: string): Promise<string | null> => {
    if (registered !== null) return next();
    if (url.pathname === "/registered") {
      await register(url.searchParams.get("code") ?? "");
      return next();
    }
    if (url.pathname !== "/") return null;
    const named = url.searchParams.get("organization") ?? environment["GH_ORG"] ?? "";
    return registerPage({
      manifest: manifestOf({ hookUrl: hookUrl(origin), redirectUrl: `${origin}/registered` }),
      permissions,
      webUrl,
      state: key,
      organization: /^[\w-]{1,100}$/.test(named) ? named : null,
    });
  };
  const post = (path: string, fields: URLSearchParams): string | null => {
    if (registered === null) return null;
    if (path === "/model-key") {
      const [name, value] = [fields.get("name") ?? "", (fields.get("value") ?? "").trim()];
      if (keyVariables.some((one) => one.name === name) && value !== "") keep({ [name]: value });
      return next();
    }
    if (path === "/delivery")
      return next(
        delivered === null
          ? {
              ok: false,
              says: "None arrived yet. Check that GitHub can reach the address of the webhook, on the App's page under Advanced.",
            }
          : {
              ok: true,
              says: `The delivery \`${delivered.event}\` arrived at ${delivered.at}, and its signature is right.`,
            },
      );
    if (path !== "/start") return null;
    started.resolve();
    return startedPage({ appUrl: registered.html_url, hasKey: keyIn() !== null });
  };
  const hook = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request, { what: "delivery", bytesMax: bodyBytesMax, deadlineMs: bodyMs });
    const told = {
      event: String(request.headers["x-github-event"]),
      body: body.toString("utf8"),
      signature: String(request.headers["x-hub-signature-256"] ?? ""),
      at: new Date().toISOString(),
    };
    const isEarly = registered === null && told.event === "ping";
    if (isEarly) early.push(told);
    early.splice(0, early.length - earlyMax);
    const isSigned = !isEarly && (await note(told));
    const isTest = isEarly || (isSigned && told.event === "ping");
    response.writeHead(isTest ? 202 : isSigned ? 503 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify({ ok: isTest }));
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const origin = originOf(request);
    const url = new URL(request.url ?? "/", origin);
    if (request.method === "POST" && request.headers["x-github-event"] !== undefined) return hook(request, response);
    const isGet = request.method === "GET";
    const fields = isGet
      ? url.searchParams
      : new URLSearchParams(
          (await readBody(request, { what: "form", bytesMax: bodyBytesMax, deadlineMs: bodyMs })).toString("utf8"),
        );
    // ST1. GitHub returns it as `state`.
    if (!isSameText(key, fields.get(url.pathname === "/registered" ? "state" : "key") ?? ""))
      return send(response, 403, page("Not here", "<p>Open the address that the terminal shows.</p>"), webUrl);
    const shown = isGet ? await get(url, origin) : post(url.pathname, fields);
    send(response, shown === null ? 404 : 200, shown ?? page("Nothing is here", ""), webUrl);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      const { message, remedy } = toBatonError(thrown);
      const told = `<p>${message.replaceAll(/[<&]/g, " ")}</p><p>${remedy.replaceAll(/[<&]/g, " ")}</p>`;
      if (!response.headersSent) send(response, 502, page("That did not work", told), webUrl);
    });
  });
  boundHeads(server);
  await listen(server, settings);
  const { port } = server.address() as { port: number };
  print(`No APP_ID is set. Register the App: http://${settings.host}:${port}/?key=${key}`);
  await started.promise;
  await closeServer(server);
}

/** As the browser sees it, through a proxy as well. */
function originOf({ headers }: IncomingMessage): string {
  const first = (name: string): string | undefined =>
    String(headers[name] ?? "")
      .split(",")[0]
      ?.trim() || undefined;
  const host = first("x-forwarded-host") ?? headers.host ?? "localhost";
  const scheme = first("x-forwarded-proto") === "https" ? "https" : "http";
  return URL.canParse(`${scheme}://${host}`) ? `${scheme}://${host}` : "http://localhost";
}

function send(response: ServerResponse, status: number, html: string, webUrl: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' ${webUrl}`,
    // The address holds the key.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(html);
}
