/**
 * Anthropic Messages: `POST /v1/messages`.
 *
 * `message_start` has the input's three parts, which never overlap. `message_delta` has the output so far, and may
 * correct the input.
 */
import { count, type Fields, fields, list, text } from "../../model-service/fields.ts";
import { longCacheFactor } from "../input-bound.ts";
import { choiceOf, lengthOf, limitOf, type Reading, type Searches, takeSearches, type Wire } from "../wire.ts";

const names: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
};

export const anthropicMessages: Wire = {
  name: "anthropic-messages",
  provider: "anthropic",
  route(method, path) {
    if (method === "POST" && path === "/v1/messages") return { metered: true, model: null };
    if (method === "POST" && path === "/v1/messages/count_tokens") return { metered: false, model: null };
    if (method === "GET" && /^\/v1\/models(?:\/[^/]+)?$/.test(path)) return { metered: false, model: null };
    return null;
  },
  prepare: () => null,
  extras: (body) => [
    ...list(body["tools"]).map(({ type }) => `tool ${text(type) ?? "custom"}`),
    ...choiceOf(body, "speed"),
    ...choiceOf(body, "inference_geo"),
  ],
  output(body) {
    const thinking = fields(body["thinking"]);
    const thinks = text(thinking["type"]) !== null && thinking["type"] !== "disabled";
    // Tools that the service runs have a dated type. Tools of the client have no type, or `custom`.
    const serverTools =
      list(body["tools"]).some(({ type }) =>
        /^(?:web_search|web_fetch|code_execution|advisor|tool_search)/.test(text(type) ?? ""),
      ) || list(body["mcp_servers"]).length > 0;
    return {
      limit: limitOf(body["max_tokens"]),
      answers: 1,
      // `budget_tokens` must be less than `max_tokens`:
      // https://platform.claude.com/docs/en/build-with-claude/extended-thinking
      above: thinks ? count(thinking["budget_tokens"]) : 0,
      set: (limit) => void (body["max_tokens"] = limit),
      hidden: thinks || serverTools,
      serverTools,
      searches: searchesOf(body),
    };
  },
  read(message, reading) {
    switch (message["type"]) {
      case "message_start":
        takeMessage(fields(message["message"]), reading);
        break;
      case "message":
        takeMessage(message, reading);
        reading.final = true;
        break;
      case "message_delta":
        takeUsage(fields(message["usage"]), reading);
        // Its output count is the total. Only the stop event is still missing.
        reading.final = text(fields(message["delta"])["stop_reason"]) !== null;
        break;
      case "content_block_start":
        if (/thinking/.test(text(fields(message["content_block"])["type"]) ?? "")) reading.hidden = true;
        break;
      case "content_block_delta": {
        const delta = fields(message["delta"]);
        reading.characters += lengthOf(delta["text"], delta["partial_json"], delta["thinking"]);
        break;
      }
      default:
        break;
    }
  },
  error: (status, message) => ({ type: "error", error: { type: names[status] ?? "api_error", message } }),
};

function takeMessage(message: Record<string, unknown>, reading: Reading): void {
  reading.model = text(message["model"]) ?? reading.model;
  for (const part of list(message["content"])) reading.characters += lengthOf(part["text"], part["thinking"]);
  takeUsage(fields(message["usage"]), reading);
}

function takeUsage(usage: Record<string, unknown>, reading: Reading): void {
  const before = reading.tokens ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  // Each count starts at the beginning, so the larger one is the later one. A delta may omit the input, or report it as
  // 0.
  reading.tokens = {
    input: Math.max(before.input, count(usage["input_tokens"])),
    output: Math.max(before.output, count(usage["output_tokens"])),
    cacheRead: Math.max(before.cacheRead, count(usage["cache_read_input_tokens"])),
    cacheWrite: Math.max(before.cacheWrite, count(usage["cache_creation_input_tokens"]) + longCacheExtra(usage)),
  };
  takeSearches(reading, count(fields(usage["server_tool_use"])["web_search_requests"]));
}

/** `max_uses` bounds each tool: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#max-uses */
function searchesOf(body: Fields): Searches | null {
  const tools = list(body["tools"]).filter(({ type }) => text(type)?.startsWith("web_search") === true);
  if (tools.length === 0) return null;
  const limits = tools.map((tool) => limitOf(tool["max_uses"]));
  return {
    limit: limits.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one), 0),
    least: tools.length,
    set(limit) {
      for (const tool of tools)
        tool["max_uses"] = Math.min(limitOf(tool["max_uses"]) ?? limit, Math.floor(limit / tools.length));
    },
  };
}

/**
 * An hour in the cache costs twice the input price, five minutes 1.25 times (`config/models.ts`). The difference counts
 * as additional tokens.
 */
function longCacheExtra(usage: Record<string, unknown>): number {
  const long = count(fields(usage["cache_creation"])["ephemeral_1h_input_tokens"]);
  return Math.ceil((long * (longCacheFactor * 10 - 10)) / 10);
}
