/**
 * Where a CLI asks its models: through Baton's proxy if there is one, so that it holds no key. Otherwise with the
 * operator's own key.
 */
import type { HarnessRequest } from "../../ports/harness.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";

export interface OwnAccess {
  apiKey?: string | undefined;
  /** A person's login, for CLIs that accept one. */
  login?: string | undefined;
  baseUrl: string | undefined;
  /** The models come from a cloud that knows none of the maker's experiments. */
  onPlatform?: true;
}

/** Null: there is neither. `login` is only for a CLI whose own access may be a login. */
export function modelAccess(
  request: Pick<HarnessRequest, "models">,
  provider: ModelProvider,
  own: OwnAccess,
): OwnAccess | null {
  const given = request.models?.[provider];
  if (given?.kind === "api-key") {
    const { key: apiKey, baseUrl, onPlatform } = given;
    return { apiKey, baseUrl, ...(onPlatform === true ? { onPlatform } : {}) };
  }
  if (given?.kind === "login" && "login" in own) return { login: given.key, baseUrl: given.baseUrl };
  return own.apiKey === undefined && own.login === undefined ? null : own;
}
