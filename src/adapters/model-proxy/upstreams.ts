/** The services for which the operator set a key, or that a cloud offers. */
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { type CliName, describedHarnesses } from "../harness/descriptions.ts";
import { services } from "../model-service/services.ts";
import { type PlatformChoice, platformOf } from "./platforms/index.ts";
import type { ModelNames } from "./platforms/platform.ts";
import { defaultBaseUrls, type Upstreams } from "./proxy.ts";

interface ServiceAccess {
  apiKey: string | undefined;
  login?: string | undefined;
  baseUrl: string | undefined;
}

interface Platforms {
  services: Partial<Record<ModelProvider, PlatformChoice>>;
  names: ModelNames;
}

/** By `owner` or `owner/name` in lower case: the variables that hold there. */
export type OwnerKeys = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * By `owner` or `owner/name`: the services for which it has keys of its own. The address stays the general one, unless that
 * one is a cloud's: a key of the models' maker goes to nobody else.
 */
export function ownerUpstreamsOf({
  ownerKeys,
  platforms,
  ...clis
}: Readonly<Record<CliName, ServiceAccess>> & { ownerKeys: OwnerKeys; platforms: Platforms }): Record<
  string,
  Upstreams
> {
  return Object.fromEntries(
    Object.entries(ownerKeys).map(([place, variables]) => {
      const own = describedHarnesses.flatMap(({ name, keys, provider }) => {
        if (keys === null) return [];
        const general = (clis as Readonly<Record<string, ServiceAccess | undefined>>)[name]?.baseUrl;
        const isCloud = provider !== null && platforms.services[services[provider]] !== undefined;
        const baseUrl = isCloud ? undefined : general;
        const login = keys.login === null ? undefined : variables[keys.login];
        return [[name, { apiKey: variables[keys.apiKey], login, baseUrl }] as const];
      });
      return [place, keyedUpstreams(Object.fromEntries(own))];
    }),
  );
}

/**
 * A cloud takes precedence over a key, a key over a login, and the first harness of a service over later ones.
 */
export function upstreamsOf({
  platforms,
  ...clis
}: Readonly<Record<CliName, ServiceAccess>> & { platforms: Platforms }): Upstreams {
  const upstreams: Upstreams = {};
  for (const [service, choice] of Object.entries(platforms.services) as [ModelProvider, PlatformChoice][]) {
    const platform = platformOf(service, choice, platforms.names);
    upstreams[service] = { baseUrl: "", secret: "", kind: "api-key", platform };
  }
  return { ...keyedUpstreams(clis), ...upstreams };
}

function keyedUpstreams(clis: Readonly<Record<string, unknown>>): Upstreams {
  const upstreams: Upstreams = {};
  for (const kind of ["api-key", "login"] as const)
    for (const { name, provider } of describedHarnesses) {
      const own = (clis as Readonly<Record<string, ServiceAccess | undefined>>)[name];
      const secret = kind === "api-key" ? own?.apiKey : own?.login;
      if (provider === null || secret === undefined) continue;
      const service = services[provider];
      upstreams[service] ??= { baseUrl: own?.baseUrl ?? defaultBaseUrls[service], secret, kind };
    }
  return upstreams;
}
