/** The services whose keys the operator set. */
import type { CliSettings } from "../harness/definition.ts";
import { type CliName, describedHarnesses } from "../harness/descriptions.ts";
import { defaultBaseUrls, type Upstreams } from "./proxy.ts";
import { services } from "./services.ts";

/** A key takes precedence over a login, and the first harness of a service over later ones. */
export function upstreamsOf(clis: Readonly<Record<CliName, CliSettings>>): Upstreams {
  const upstreams: Upstreams = {};
  for (const kind of ["api-key", "login"] as const)
    for (const { name, provider } of describedHarnesses) {
      const own = (clis as Readonly<Record<string, CliSettings | undefined>>)[name];
      const secret = kind === "api-key" ? own?.apiKey : own?.login;
      if (provider === null || secret === undefined) continue;
      const service = services[provider];
      upstreams[service] ??= { baseUrl: own?.baseUrl ?? defaultBaseUrls[service], secret, kind };
    }
  return upstreams;
}
