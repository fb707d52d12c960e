/**
 * Gemini: `POST /v1beta/models/<model>:generateContent` and `:streamGenerateContent`, as events or as one JSON list.
 *
 * `usageMetadata` of every piece counts from the beginning. The prompt's count includes the cache. The candidates'
 * count excludes thoughts.
 */
import { noTokens } from "../../../core/vocabulary.ts";
import { count, type Fields, fields, list, text } from "../../model-service/fields.ts";
import { choiceOf, lengthOf, limitOf, takeSearches, type Wire } from "../wire.ts";

const names: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  402: "RESOURCE_EXHAUSTED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};
const call = /^\/v1(?:beta|alpha)?\/(?:models|tunedModels)\/([A-Za-z0-9._-]+):([A-Za-z]+)$/;

export const geminiGenerateContent: Wire = {
  name: "gemini-generate-content",
  provider: "gemini",
  route(method, path) {
    const [, model = null, operation] = call.exec(path) ?? [];
    if (method === "POST" && (operation === "generateContent" || operation === "streamGenerateContent"))
      return { metered: true, model };
    if (method === "POST" && operation === "countTokens") return { metered: false, model };
    if (method === "GET" && /^\/v1(?:beta|alpha)?\/models(?:\/[A-Za-z0-9._-]+)?$/.test(path))
      return { metered: false, model: null };
    return null;
  },
  prepare(body) {
    // The service reads both spellings of a name. Baton keeps one, so that the bounded value is the value that counts.
    oneName(body, "generationConfig", "generation_config");
    oneName(body, "service_tier", "serviceTier");
    const config = fields(body["generationConfig"]);
    for (const [name, other] of [
      ["maxOutputTokens", "max_output_tokens"],
      ["candidateCount", "candidate_count"],
      ["thinkingConfig", "thinking_config"],
    ] as const)
      oneName(config, name, other);
    oneName(fields(config["thinkingConfig"]), "thinkingBudget", "thinking_budget");
    return null;
  },
  extras: (body) => choiceOf(body, "service_tier"),
  output(body) {
    const config = fields(body["generationConfig"]);
    const budget = fields(config["thinkingConfig"])["thinkingBudget"];
    const serverTools = list(body["tools"]).some((tool) =>
      Object.keys(tool).some((name) => !/^function_?declarations$/i.test(name)),
    );
    return {
      limit: limitOf(config["maxOutputTokens"]),
      answers: Math.max(1, count(config["candidateCount"])),
      // Thoughts are part of the output: https://ai.google.dev/gemini-api/docs/thinking
      above: count(budget),
      set: (limit) => void (body["generationConfig"] = { ...fields(body["generationConfig"]), maxOutputTokens: limit }),
      hidden: budget !== 0 || serverTools,
      serverTools,
      searches: list(body["tools"]).some(searches) ? { limit: null, least: 1, set: null } : null,
    };
  },
  read(message, reading) {
    const found = list(message["candidates"]).map((candidate) => searchesOf(fields(candidate["groundingMetadata"])));
    // A stream repeats it with each piece, or sends it once.
    takeSearches(
      reading,
      found.reduce((sum, one) => sum + one, 0),
    );
    reading.model = text(message["modelVersion"]) ?? reading.model;
    for (const candidate of list(message["candidates"])) {
      for (const part of list(fields(candidate["content"])["parts"])) {
        const args = fields(part["functionCall"])["args"];
        reading.characters += lengthOf(part["text"], args === undefined ? null : JSON.stringify(args));
      }
      if (text(candidate["finishReason"]) !== null) reading.final = true;
    }
    const { usageMetadata } = message;
    if (typeof usageMetadata !== "object" || usageMetadata === null) return;
    const usage = fields(usageMetadata);
    const prompt = count(usage["promptTokenCount"]);
    const cacheRead = Math.min(prompt, count(usage["cachedContentTokenCount"]));
    const before = reading.tokens ?? noTokens;
    // Each piece counts from the beginning, so a smaller count is not a later one.
    reading.tokens = {
      input: Math.max(before.input, prompt - cacheRead + count(usage["toolUsePromptTokenCount"])),
      output: Math.max(before.output, count(usage["candidatesTokenCount"]) + count(usage["thoughtsTokenCount"])),
      cacheRead: Math.max(before.cacheRead, cacheRead),
      cacheWrite: 0,
    };
  },
  error: (status, message) => ({
    error: { code: status, message, status: names[status] ?? (status >= 500 ? "INTERNAL" : "FAILED_PRECONDITION") },
  }),
};

/** Search and Maps: https://ai.google.dev/gemini-api/docs/pricing */
function searches(tool: Fields): boolean {
  return Object.keys(tool).some((name) => /^(?:google_?(?:search|maps)|enterprise_?web_?search)/i.test(name));
}

/** Each query that is not empty, once: https://ai.google.dev/gemini-api/docs/google-search#pricing */
function searchesOf(metadata: Fields): number {
  const { webSearchQueries } = metadata;
  const queries = Array.isArray(webSearchQueries) ? webSearchQueries.filter((query) => query !== "") : [];
  return Math.max(new Set(queries).size, list(metadata["groundingChunks"]).length > 0 ? 1 : 0);
}

function oneName(value: Fields, name: string, other: string): void {
  if (!(other in value)) return;
  value[name] ??= value[other];
  delete value[other];
}
