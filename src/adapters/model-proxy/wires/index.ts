/** The wires that agents may speak, one line each. */
import type { Wire } from "../wire.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { geminiGenerateContent } from "./gemini-generate-content.ts";
import { openaiChatCompletions } from "./openai-chat-completions.ts";
import { openaiResponses } from "./openai-responses.ts";

export const wires: readonly Wire[] = [
  anthropicMessages,
  openaiResponses,
  openaiChatCompletions,
  geminiGenerateContent,
];
