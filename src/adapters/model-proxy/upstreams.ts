/** The services whose keys the operator set. */
import { defaultBaseUrls, type Upstreams } from "./proxy.ts";

interface Key {
  apiKey: string | undefined;
  baseUrl: string | undefined;
}

export interface ModelKeys {
  claude: Key & { oauthToken?: string | undefined };
  codex: Key;
  gemini?: Key;
}

/** A key goes before a login. */
export function upstreamsOf({ claude, codex, gemini }: ModelKeys): Upstreams {
  const upstreams: Upstreams = {};
  const anthropic = { baseUrl: claude.baseUrl ?? defaultBaseUrls.anthropic };
  if (claude.apiKey !== undefined) upstreams.anthropic = { ...anthropic, secret: claude.apiKey, kind: "api-key" };
  else if (claude.oauthToken !== undefined)
    upstreams.anthropic = { ...anthropic, secret: claude.oauthToken, kind: "login" };
  if (codex.apiKey !== undefined)
    upstreams.openai = { baseUrl: codex.baseUrl ?? defaultBaseUrls.openai, secret: codex.apiKey, kind: "api-key" };
  if (gemini?.apiKey !== undefined)
    upstreams.gemini = { baseUrl: gemini.baseUrl ?? defaultBaseUrls.gemini, secret: gemini.apiKey, kind: "api-key" };
  return upstreams;
}
