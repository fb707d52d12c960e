/** The facts of a Baton for the first line of its log. No secrets: names, addresses without credentials. */
import { describedHarnesses } from "../adapters/harness/descriptions.ts";
import { services } from "../adapters/model-service/services.ts";
import { product } from "../core/product.ts";
import { plural } from "../text/format.ts";
import type { AppSettings } from "./settings.ts";

export interface StartFacts {
  version: string;
  data: string;
  database: string;
  github: string;
  /** Those with a key, a cloud or a program of the operator, and the number of owners with keys of their own. */
  harnesses: string;
  sandbox: string;
}

export function startFacts(settings: AppSettings): StartFacts {
  const { harness, databaseUrl, dataDir, githubApiUrl, sandbox } = settings;
  const withKey = describedHarnesses.flatMap(({ name, provider }) => {
    const cli = (harness as unknown as Record<string, { apiKey?: string; login?: string } | undefined>)[name];
    if (cli?.apiKey !== undefined || cli?.login !== undefined) return [name];
    const platform = provider === null ? undefined : harness.platforms.services[services[provider]]?.platform;
    return platform === undefined ? [] : [`${name} (${platform})`];
  });
  const owners = Object.keys(harness.ownerKeys).length;
  const own = [...Object.keys(harness.acp), ...(harness.command.length > 0 ? ["command"] : [])];
  const names = [
    ...withKey,
    ...own,
    ...(owners === 0 ? [] : [`own keys of ${plural(owners, "owner or repository", "owners and repositories")}`]),
  ].join(", ");
  return {
    version: product.version,
    data: dataDir,
    database: databaseUrl === null ? "embedded" : `PostgreSQL at ${hostOf(databaseUrl)}`,
    github: githubApiUrl,
    harnesses: names === "" ? "none has a key" : names,
    sandbox: sandbox.mode,
  };
}

/** A server on this machine's socket has no host in its address. */
function hostOf(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : "";
  return host === "" ? "this machine's socket" : host;
}
