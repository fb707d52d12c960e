/** What an error of a model's service means, for adapters that read it from a command line and for the proxy that sees it itself. */
import type { ErrorData } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";

const unknownModel = new RegExp(
  [
    // Anthropic: "model: claude-foo"; OpenAI: code `model_not_found`; Gemini: "models/foo is not found for API version v1beta".
    String.raw`^\s*model: \S`,
    String.raw`model_not_found|unknown_model|ModelNotFound`,
    String.raw`models?[/ ]\S+ (?:is |was )?(?:not found|not supported|does not exist|not available|unknown)`,
    String.raw`\bmodel\b.{0,120}(?:does not exist|may not exist|not found|has been (?:deprecated|retired|shut ?down|removed|discontinued)|is deprecated|was retired|is retired|decommissioned|no longer (?:available|supported)|do(?:es)? not have access)`,
    String.raw`(?:unknown|invalid|unsupported|no such|unrecognized) model\b`,
  ].join("|"),
  "i",
);

const promptTooLong =
  /prompt is too long|(?:input|prompt|request|messages?)\b.{0,80}(?:too long|too large|exceeds?\b.{0,60}(?:context|maximum|limit))|context_length_exceeded|maximum context length|context window|input token count|request_too_large|string_above_max_length/i;

const characters = 300;

/** `retryAfterMs`: what the service asked for. */
export function statusError(status: number, message: string, retryAfterMs: number | null = null): ErrorData {
  const pause = retryAfterMs === null ? {} : { retryAfterMs: Math.min(retryAfterMs, limits.modelPauseMsMax) };
  if (status >= 400 && status < 500 && status !== 401 && status !== 429 && unknownModel.test(message))
    return {
      code: "BATON_MODEL_UNKNOWN",
      message: `The model's service does not know the model (${status}). ${message.slice(0, characters)}`.trim(),
    };
  if (status === 413 || ((status === 400 || status === 422) && promptTooLong.test(message)))
    return {
      code: "BATON_PROMPT_TOO_LONG",
      message: `The model's service refuses the prompt as too long (${status}). ${message.slice(0, characters)}`.trim(),
    };
  if (status === 401 || status === 403)
    return {
      code: "BATON_HARNESS_AUTH",
      message: `The model's service refused the key (${status}). ${message}`.trim(),
    };
  if (status === 402 || status === 429)
    return {
      code: "BATON_HARNESS_QUOTA",
      message: `The model's service limits (${status}). ${message}`.trim(),
      retryAfterMs: 30_000,
      ...pause,
    };
  if (status >= 500)
    return {
      code: "BATON_HARNESS_UNAVAILABLE",
      message: `The model's service fails (${status}). ${message}`.trim(),
      ...pause,
    };
  return { code: "BATON_HARNESS_CRASHED", message: `The model's service answered ${status}. ${message}`.trim() };
}

/** Some command lines print what the service said without its status. */
export function errorInWords(message: string): ErrorData | null {
  if (/\bloop (?:was )?detected\b|\bdetected an? (?:infinite |potential )?loop\b|doom_loop/i.test(message))
    return {
      code: "BATON_HARNESS_LOOP",
      message: `The harness stopped its agent in a loop. ${message.slice(0, characters)}`,
    };
  if (unknownModel.test(message)) return statusError(404, message);
  if (promptTooLong.test(message)) return statusError(400, message);
  return null;
}
