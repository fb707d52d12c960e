/** Accounts, Apps, installations, tokens. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { installation as installationObject } from "../resources/app.ts";
import { noreplyAddress } from "../resources/commit.ts";
import { nodeId, type Site } from "../site.ts";
import {
  type Account,
  type App,
  accountOf,
  covers,
  findAccount,
  fullName,
  type Grants,
  type Installation,
  type Repository,
  type Token,
  takeId,
} from "../state.ts";

export function createAccount(
  site: Site,
  given: { login: string; kind: Account["kind"]; name?: string | null; appId?: number },
): Account {
  if (findAccount(site.state, given.login) !== undefined) throw new Error(`The login ${given.login} is taken.`);
  const account: Account = {
    id: takeId(site.state),
    login: given.login,
    kind: given.kind,
    name: given.name ?? null,
    createdAt: site.timestamp(),
    appId: given.appId ?? null,
    memberIds: [],
  };
  site.state.accounts.set(account.id, account);
  return account;
}

/** `ghp`: a person's own. `ghu`: an App's, for a person who signed in to it. */
export function createUserToken(site: Site, userId: number, kind: "ghp" | "ghu" = "ghp"): Token {
  const value = `${kind}_${randomBytes(27).toString("hex").slice(0, 36)}`;
  const token: Token = { value, userId, installationId: null, grants: null, repositoryIds: null, expiresAt: null };
  site.state.tokens.set(value, token);
  return token;
}

export interface AppOptions {
  slug: string;
  name?: string;
  ownerLogin: string;
  grants: Grants;
  events: string[];
  webhook?: { url: string; secret: string } | null;
  /** Where people who sign in come back to. */
  callbackUrls?: string[];
}

/** Apps of one GitHub have different keys. Making a key takes long, so the next GitHub of this process reuses them. */
const keyPairs = new Map<number, { publicKey: string; privateKey: string }>();

function keyPair(index: number): { publicKey: string; privateKey: string } {
  const made =
    keyPairs.get(index) ??
    generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
  keyPairs.set(index, made);
  return made;
}

export function createApp(site: Site, options: AppOptions): { app: App; privateKey: string } {
  const { publicKey, privateKey } = keyPair(site.state.apps.size);
  const app = registerApp(site, options, publicKey);
  return { app, privateKey };
}

/** GitHub's own Apps, such as `github-actions`, have no key that anybody could use. */
export function registerApp(site: Site, options: AppOptions, publicKeyPem: string): App {
  const owner = findAccount(site.state, options.ownerLogin);
  if (owner === undefined) throw new Error(`There is no account ${options.ownerLogin}.`);
  const id = takeId(site.state);
  const bot = createAccount(site, { login: `${options.slug}[bot]`, kind: "Bot", appId: id });
  const app: App = {
    id,
    clientId: `Iv1.${randomBytes(8).toString("hex")}`,
    clientSecret: randomBytes(20).toString("hex"),
    callbackUrls: [...(options.callbackUrls ?? [])],
    slug: options.slug,
    name: options.name ?? options.slug,
    ownerId: owner.id,
    botId: bot.id,
    hookId: takeId(site.state),
    grants: { metadata: "read", ...options.grants },
    events: [...options.events],
    webhook: options.webhook ?? null,
    publicKeyPem,
    createdAt: site.timestamp(),
  };
  site.state.apps.set(id, app);
  return app;
}

export function install(
  site: Site,
  given: { app: App; account: Account; repositories?: Repository[]; senderId: number },
): Installation {
  const now = site.timestamp();
  const installation: Installation = {
    id: takeId(site.state),
    appId: given.app.id,
    accountId: given.account.id,
    selection: given.repositories === undefined ? "all" : "selected",
    repositoryIds: given.repositories?.map((one) => one.id) ?? [],
    grants: { ...given.app.grants },
    events: [...given.app.events],
    createdAt: now,
    updatedAt: now,
    suspendedAt: null,
  };
  site.state.installations.set(installation.id, installation);
  tellInstallation(site, installation, { action: "created", senderId: given.senderId });
  return installation;
}

export function tellInstallation(
  site: Site,
  installation: Installation,
  given: { action: "created" | "deleted" | "suspend" | "unsuspend"; senderId: number },
): void {
  site.post({
    event: "installation",
    action: given.action,
    repository: null,
    senderId: given.senderId,
    installation,
    payload: {
      installation: installationObject(site, installation),
      repositories: reached(site, installation).map((one) => shortRepository(site, one)),
      requester: null,
    },
  });
}

export function tellRepositories(
  site: Site,
  installation: Installation,
  given: { added: Repository[]; removed: Repository[]; senderId: number },
): void {
  site.post({
    event: "installation_repositories",
    action: given.added.length > 0 ? "added" : "removed",
    repository: null,
    senderId: given.senderId,
    installation,
    payload: {
      installation: installationObject(site, installation),
      repository_selection: installation.selection,
      repositories_added: given.added.map((one) => shortRepository(site, one)),
      repositories_removed: given.removed.map((one) => shortRepository(site, one)),
      requester: null,
    },
  });
}

function shortRepository(site: Site, one: Repository) {
  return {
    id: one.id,
    node_id: nodeId("Repository", one.id),
    name: one.name,
    full_name: fullName(site.state, one),
    private: one.private,
  };
}

export function reached(site: Site, installation: Installation): Repository[] {
  return [...site.state.repositories.values()].filter((one) => covers(installation, one));
}

const installationTokenLifetimeMs = 3_600_000;

export function createInstallationToken(
  site: Site,
  installation: Installation,
  narrowed: { grants: Grants; repositoryIds: number[] | null },
): Token {
  const expires = new Date(site.now().getTime() + installationTokenLifetimeMs);
  const token: Token = {
    value: `ghs_${randomBytes(27).toString("hex").slice(0, 36)}`,
    userId: null,
    installationId: installation.id,
    grants: narrowed.grants,
    repositoryIds: narrowed.repositoryIds,
    expiresAt: `${expires.toISOString().slice(0, 19)}Z`,
  };
  site.state.tokens.set(token.value, token);
  return token;
}

/** The author of an account's commits. GitHub binds the address to the account by its id. */
export function personOf(site: Site, accountId: number): { name: string; email: string } {
  const account = accountOf(site.state, accountId);
  return {
    name: account.name ?? account.login,
    email: noreplyAddress(account),
  };
}
