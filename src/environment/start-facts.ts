/** The facts of a Baton for the first line of its log. No secrets: names, addresses without credentials. */
import { describedHarnesses } from "../adapters/harness/descriptions.ts";
import { product } from "../core/product.ts";
import type { AppSettings } from "./settings.ts";

export interface StartFacts {
  version: string;
  data: string;
  database: string;
  github: string;
  /** Those with a key or a program of the operator. */
  harnesses: string;
  sandbox: string;
}

export function startFacts(settings: AppSettings): StartFacts {
  const { harness, databaseUrl, dataDir, githubApiUrl, sandbox } = settings;
  const withKey = describedHarnesses.flatMap(({ name }) => {
    const cli = (harness as unknown as Record<string, { apiKey?: string; login?: string } | undefined>)[name];
    return cli?.apiKey !== undefined || cli?.login !== undefined ? [name] : [];
  });
  const own = [...Object.keys(harness.acp), ...(harness.command.length > 0 ? ["command"] : [])];
  const names = [...withKey, ...own].join(", ");
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
