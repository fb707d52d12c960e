/** The common part of both wires of OpenAI: usage, where `input` includes cached tokens, and errors. */
import type { Tokens } from "../../../core/vocabulary.ts";
import { count, type Fields, fields, list, text } from "../../model-service/fields.ts";
import { choiceOf } from "../wire.ts";

const codes: Record<number, string> = {
  400: "invalid_request",
  401: "invalid_api_key",
  402: "insufficient_quota",
  403: "permission_denied",
  404: "not_found",
  429: "rate_limit_exceeded",
};

export function openaiError(status: number, message: string): object {
  const code = codes[status] ?? "server_error";
  return {
    error: {
      message,
      type: status === 402 ? code : status >= 500 ? "server_error" : "invalid_request_error",
      param: null,
      code,
    },
  };
}

/** `prompt`/`completion` for Chat Completions, `input`/`output` for Responses. */
export function openaiTokens(usage: Fields, input: "input" | "prompt", output: "output" | "completion"): Tokens {
  const all = count(usage[`${input}_tokens`]);
  const details = fields(usage[`${input}_tokens_details`]);
  const cacheRead = Math.min(all, count(details["cached_tokens"]));
  const cacheWrite = Math.min(all - cacheRead, count(details["cache_write_tokens"]));
  return { input: all - cacheRead - cacheWrite, output: count(usage[`${output}_tokens`]), cacheRead, cacheWrite };
}

/** The service itself runs these tools and charges for them. */
const serverTool = /^(?:web_search|file_search|code_interpreter|image_generation|mcp$|hosted_)/;

/** `null` asks for nothing. */
export function isAsked(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function toolsOf(body: Fields): Fields[] {
  return [...list(body["tools"]), ...list(body["input"]).flatMap((item) => list(item["tools"]))];
}

/** The service charges each call of these. The fee of a file search is the lower one. */
export function searchesByService(body: Fields): boolean {
  return toolsOf(body).some(({ type }) => /^(?:web_search|file_search)/.test(text(type) ?? ""));
}

export function runsByService(body: Fields): boolean {
  if (isAsked(body["web_search_options"])) return true;
  return toolsOf(body).some((tool) => {
    const place = text(fields(tool["environment"])["type"]);
    return (
      serverTool.test(text(tool["type"]) ?? "") || (tool["type"] === "shell" && place?.startsWith("container") === true)
    );
  });
}

/** A shell belongs to the client, unless it names a container of the service. */
export function extrasOf(body: Fields): string[] {
  const tools = toolsOf(body).flatMap((tool) => {
    const type = text(tool["type"]) ?? "function";
    const isOwn = type === "shell" && text(fields(tool["environment"])["type"])?.startsWith("container") !== true;
    return isOwn ? [] : [`tool ${type}`];
  });
  return [...tools, ...choiceOf(body, "service_tier")];
}

/** Lists of models cost nothing. */
export function isModelList(method: string, path: string): boolean {
  return method === "GET" && /^\/models(?:\/[^/]+)?$/.test(path);
}
