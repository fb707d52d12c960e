/**
 * Logins that expire: fetched once for all requests, and again before they end.
 *
 * LT1 Requests at the same time share one fetch. A failed one is tried again by the next request.
 * LT2 A login is used for a while, also if its end is unknown, in the past or near: clocks differ.
 */
import { readFile } from "node:fs/promises";
import { BatonError } from "../../../core/errors.ts";
import { type Fields, fields, text } from "../../model-service/fields.ts";

export interface Login<Value> {
  value: Value;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

const marginMs = 5 * 60_000;
/** For an end that nobody can read. */
const unknownLifeMs = 5 * 60_000;
const lifeMsMin = 60_000;
const timeoutMs = 20_000;

export interface LoginSource<Value> {
  get(): Promise<Value>;
  /** The newest one. null: none was fetched. */
  last(): Value | null;
}

export function kept<Value>(fetchLogin: () => Promise<Login<Value>>, now: () => number = Date.now): LoginSource<Value> {
  interface Held extends Login<Value> {
    renewAt: number;
  }
  let login: Held | null = null;
  let running: Promise<Held> | null = null;
  const fetchHeld = async (): Promise<Held> => {
    const { value, expiresAt } = await fetchLogin();
    const from = now();
    const lifeMs = Number.isFinite(expiresAt) ? Math.max(expiresAt - from, lifeMsMin) : unknownLifeMs;
    return { value, expiresAt: from + lifeMs, renewAt: from + Math.max(lifeMs - marginMs, lifeMs / 2) };
  };
  return {
    last: () => login?.value ?? null,
    async get() {
      if (login !== null && now() < login.renewAt) return login.value;
      running ??= fetchHeld().finally(() => {
        running = null;
      });
      try {
        login = await running;
      } catch (thrown) {
        // It still holds for a while.
        if (login === null || now() >= login.expiresAt) throw thrown;
      }
      return login.value;
    },
  };
}

/** Proof of who Baton is, for a platform that trusts its issuer: a file that its machine renews, or the token of a job. */
export interface Identity {
  file: string | null;
  job: { url: string; token: string } | null;
}

export async function identityToken({ file, job }: Identity, audience: string): Promise<string> {
  if (file !== null) return (await readFile(file, "utf8")).trim();
  if (job === null)
    throw noLogin("there is neither a file with an identity token nor a job that gives one (`id-token: write`)");
  // https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
  const url = new URL(job.url);
  url.searchParams.set("audience", audience);
  const { value } = await answerOf(url, { headers: { authorization: `Bearer ${job.token}` } });
  const token = text(value);
  if (token === null) throw noLogin("GitHub gave the job no identity token");
  return token;
}

/** The JSON of a login service. */
export async function answerOf(url: string | URL, init: RequestInit): Promise<Fields> {
  const answer = await textOf(url, init);
  try {
    return fields(JSON.parse(answer));
  } catch {
    throw noLogin(`${hostOf(url)} answered no JSON`);
  }
}

/** An error holds no more than the answer's own reason: the answer may repeat the login. */
export async function textOf(url: string | URL, init: RequestInit): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(timeoutMs), ...init });
  } catch (thrown) {
    throw noLogin(`${hostOf(url)} did not answer (${thrown instanceof Error ? thrown.message : "unknown"})`, "later");
  }
  const body = await response.text();
  const later = response.status >= 500 || response.status === 429;
  if (!response.ok)
    throw noLogin(`${hostOf(url)} answered ${response.status} ${reasonOf(body)}`.trim(), later ? "later" : "never");
  return body;
}

export function form(values: Record<string, string>): RequestInit {
  return { method: "POST", body: new URLSearchParams(values) };
}

/** `later`: another try may succeed. */
export function noLogin(why: string, again: "later" | "never" = "never"): BatonError {
  const code = again === "later" ? "BATON_HARNESS_UNAVAILABLE" : "BATON_HARNESS_AUTH";
  return new BatonError(code, `Baton could not log in to the models' platform: ${why}.`);
}

const hostOf = (url: string | URL): string => new URL(url).host;

/** OAuth's `error`, Google's and Microsoft's words, or the code of AWS's XML. */
function reasonOf(body: string): string {
  const code = /<Code>([\w.]{1,80})<\/Code>/.exec(body)?.[1];
  if (code !== undefined) return code;
  try {
    const { error } = fields(JSON.parse(body));
    return (text(error) ?? text(fields(error)["status"]) ?? "").replaceAll(/[^\w.:-]/g, "").slice(0, 80);
  } catch {
    return "";
  }
}
