/**
 * The one client for GitHub. Every call passes here, with its budget, its retries and its errors (github.G1,
 * github.G2).
 *
 * RQ1 Baton retries reads after network faults, but never writes. An *ensure* looks first.
 * RQ2 Polled reads carry the ETag of the last answer. A 304 does not count against the limit.
 * RQ3 A list is whole or an error (BATON_GITHUB_INCOMPLETE). Nobody decides on a part that looks complete.
 */
import { Octokit } from "@octokit/rest";
import { BatonError, hasCode, nullFor } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { askedPauseMs } from "./asked-pause.ts";
import type { RateBudget, Write } from "./rate-budget.ts";

type RouteParameters = Record<string, unknown>;

export interface Answer<T> {
  status: number;
  data: T;
  headers: Record<string, string | number | undefined>;
}

export interface RequesterOptions {
  baseUrl: string;
  /** Authorization header for each call. */
  authorise(): Promise<string>;
  clock: Clock;
  budget: RateBudget;
  /** Called when GitHub refuses the authorization. True: another one may exist, so the call is made again one time. */
  refused?(authorization: string): boolean;
  userAgent?: string;
  fetch?: typeof fetch;
}

const readTriesMax = 4;
const requestTimeoutMs = 20_000;
const secondaryPauseMs = 60_000;
const etagsMax = 500;
const pageItems = 100;
const pagesMax = 30;

/** Baton treats a thing that it may not read as absent. */
export const deniedIsNull = nullFor("BATON_GITHUB_DENIED");

export class Requester {
  readonly #octokit: Octokit;
  readonly #options: RequesterOptions;
  readonly #etags = new Map<string, { etag: string; data: unknown; headers: Answer<unknown>["headers"] }>();

  constructor(options: RequesterOptions) {
    this.#options = options;
    this.#octokit = new Octokit({
      baseUrl: options.baseUrl,
      userAgent: options.userAgent ?? "baton",
      request: options.fetch === undefined ? {} : { fetch: options.fetch },
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
  }

  /** A read: retried after network faults, conditional. */
  async get<T>(route: string, parameters: RouteParameters = {}): Promise<T> {
    return (await this.#read<T>(route, parameters)).data;
  }

  /** A read that continues by a cursor. GitHub names the next cursor only in its Link header. */
  async page<T>(route: string, parameters: RouteParameters = {}): Promise<{ data: T; nextCursor: string | null }> {
    const { data, headers } = await this.#read<T>(route, parameters);
    const next = /<([^>]+)>;\s*rel="next"/.exec(String(headers["link"] ?? ""))?.[1];
    return { data, nextCursor: next === undefined ? null : new URL(next).searchParams.get("cursor") };
  }

  async #read<T>(route: string, parameters: RouteParameters): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#conditional<T>(`GET ${route}`, parameters);
      } catch (thrown) {
        const again =
          thrown instanceof BatonError && thrown.code === "BATON_GITHUB_UNAVAILABLE" && attempt < readTriesMax;
        if (!again) throw thrown;
        await this.#options.clock.sleepUntil(this.#options.clock.now() + 200 * 2 ** attempt);
      }
    }
  }

  /**
   * Null where GitHub has nothing. That includes an empty repository: its git routes answer 409 "Git Repository is
   * empty.".
   * Source: https://docs.github.com/en/rest/git/refs (status 409) and https://github.com/noflo/noflo-ui/issues/500.
   */
  async find<T>(route: string, parameters: RouteParameters = {}): Promise<T | null> {
    try {
      return await this.get<T>(route, parameters);
    } catch (thrown) {
      if (hasCode(thrown, "BATON_GITHUB_NOT_FOUND") || isEmptyRepository(thrown)) return null;
      throw thrown;
    }
  }

  /** All pages of a list, or none (RQ3). `pick` finds the items where the answer is an object. */
  async list<T>(
    route: string,
    parameters: RouteParameters = {},
    pick: (data: unknown) => T[] = (data) => data as T[],
  ): Promise<T[]> {
    const items: T[] = [];
    for (let page = 1; page <= pagesMax; page += 1) {
      const found = pick(await this.get<unknown>(route, { ...parameters, per_page: pageItems, page }));
      items.push(...found);
      if (found.length < pageItems) return items;
    }
    // Thrown even if the list ends exactly here. GitHub itself lists only this many files of a pull request.
    throw new BatonError(
      "BATON_GITHUB_INCOMPLETE",
      `GET ${route}: ${items.length} or more items; Baton reads up to ${pagesMax * pageItems}.`,
    );
  }

  /** A write, sent one time. */
  async write<T>(route: string, parameters: RouteParameters = {}, contentWrite: Write = true): Promise<T> {
    return (await this.#send<T>(route, parameters, contentWrite)).data;
  }

  /**
   * One operation of GraphQL, under the same budget. An answer with `errors` has status 200. Each error type maps to an
   * error here, as a status does.
   * Source: https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
   */
  async graphql<T>(
    query: string,
    variables: Record<string, unknown>,
    contentWrite: Write,
    /** Parts that do not exist are null in the answer. */
    { partial = false }: { partial?: boolean } = {},
  ): Promise<T> {
    const { baseUrl } = this.#options;
    // GitHub Enterprise Server has REST at /api/v3 and GraphQL next to it.
    const at = baseUrl.endsWith("/api/v3") ? { baseUrl: baseUrl.slice(0, -"/v3".length) } : {};
    const { data } = await this.#send<{ data?: T; errors?: { type?: string; message: string }[] }>(
      "POST /graphql",
      { query, variables, ...at },
      contentWrite,
    );
    const errors = (data.errors ?? []).filter(({ type }) => !(partial && type === "NOT_FOUND" && data.data != null));
    const [error] = errors;
    if (error === undefined && data.data != null) return data.data;
    const said = (data.errors ?? []).map(({ message }) => message).join(" ") || "an answer without data";
    const code =
      error?.type === "RATE_LIMITED"
        ? "BATON_GITHUB_LIMITED"
        : error?.type === "FORBIDDEN" || error?.type === "INSUFFICIENT_SCOPES"
          ? "BATON_GITHUB_DENIED"
          : error?.type === "NOT_FOUND"
            ? "BATON_GITHUB_NOT_FOUND"
            : "BATON_GITHUB_CONFLICT";
    if (code === "BATON_GITHUB_LIMITED") this.#options.budget.block(secondaryPauseMs);
    throw new BatonError(code, `GraphQL: ${said}`.slice(0, 500), { details: { said: said.slice(0, 1_000) } });
  }

  async #conditional<T>(route: string, parameters: RouteParameters): Promise<Answer<T>> {
    const key = `${route} ${JSON.stringify(parameters)}`;
    const known = this.#etags.get(key);
    const headers = {
      ...(parameters["headers"] as Record<string, string> | undefined),
      ...(known === undefined ? {} : { "if-none-match": known.etag }),
    };
    const answer = await this.#send<T>(route, { ...parameters, headers }, false, known !== undefined);
    if (answer.status === 304 && known !== undefined)
      return { status: 200, data: known.data as T, headers: known.headers };
    const etag = answer.headers["etag"];
    if (typeof etag === "string") {
      this.#etags.delete(key);
      this.#etags.set(key, { etag, data: answer.data, headers: answer.headers });
      if (this.#etags.size > etagsMax) this.#etags.delete(this.#etags.keys().next().value as string);
    }
    return answer;
  }

  async #send<T>(
    route: string,
    parameters: RouteParameters,
    contentWrite: Write,
    mayBeUnchanged = false,
  ): Promise<Answer<T>> {
    const { budget, authorise, refused } = this.#options;
    await budget.admit(contentWrite);
    for (let attempt = 1; ; attempt += 1) {
      const authorization = await authorise();
      try {
        return await this.#call<T>(route, parameters, authorization);
      } catch (thrown) {
        const status = statusOf(thrown);
        if (status === 304 && mayBeUnchanged) return { status, data: undefined as T, headers: {} };
        // GitHub answers 401 before it does anything, so even a write may be sent again.
        if (status === 401 && attempt === 1 && refused?.(authorization) === true) continue;
        const error = mapError(route, thrown, status, this.#options.clock.now());
        if (error.code === "BATON_GITHUB_LIMITED") budget.block(error.retryAfterMs ?? secondaryPauseMs);
        throw error;
      }
    }
  }

  async #call<T>(route: string, parameters: RouteParameters, authorization: string): Promise<Answer<T>> {
    const headers = { ...(parameters["headers"] as Record<string, string> | undefined), authorization };
    const request = { signal: AbortSignal.timeout(requestTimeoutMs) };
    const answer = await this.#octokit.request(route, {
      ...parameters,
      ...segmentsOf(route, parameters),
      headers,
      request,
    });
    return { status: answer.status, data: answer.data as T, headers: answer.headers as Answer<T>["headers"] };
  }
}

/** `{+path}` leaves `#`, `?` and `%` unencoded, so an address would end at them. Each segment is encoded by itself. */
function segmentsOf(route: string, parameters: RouteParameters): RouteParameters {
  const names = [...route.matchAll(/\{\+(\w+)\}/g)].map(([, name]) => name as string);
  const encoded = (value: unknown): string => String(value).split("/").map(encodeURIComponent).join("/");
  return Object.fromEntries(names.map((name) => [name, encoded(parameters[name])]));
}

function isEmptyRepository(thrown: unknown): boolean {
  return (
    thrown instanceof BatonError &&
    thrown.code === "BATON_GITHUB_CONFLICT" &&
    /repository is empty/i.test(thrown.message)
  );
}

function statusOf(thrown: unknown): number | null {
  return typeof thrown === "object" && thrown !== null && "status" in thrown && typeof thrown.status === "number"
    ? thrown.status
    : null;
}

/** github.G2. The message never contains a header of ours. GitHub's own text contains no secrets. */
function mapError(route: string, thrown: unknown, status: number | null, now: number): BatonError {
  const response = (
    thrown as { response?: { headers?: Record<string, string>; data?: { message?: string; errors?: unknown } } }
  ).response;
  const headers = response?.headers ?? {};
  const said = response?.data?.message ?? (thrown instanceof Error ? thrown.message : String(thrown));
  const what = `${route}: ${status ?? "no answer"} ${said}`.slice(0, 500);
  const given = response?.data?.errors === undefined ? "" : ` ${JSON.stringify(response.data.errors).slice(0, 300)}`;
  const options = { cause: thrown, details: { status: `${status}`, said: `${said}${given}`.slice(0, 1_000) } };
  // Octokit reports a broken connection as 500 without a response.
  if (status === null || status >= 500 || response === undefined)
    return new BatonError("BATON_GITHUB_UNAVAILABLE", what, options);
  const exhausted = headers["x-ratelimit-remaining"] === "0";
  if (
    status === 429 ||
    (status === 403 && (headers["retry-after"] !== undefined || exhausted || /secondary rate limit|abuse/i.test(said)))
  ) {
    const retryAfterMs = askedPauseMs(headers, now) ?? secondaryPauseMs;
    return new BatonError("BATON_GITHUB_LIMITED", what, { ...options, retryAfterMs });
  }
  // https://github.com/renovatebot/renovate/issues/6215, https://github.com/r-universe-org/help/issues/247
  if (status === 403 && /(?:issue|conversation|thread) is locked|archived so is read-only/i.test(said))
    return new BatonError("BATON_THREAD_CLOSED", what, options);
  if (status === 401 || status === 403) {
    const needed = headers["x-accepted-github-permissions"];
    return new BatonError(
      "BATON_GITHUB_DENIED",
      needed === undefined ? what : `${what} (needs ${asRead(needed)})`,
      options,
    );
  }
  if (status === 404 || status === 410) return new BatonError("BATON_GITHUB_NOT_FOUND", what, options);
  const details = response.data?.errors === undefined ? "" : ` ${JSON.stringify(response.data.errors).slice(0, 300)}`;
  return new BatonError("BATON_GITHUB_CONFLICT", what + details, options);
}

/**
 * Turns `issues=write; pull_requests=write` into the form that people write: `issues: write or pull-requests: write`.
 */
function asRead(permissions: string): string {
  return permissions
    .split(";")
    .map((one) => one.trim().replaceAll("_", "-").replaceAll("=", ": ").replaceAll(",", ", "))
    .join(" or ");
}
