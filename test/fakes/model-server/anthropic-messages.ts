/** Anthropic Messages: `POST /v1/messages`, streamed or not, and `count_tokens`. */
import { randomUUID } from "node:crypto";
import { type Answer, type ModelRequest, toolCall, usageOf, type Wire } from "./wire.ts";

type Block = { type?: string; text?: string; content?: string | Block[]; [key: string]: unknown };

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as Block[]).map((block) => (block.type === "text" ? (block.text ?? "") : "")).join("\n");
};

export const anthropicMessages: Wire = {
  name: "anthropic-messages",
  matches: (method, path) => method === "POST" && path.endsWith("/messages"),
  read(body) {
    const messages = (body["messages"] as { role: string; content: string | Block[] }[] | undefined) ?? [];
    const fromUser = messages.filter(({ role }) => role === "user");
    return {
      model: body["model"] as string,
      system: textOf(body["system"]),
      user: fromUser.map(({ content }) => textOf(content)).filter((text) => text !== ""),
      toolResults: fromUser.flatMap(({ content }) =>
        Array.isArray(content)
          ? content.filter(({ type }) => type === "tool_result").map((block) => textOf(block.content))
          : [],
      ),
      tools: ((body["tools"] as { name: string }[] | undefined) ?? []).map(({ name }) => name),
      streaming: body["stream"] === true,
    };
  },
  events(answer, request) {
    const { content, ...message } = messageOf(answer, request);
    return [
      {
        event: "message_start",
        data: {
          type: "message_start",
          // The first usage has the input side. The output count at a stream's start is not the final one.
          message: { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } },
        },
      },
      ...content.flatMap((block, index) => blockEvents(block, index)),
      {
        event: "message_delta",
        data: {
          type: "message_delta",
          delta: { stop_reason: message.stop_reason, stop_sequence: null },
          usage: { output_tokens: message.usage.output_tokens },
        },
      },
      { event: "message_stop", data: { type: "message_stop" } },
    ];
  },
  whole: messageOf,
  error(status, message) {
    const types: Record<number, string> = {
      401: "authentication_error",
      429: "rate_limit_error",
      529: "overloaded_error",
    };
    return { type: "error", error: { type: types[status] ?? "api_error", message } };
  },
};

function messageOf(answer: Answer, request: ModelRequest) {
  const used = usageOf(answer);
  const calls = (answer.deeds ?? []).map((deed) => toolCall(deed, request.tools));
  const content: Block[] = [
    ...(answer.text === undefined ? [] : [{ type: "text", text: answer.text }]),
    ...calls.map(({ name, input }) => ({ type: "tool_use", id: `toolu_${randomUUID()}`, name, input })),
  ];
  return {
    id: `msg_${randomUUID()}`,
    type: "message",
    role: "assistant",
    model: request.model,
    content,
    stop_reason: answer.refusal === true ? "refusal" : calls.length > 0 ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: used.input,
      cache_creation_input_tokens: used.cacheWrite,
      cache_read_input_tokens: used.cacheRead,
      output_tokens: used.output,
    },
  };
}

function blockEvents(block: Block, index: number): { event: string; data: object }[] {
  const isText = block.type === "text";
  const start = isText ? { type: "text", text: "" } : { ...block, input: {} };
  const delta = isText
    ? { type: "text_delta", text: block.text }
    : { type: "input_json_delta", partial_json: JSON.stringify(block["input"]) };
  return [
    { event: "content_block_start", data: { type: "content_block_start", index, content_block: start } },
    { event: "content_block_delta", data: { type: "content_block_delta", index, delta } },
    { event: "content_block_stop", data: { type: "content_block_stop", index } },
  ];
}
