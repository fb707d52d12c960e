/** The services for which the operator set a key. */
import { type CliName, describedHarnesses } from "../harness/descriptions.ts";
import { services } from "../model-service/services.ts";
import { defaultBaseUrls, type Upstreams } from "./proxy.ts";

interface ServiceAccess {
  apiKey: string | undefined;
  login?: string | undefined;
  baseUrl: string | undefined;
}

/** A key takes precedence over a login, and the first harness of a service over later ones. */
export function upstreamsOf(clis: Readonly<Record<CliName, ServiceAccess>>): Upstreams {
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
