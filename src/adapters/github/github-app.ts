/** GitHub as the App sees it: installations, tokens for one repository only, and the App's own delivery log. */
import { createAppAuth } from "@octokit/auth-app";
import { toBatonError } from "../../core/errors.ts";
import { type GithubRepository, type Repository, repositoryOf } from "../../core/vocabulary.ts";
import { mayWrite } from "../../policy/preflight.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Github, GithubApp, GithubDeliverySummary } from "../../ports/github.ts";
import { webUrlOf } from "./github-hosts.ts";
import { InstallationGithub } from "./installation.ts";
import { RateBudget } from "./rate-budget.ts";
import { Requester } from "./request.ts";

export interface GithubAppOptions {
  appId: number;
  privateKey: string;
  /** Address of the pages and git. Absent: derived from the API's address. */
  webUrl?: string;
  /** `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise server. */
  baseUrl: string;
  clock: Clock;
  /** Aborted when Baton stops. After that no call waits for a limit (RB4). */
  stop?: AbortSignal;
  /** Proves that the caller is the App. Probot provides it where Probot is the host. */
  signJwt?: () => Promise<string>;
  fetch?: typeof fetch;
}

/**
 * An installation token lives one hour. Baton mints another one after this time. `@octokit/auth-app` is not used for
 * it. That library sends the App's proof to api.github.com for every server, unless a request's hook asks for a token.
 * It also keeps a token until its last minute, and does not count against the budget.
 */
const tokenMs = 50 * 60_000;

interface Minted {
  token: string;
  permissions?: Record<string, string>;
}

interface Identity {
  appId: number;
  slug: string;
  bot: { id: number; login: string; kind: "bot" };
}

/** The identity of the App and its installations, as GitHub reports it. */
export interface GithubSelf {
  self(): Promise<{ id: number; slug: string; permissions: Record<string, string>; events: string[] }>;
  installations(): Promise<{ id: number; account: string; permissions: Record<string, string>; events: string[] }[]>;
}

export function createGithubApp(options: GithubAppOptions): GithubApp & GithubSelf {
  return new App(options);
}

class App implements GithubApp, GithubSelf {
  readonly #options: GithubAppOptions;
  readonly #requester: Requester;
  readonly #installations = new Map<number, Github>();
  readonly #requesters = new Map<number, Requester>();
  readonly #tokens = new Map<string, Minted & { until: number }>();
  #identity: Promise<Identity> | null = null;

  constructor(options: GithubAppOptions) {
    this.#options = options;
    const signJwt = options.signJwt ?? jwtSigner(options);
    this.#requester = new Requester({
      ...options,
      budget: new RateBudget(options.clock, options.stop),
      authorise: async () => `bearer ${await signJwt()}`,
    });
  }

  async installation(installationId: number): Promise<Github> {
    const known = this.#installations.get(installationId);
    if (known !== undefined) return known;
    const github = new InstallationGithub({
      requester: this.#requesterOf(installationId),
      identity: () => this.identity(),
      webUrl: this.#options.webUrl ?? webUrlOf(this.#options.baseUrl),
      repositoryToken: async (repositoryId, access) => {
        const known = access === "write" ? (await this.#token(installationId, null, null)).permissions : undefined;
        // A push of workflow files needs it. GitHub mints no token with a permission that was not granted.
        const workflows = mayWrite(known ?? {}, "workflows") ? { workflows: "write" as const } : {};
        const wanted = { contents: access, metadata: "read" as const, ...workflows };
        return (await this.#token(installationId, repositoryId, wanted)).token;
      },
      granted: (_, toWrite) => this.#granted(installationId, toWrite),
    });
    this.#installations.set(installationId, github);
    return github;
  }

  /** One requester per installation, with one budget (github.G1). */
  #requesterOf(installationId: number): Requester {
    const known = this.#requesters.get(installationId);
    if (known !== undefined) return known;
    const made = new Requester({
      ...this.#options,
      budget: new RateBudget(this.#options.clock, this.#options.stop),
      authorise: async () => `token ${(await this.#token(installationId, null, null)).token}`,
      // The token was revoked, or the App's permissions changed. Another token may work.
      refused: (authorization) => this.#forget(authorization),
    });
    this.#requesters.set(installationId, made);
    return made;
  }

  identity(): Promise<Identity> {
    this.#identity ??= this.#readIdentity().catch((thrown: unknown) => {
      this.#identity = null;
      throw thrown;
    });
    return this.#identity;
  }

  async deliveries(cursor: string | null): Promise<{ deliveries: GithubDeliverySummary[]; nextCursor: string | null }> {
    interface Summary {
      id: number;
      guid: string;
      delivered_at: string;
      status_code: number;
      event: string;
      installation_id: number | null;
    }
    const { data, nextCursor } = await this.#requester.page<Summary[]>("/app/hook/deliveries", {
      per_page: 100,
      ...(cursor === null ? {} : { cursor }),
    });
    const deliveries = data.map((summary) => ({
      id: summary.id,
      guid: summary.guid,
      deliveredAt: summary.delivered_at,
      ok: summary.status_code >= 200 && summary.status_code < 300,
      event: summary.event,
      installationId: summary.installation_id,
    }));
    return { deliveries, nextCursor };
  }

  async self(): ReturnType<GithubSelf["self"]> {
    const app = await this.#requester.get<{
      id: number;
      slug: string;
      permissions: Record<string, string>;
      events: string[];
    }>("/app");
    return { id: app.id, slug: app.slug, permissions: app.permissions, events: app.events };
  }

  async installations(): ReturnType<GithubSelf["installations"]> {
    interface Installation {
      id: number;
      account: { login?: string; slug?: string } | null;
      permissions: Record<string, string>;
      events: string[];
      suspended_at?: string | null;
    }
    const all = await this.#requester.list<Installation>("/app/installations");
    return all
      .filter(({ suspended_at: suspended }) => suspended === undefined || suspended === null)
      .map(({ id, account, permissions, events }) => ({
        id,
        account: account?.login ?? account?.slug ?? `${id}`,
        permissions,
        events,
      }));
  }

  async redeliver(deliveryId: number): Promise<void> {
    await this.#requester.write("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id: deliveryId }, false);
  }

  /** Source: https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation */
  async repositories(): Promise<Repository[]> {
    const found: Repository[] = [];
    for (const { id } of await this.installations()) {
      const requester = this.#requesterOf(id);
      const all = await requester.list<GithubRepository & { archived?: boolean; disabled?: boolean }>(
        "/installation/repositories",
        {},
        (data) => (data as { repositories: GithubRepository[] }).repositories,
      );
      for (const one of all) if (one.archived !== true && one.disabled !== true) found.push(repositoryOf(one, id));
    }
    return found;
  }

  async #readIdentity(): Promise<Identity> {
    const app = await this.#requester.get<{ id: number; slug: string }>("/app");
    const login = `${app.slug}[bot]`;
    const bot = await this.#requester.find<{ id: number }>("/users/{username}", { username: login });
    return { appId: app.id, slug: app.slug, bot: { id: bot?.id ?? 0, login, kind: "bot" } };
  }

  /**
   * A new token has everything that its installation grants, and lists it.
   * Source: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
   */
  async #granted(installationId: number, toWrite: readonly string[]): Promise<Record<string, string> | null> {
    const known = await this.#token(installationId, null, null);
    // `metadata` is part of every grant. An answer without it gives no information.
    if (known.permissions?.["metadata"] === undefined) return null;
    if (toWrite.every((name) => mayWrite(known.permissions ?? {}, name))) return known.permissions;
    this.#forget(`token ${known.token}`);
    return (await this.#token(installationId, null, null)).permissions ?? null;
  }

  #forget(authorization: string): boolean {
    for (const [key, { token }] of this.#tokens)
      if (authorization === `token ${token}`) return this.#tokens.delete(key);
    return true;
  }

  async #token(
    installationId: number,
    repositoryId: number | null,
    permissions: Record<string, "read" | "write"> | null,
  ): Promise<Minted> {
    const key = `${installationId}/${repositoryId}/${JSON.stringify(permissions)}`;
    const known = this.#tokens.get(key);
    const now = this.#options.clock.now();
    if (known !== undefined && now < known.until) return known;
    try {
      const minted = await this.#requester.write<Minted>(
        "POST /app/installations/{installation_id}/access_tokens",
        {
          installation_id: installationId,
          ...(repositoryId === null ? {} : { repository_ids: [repositoryId] }),
          ...(permissions === null ? {} : { permissions }),
        },
        false,
      );
      this.#tokens.set(key, { token: minted.token, permissions: minted.permissions ?? {}, until: now + tokenMs });
      return minted;
    } catch (thrown) {
      throw toBatonError(thrown);
    }
  }
}

function jwtSigner({ appId, privateKey }: Pick<GithubAppOptions, "appId" | "privateKey">): () => Promise<string> {
  const auth = createAppAuth({ appId, privateKey });
  return async () => (await auth({ type: "app" })).token;
}
