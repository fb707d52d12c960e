/**
 * The set-up page: without credentials, Baton serves nothing else. It registers the App, keeps its credentials in `.env`,
 * takes a model's key, and shows a test delivery. Then Baton starts in the same process.
 *
 * ST1 Only the person at this terminal can use it: every page and form needs the key in the address that Baton prints.
 * ST2 `.env` is for this user alone, and holds what other programs wrote there.
 * ST3 A delivery other than the test is refused, so that GitHub shows it as failed: Baton does not run yet.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Webhooks } from "@octokit/webhooks";
import { convertManifest, type RegisteredApp } from "../../adapters/github/app-manifest.ts";
import { keyVariables } from "../../adapters/harness/key-variables.ts";
import { toBatonError } from "../../core/errors.ts";
import type { AppSettings } from "../../environment/settings.ts";
import { webhookPath } from "../door.ts";
import { listen } from "../listen.ts";
import { permissions } from "../permissions.ts";
import { readBody } from "../read-body.ts";
import { boundHeads, closeServer } from "../server.ts";
import { manifestOf, withValues } from "./manifest.ts";
import { nextPage, page, registerPage, startedPage } from "./pages.ts";

export interface SetUpOptions {
  settings: Pick<AppSettings, "host" | "port" | "githubApiUrl" | "githubWebUrl">;
  environment: Record<string, string | undefined>;
  /** The file that keeps the credentials. */
  envFile: string;
  /** Prints the address of the page. */
  print(text: string): void;
}

const bodyBytesMax = 1024 * 1024;
const bodyMs = 10_000;

/** Resolves when the App is registered and the person starts Baton. */
export async function setUp({ settings, environment, envFile, print }: SetUpOptions): Promise<void> {
  const { githubApiUrl: apiUrl, githubWebUrl: webUrl } = settings;
  const key = randomBytes(24).toString("base64url");
  let registered: RegisteredApp | null = null;
  let delivered: { event: string; at: string } | null = null;
  const started = Promise.withResolvers<void>();

  const keep = (values: Record<string, string>): void => {
    const before = existsSync(envFile) ? readFileSync(envFile, "utf8") : "";
    writeFileSync(envFile, withValues(before, values), { mode: 0o600 });
    // ST2: the file may be older than this page.
    chmodSync(envFile, 0o600);
  };
  const keyIn = (): string | null => {
    const text = existsSync(envFile) ? readFileSync(envFile, "utf8") : "";
    const isSet = ({ name }: { name: string }): boolean =>
      (environment[name] ?? "") !== "" || new RegExp(`^\\s*${name}\\s*=\\s*\\S`, "m").test(text);
    return keyVariables.find(isSet)?.name ?? null;
  };
  const next = (delivery: { ok: boolean; says: string } | null = null): string => {
    const { slug, html_url: appUrl } = registered as RegisteredApp;
    return nextPage({ slug, appUrl, key, keyNames: keyVariables.map(({ name }) => name), keyIn: keyIn(), delivery });
  };
  const hookUrl = (origin: string): string => environment["WEBHOOK_PROXY_URL"] ?? `${origin}${webhookPath}`;

  const get = async (url: URL, origin: string): Promise<string | null> => {
    if (registered !== null) return next();
    if (url.pathname === "/registered") {
      registered = await convertManifest({ apiUrl, code: url.searchParams.get("code") ?? "" });
      keep({
        APP_ID: `${registered.id}`,
        PRIVATE_KEY: registered.pem,
        WEBHOOK_SECRET: registered.webhook_secret,
      });
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
      if (keyVariables.some((one) => one.name === name) && /^[\x21-\x7e]{1,500}$/.test(value) && !/["\\]/.test(value))
        keep({ [name]: value });
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
    const signature = String(request.headers["x-hub-signature-256"] ?? "");
    const secret = registered?.webhook_secret ?? "";
    const isSigned = secret !== "" && (await new Webhooks({ secret }).verify(body.toString("utf8"), signature));
    if (isSigned) delivered = { event: String(request.headers["x-github-event"]), at: new Date().toISOString() };
    const isTest = isSigned && delivered?.event === "ping";
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
    if (!isSame(fields.get(url.pathname === "/registered" ? "state" : "key") ?? "", key))
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

function isSame(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
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
