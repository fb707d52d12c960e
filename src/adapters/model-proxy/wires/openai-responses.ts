/**
 * OpenAI Responses: `POST /responses`, below an address that ends in `/v1`.
 *
 * Usage comes with the last event only. Baton refuses background answers, because they run and cost money after their
 * request has ended.
 */
import { type Fields, fields, list, text } from "../../model-service/fields.ts";
import { lengthOf, limitOf, type Reading, takeSearches, type Wire } from "../wire.ts";
import { extrasOf, isModelList, openaiError, openaiTokens, runsByService, searchesByService } from "./openai.ts";

export const openaiResponses: Wire = {
  name: "openai-responses",
  provider: "openai",
  route(method, path) {
    if (method === "POST" && (path === "/responses" || path === "/responses/compact"))
      return { metered: true, model: null };
    return isModelList(method, path) ? { metered: false, model: null } : null;
  },
  prepare: (body) =>
    body["background"] === true ? "Answers in the background are not allowed: nobody would count them." : null,
  extras: extrasOf,
  output(body, path) {
    return {
      limit: limitOf(body["max_output_tokens"]),
      answers: 1,
      // The service's minimum: https://developers.openai.com/api/reference/resources/responses/methods/create
      above: 15,
      set: path === "/responses" ? (limit) => void (body["max_output_tokens"] = limit) : null,
      hidden: true,
      serverTools: runsByService(body),
      // Bounds all tools of the service together:
      // https://developers.openai.com/api/reference/resources/responses/methods/create
      searches: searchesByService(body)
        ? {
            limit: limitOf(body["max_tool_calls"]),
            least: 1,
            set: path === "/responses" ? (limit) => void (body["max_tool_calls"] = limit) : null,
          }
        : null,
    };
  },
  read(message, reading) {
    switch (message["type"]) {
      case "response.created":
      case "response.in_progress":
        reading.model = text(fields(message["response"])["model"]) ?? reading.model;
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        takeResponse(fields(message["response"]), reading);
        break;
      case "response.output_item.done":
        takeSearches(reading, (reading.searches ?? 0) + searchesOf([fields(message["item"])]));
        break;
      default:
        if (message["object"] === "response" || message["object"] === "response.compaction")
          takeResponse(message, reading);
        else reading.characters += lengthOf(message["delta"]);
        break;
    }
  },
  error: openaiError,
};

function takeResponse(response: Record<string, unknown>, reading: Reading): void {
  reading.model = text(response["model"]) ?? reading.model;
  takeSearches(reading, searchesOf(list(response["output"])));
  const { usage } = response;
  if (typeof usage === "object" && usage !== null) {
    reading.tokens = openaiTokens(fields(usage), "input", "output");
    reading.final = true;
    return;
  }
  // A failed answer may report no usage.
  for (const item of list(response["output"]))
    for (const part of list(item["content"])) reading.characters += lengthOf(part["text"]);
}

/** Opening a page, or searching within it, is free: https://developers.openai.com/api/docs/guides/tools-web-search */
function searchesOf(items: readonly Fields[]): number {
  return items.filter(({ type, action }) => {
    if (type === "file_search_call") return true;
    return type === "web_search_call" && (text(fields(action)["type"]) ?? "search") === "search";
  }).length;
}
