/** Where a CLI asks its models: through Baton's proxy where there is one, so that it holds no key; else with the operator's own. */
import type { HarnessRequest } from "../../ports/harness.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";

export interface OwnAccess {
  apiKey?: string | undefined;
  /** A person's login, for CLIs that take one. */
  login?: string | undefined;
  baseUrl: string | undefined;
}

/** Null: there is neither. `login` is only given to a CLI whose own access may be one. */
export function modelAccess(
  request: Pick<HarnessRequest, "models">,
  provider: ModelProvider,
  own: OwnAccess,
): OwnAccess | null {
  const given = request.models?.[provider];
  if (given?.kind === "api-key") return { apiKey: given.key, baseUrl: given.baseUrl };
  if (given?.kind === "login" && "login" in own) return { login: given.key, baseUrl: given.baseUrl };
  return own.apiKey === undefined && own.login === undefined ? null : own;
}
