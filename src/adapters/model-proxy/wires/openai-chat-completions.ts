/**
 * OpenAI Chat Completions: `POST /chat/completions`, below an address that ends in `/v1`.
 *
 * A stream reports usage only on request, in a last piece without choices.
 */
import { count, fields, list, text } from "../../model-service/fields.ts";
import { lengthOf, limitOf, takeSearches, type Wire } from "../wire.ts";
import { extrasOf, isAsked, isModelList, openaiError, openaiTokens, runsByService } from "./openai.ts";

export const openaiChatCompletions: Wire = {
  name: "openai-chat-completions",
  provider: "openai",
  route(method, path) {
    if (method === "POST" && path === "/chat/completions") return { metered: true, model: null };
    return isModelList(method, path) ? { metered: false, model: null } : null;
  },
  prepare(body) {
    if (body["stream"] === true) body["stream_options"] = { ...fields(body["stream_options"]), include_usage: true };
    return null;
  },
  extras: extrasOf,
  output(body) {
    const limits = [limitOf(body["max_completion_tokens"]), limitOf(body["max_tokens"])].filter((one) => one !== null);
    return {
      limit: limits.length === 0 ? null : Math.min(...limits),
      answers: Math.max(1, count(body["n"])),
      above: 0,
      set(limit) {
        // Keeps the older name where the client used it, because some services know only that one.
        if (limitOf(body["max_tokens"]) !== null) body["max_tokens"] = limit;
        if (limitOf(body["max_completion_tokens"]) !== null || limitOf(body["max_tokens"]) === null)
          body["max_completion_tokens"] = limit;
      },
      hidden: true,
      serverTools: runsByService(body),
      // Models with search make one search per request: https://developers.openai.com/api/docs/guides/tools-web-search
      searches: isAsked(body["web_search_options"]) ? { limit: 1, least: 1, set: null } : null,
    };
  },
  read(message, reading) {
    reading.model = text(message["model"]) ?? reading.model;
    if (list(message["choices"]).length > 0) takeSearches(reading, 1);
    for (const choice of list(message["choices"])) {
      const said = fields(choice["delta"] ?? choice["message"]);
      reading.characters += lengthOf(said["content"], said["reasoning_content"], said["reasoning"]);
      for (const call of list(said["tool_calls"]))
        reading.characters += lengthOf(fields(call["function"])["arguments"]);
    }
    const { usage } = message;
    if (typeof usage !== "object" || usage === null) return;
    reading.tokens = openaiTokens(fields(usage), "prompt", "completion");
    reading.final = true;
  },
  error: openaiError,
};
