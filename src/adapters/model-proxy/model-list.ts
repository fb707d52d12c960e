/** The models that a service lists, for people whose model it does not know. */
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { fields, list, text } from "../model-service/fields.ts";
import type { Upstream } from "./proxy.ts";

const timeoutMs = 5_000;
const shownMax = 12;

const paths: Record<ModelProvider, string> = {
  anthropic: "/v1/models?limit=1000",
  openai: "/models",
  gemini: "/v1beta/models?pageSize=1000",
};

/** Empty where the service does not list them. */
export async function listModels(
  provider: ModelProvider,
  { baseUrl }: Upstream,
  headers: Record<string, string>,
): Promise<string[]> {
  try {
    const response = await fetch(baseUrl.replace(/\/+$/, "") + paths[provider], {
      headers: { ...headers, ...(provider === "anthropic" ? { "anthropic-version": "2023-06-01" } : {}) },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) return [];
    const body = fields(await response.json());
    return [...list(body["data"]), ...list(body["models"])]
      .map((model) => (text(model["id"]) ?? text(model["name"]) ?? "").replace(/^models\//, ""))
      .filter((name) => /^[\w.:/@-]{1,100}$/.test(name));
  } catch {
    return [];
  }
}

/** The models most similar to the requested one come first. */
export function listedText(model: string, listed: readonly string[]): string {
  if (listed.length === 0) return "";
  const alike = (name: string): number => {
    let count = 0;
    while (count < name.length && name[count] === model[count]) count += 1;
    return count;
  };
  const sorted = [...listed].sort((a, b) => alike(b) - alike(a) || (a < b ? 1 : -1));
  const more = sorted.length - shownMax;
  return ` The service lists: ${sorted.slice(0, shownMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}
