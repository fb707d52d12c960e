/**
 * Tokens of programs for the HTTP API. Each acts as the person who made it, within its scope and its repositories.
 *
 * AT1 The store has only the hash of a token's secret. Its text is shown once.
 * AT2 A token that is unknown, expired or revoked is refused with one and the same error.
 * AT3 A token never approves anything. Only a person who signed in does.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { isSameText } from "../../adapters/system/same-text.ts";
import { sha256 } from "../../adapters/system/sha256.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GithubApp, GithubUser } from "../../ports/github.ts";
import type { Store } from "../../ports/store.ts";
import { defineValue, readValue } from "../../ports/values.ts";
import { changeValue } from "../../runner/change-value.ts";

/** `metrics`: only `GET /metrics`, without a person. Each other scope includes the scopes before it. */
export const tokenScopes = ["metrics", "read", "steer", "admin"] as const;
export type TokenScope = (typeof tokenScopes)[number];

const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/, "letters, digits, `.`, `_` and `-` are expected");
const repositoryName = z.string().regex(/^[\w.-]+\/[\w.-]+$/, "write owner/name");
const ownerName = z.string().regex(/^[\w-]+$/, "write the login of an account");

export const tokenRequestSchema = z.strictObject({
  name: nameSchema,
  scope: z.enum(tokenScopes),
  /** Login of the person whose permissions count. null: only for `metrics`. */
  as: z.string().max(100).nullable(),
  repositories: z.array(repositoryName).max(50),
  owners: z.array(ownerName).max(50),
  days: z.number().int().min(1).max(limits.apiTokenDaysMax),
});
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

const keptSchema = z.object({
  id: z.string(),
  name: z.string(),
  hash: z.string(),
  scope: z.enum(tokenScopes),
  person: z.object({ id: z.number(), login: z.string(), kind: z.enum(["user", "bot"]) }).nullable(),
  /** In lower case. */
  repositories: z.array(z.string()),
  owners: z.array(z.string()),
  createdAt: z.number(),
  expiresAt: z.number(),
  revokedAt: z.number().nullable(),
});
type Kept = z.infer<typeof keptSchema>;
/** A token as Baton shows it. */
export type Token = Omit<Kept, "hash">;

const kept = defineValue("api-tokens", z.array(keptSchema));
const prefix = "baton_pat_";
const pattern = /^baton_pat_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;

export interface TokenPlace {
  store: Pick<Store, "value" | "setValue" | "acquireLease" | "renewLease" | "releaseLease">;
  clock: Clock;
}

export class Tokens {
  readonly #place: TokenPlace;

  constructor(place: TokenPlace) {
    this.#place = place;
  }

  /** Needs GitHub: it names the person by number, because somebody else may register a login later. */
  async create(
    github: Pick<GithubApp, "repositories" | "installation">,
    request: TokenRequest,
  ): Promise<{ token: string; kept: Token }> {
    const { name, scope, days } = request;
    const repositories = request.repositories.map((one) => one.toLowerCase());
    const owners = request.owners.map((one) => one.toLowerCase());
    if (scope !== "metrics" && repositories.length + owners.length === 0)
      throw new BatonError("BATON_INPUT_INVALID", "A token needs at least one repository or owner that it is for.");
    const person = scope === "metrics" ? null : await personNamed(github, request.as, { repositories, owners });
    const secret = randomBytes(32).toString("base64url");
    const id = randomBytes(8).toString("hex").slice(0, 12);
    const now = this.#place.clock.now();
    const made: Kept = {
      id,
      name,
      hash: sha256(secret),
      scope,
      person,
      repositories: scope === "metrics" ? [] : repositories,
      owners: scope === "metrics" ? [] : owners,
      createdAt: now,
      expiresAt: now + days * 86_400_000,
      revokedAt: null,
    };
    await changeValue(this.#place, kept, (before) => {
      const all = (before ?? []).filter((one) => isUsable(one, now));
      if (all.some((one) => one.name === name))
        throw new BatonError(
          "BATON_INPUT_INVALID",
          `There is a token \`${name}\` already. Revoke it, or choose another name.`,
        );
      if (all.length >= limits.apiTokensMax)
        throw new BatonError("BATON_INPUT_INVALID", `There are ${limits.apiTokensMax} tokens. Revoke one first.`);
      return [...(before ?? []).filter((one) => isWorthKeeping(one, now)), made];
    });
    return { token: `${prefix}${id}_${secret}`, kept: shown(made) };
  }

  /** Newest last. Expired and revoked ones stay in the list for 30 days. */
  async list(): Promise<Token[]> {
    return ((await readValue(this.#place.store, kept)) ?? []).map(shown);
  }

  /** By name or id. */
  async revoke(word: string): Promise<Token> {
    const now = this.#place.clock.now();
    const named = (all: readonly Kept[]): Kept | undefined =>
      all.find((one) => (one.id === word || one.name === word) && isUsable(one, now));
    const after = await changeValue(this.#place, kept, (before) => {
      const found = named(before ?? []);
      if (found === undefined)
        throw new BatonError(
          "BATON_INPUT_INVALID",
          `There is no usable token \`${word.slice(0, 60)}\`. \`baton token list\` shows all.`,
        );
      return (before ?? []).map((one) => (one.id === found.id ? { ...one, revokedAt: now } : one));
    });
    return shown(after.findLast((one) => one.revokedAt === now && (one.id === word || one.name === word)) as Kept);
  }

  /** AT2 */
  async verify(text: string): Promise<Token> {
    const [, id, secret] = pattern.exec(text) ?? [];
    const found =
      id === undefined ? undefined : ((await readValue(this.#place.store, kept)) ?? []).find((one) => one.id === id);
    if (
      found === undefined ||
      secret === undefined ||
      !isSameText(found.hash, sha256(secret)) ||
      !isUsable(found, this.#place.clock.now())
    )
      throw refused();
    return shown(found);
  }
}

export function refused(why = "The request carries no valid token of this Baton."): BatonError {
  return new BatonError("BATON_TOKEN_REFUSED", why);
}

const dayMs = 86_400_000;

function isUsable({ revokedAt, expiresAt }: Kept, now: number): boolean {
  return revokedAt === null && expiresAt > now;
}

function isWorthKeeping({ revokedAt, expiresAt }: Kept, now: number): boolean {
  return Math.min(revokedAt ?? Number.POSITIVE_INFINITY, expiresAt) > now - 30 * dayMs;
}

function shown(kept: Kept): Token {
  const { hash: _, ...token } = kept;
  return token;
}

async function personNamed(
  github: Pick<GithubApp, "repositories" | "installation">,
  login: string | null,
  { repositories, owners }: { repositories: readonly string[]; owners: readonly string[] },
): Promise<GithubUser> {
  if (login === null || login.trim() === "")
    throw new BatonError("BATON_INPUT_INVALID", "Name the person whose permissions the token has: `--as <login>`.");
  const reached = await github.repositories();
  const missing = [
    ...repositories.filter((name) => !reached.some((one) => `${one.owner}/${one.name}`.toLowerCase() === name)),
    ...owners.filter((name) => !reached.some((one) => one.owner.toLowerCase() === name)),
  ];
  if (missing.length > 0)
    throw new BatonError("BATON_GITHUB_NOT_FOUND", `The App is not installed on ${missing.slice(0, 5).join(", ")}.`);
  for (const repository of reached) {
    const full = `${repository.owner}/${repository.name}`.toLowerCase();
    if (!repositories.includes(full) && !owners.includes(repository.owner.toLowerCase())) continue;
    const installation = await github.installation(repository.installationId);
    const found = await installation.person(repository, login.replace(/^@/, ""));
    if (found === null) continue;
    if (found.kind === "bot")
      throw new BatonError("BATON_INPUT_INVALID", `@${found.login} is a bot. A token acts as a person.`);
    return found;
  }
  throw new BatonError("BATON_INPUT_INVALID", `GitHub knows no person \`${login.slice(0, 40)}\` there.`);
}
