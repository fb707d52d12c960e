/**
 * The addresses of a GitHub: its API, its pages and git, and the issuer of its jobs' tokens. Pure.
 *
 * Sources: https://docs.github.com/en/enterprise-server@latest/rest/quickstart (`/api/v3`),
 * https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom
 * (`api.SUBDOMAIN.ghe.com`), https://docs.github.com/en/actions/concepts/security/openid-connect (`iss` on GHE.com and
 * on a server).
 */
export interface GivenHosts {
  /** Host of an Enterprise Server, or `SUBDOMAIN.ghe.com`. */
  host?: string | undefined;
  protocol?: "http" | "https" | undefined;
  /** Each takes precedence over the address derived from `host`. */
  apiUrl?: string | undefined;
  webUrl?: string | undefined;
  issuer?: string | undefined;
}

export interface GithubHosts {
  apiUrl: string;
  webUrl: string;
  issuer: string;
}

const publicApi = "https://api.github.com";
const residency = /\.ghe\.com$/i;

export function githubHosts({ host, protocol = "https", apiUrl, webUrl, issuer }: GivenHosts): GithubHosts {
  const api = apiUrl ?? apiOf(host, protocol);
  const web = webUrl ?? (host === undefined ? webUrlOf(api) : `${protocol}://${host}`);
  return { apiUrl: api, webUrl: web, issuer: issuer ?? issuerOf(web, host !== undefined) };
}

/** Address of the pages and git of the GitHub that has this API. */
export function webUrlOf(apiUrl: string): string {
  const { protocol, host } = new URL(apiUrl);
  const isCloud = host === "api.github.com" || (host.startsWith("api.") && residency.test(host));
  return `${protocol}//${isCloud ? host.slice("api.".length) : host}`;
}

function apiOf(host: string | undefined, protocol: string): string {
  if (host === undefined) return publicApi;
  return residency.test(host) ? `${protocol}://api.${host}` : `${protocol}://${host}/api/v3`;
}

function issuerOf(webUrl: string, isNamed: boolean): string {
  const { host } = new URL(webUrl);
  if (residency.test(host)) return `https://token.actions.${host}`;
  // An API alone may be a gateway in front of github.com.
  return isNamed ? `${webUrl}/_services/token` : "https://token.actions.githubusercontent.com";
}
