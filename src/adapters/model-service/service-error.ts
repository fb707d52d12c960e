/**
 * The meaning of an error of a model's service. Adapters read the error from a command line. The proxy sees it
 * directly.
 */
import type { ErrorData } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";

const unknownModel = new RegExp(
  [
    // Anthropic: "model: claude-foo". OpenAI: code `model_not_found`. Gemini: "models/foo is not found for API version
    // v1beta".
    String.raw`^\s*model: \S`,
    String.raw`model_not_found|unknown_model|ModelNotFound`,
    String.raw`models?[/ ]\S+ (?:is |was )?(?:not found|not supported|does not exist|not available|unknown)`,
    String.raw`\bmodel\b.{0,120}(?:does not exist|may not exist|not found|not available|is not a chat model|(?:has|have) been (?:deprecated|retired|shut ?down|removed|discontinued|sunset)|(?:is|was) (?:deprecated|retired|shut ?down|removed|discontinued|sunset)|end[- ]of[- ]life|end of its life|decommissioned|no longer (?:available|supported)|do(?:es)? not have access)`,
    String.raw`(?:unknown|invalid|unsupported|no such|unrecognized) model\b`,
  ].join("|"),
  "i",
);

const promptTooLong =
  /prompt is too long|(?:input|prompt|request|messages?)\b.{0,80}(?:too long|too large|exceeds?\b.{0,60}(?:context|maximum|limit))|context_length_exceeded|maximum context length|context window|input token count|request_too_large|string_above_max_length|maximum prompt length/i;

/** No wait makes such a request smaller: https://community.openai.com/t/request-too-large-for-gpt-4/563155. */
const tooLargeForLimit = /\brequest too large\b|\btokens must be reduced\b/i;

/**
 * An account that pays for nothing until a person acts. Anthropic answers 400 then:
 * https://github.com/anthropics/claude-code/issues/66314. "You exceeded your current quota" does not belong here.
 * Gemini also sends it for its rate limit: https://ai.google.dev/gemini-api/docs/rate-limits.
 */
const noCredit =
  /credit balance is too low|insufficient[_ ](?:quota|credits?|balance|funds)|billing[_ ](?:not[_ ]active|hard[_ ]limit|account)|account is not active|out of credits|\bno credits\b/i;

/** The service answers 400 `API_KEY_INVALID`, not 401: https://ai.google.dev/gemini-api/docs/troubleshooting. */
const badKey =
  /\bAPI[_ ]key (?:not valid|expired|not found)|\bAPI_KEY_INVALID\b|\b(?:invalid|incorrect) (?:x-)?api[- _]key|\bauthentication_error\b/i;

/** The words of a 404 that do not name the model: https://docs.anthropic.com/en/api/errors and Gemini's NOT_FOUND. */
const nothingThere = /\bnot_found_error\b|\bRequested entity was not found\b/i;

const characters = 300;

/** `retryAfterMs`: the pause that the service asked for. */
export function statusError(status: number, message: string, retryAfterMs: number | null = null): ErrorData {
  const pause = retryAfterMs === null ? {} : { retryAfterMs: Math.min(retryAfterMs, limits.modelPauseMsMax) };
  if ((status === 400 || status === 402 || status === 403 || status === 429) && noCredit.test(message))
    return {
      code: "BATON_HARNESS_AUTH",
      message: `The account at the model's service has no credit (${status}). ${message.slice(0, characters)}`.trim(),
    };
  if (status === 400 && badKey.test(message))
    return {
      code: "BATON_HARNESS_AUTH",
      message: `The model's service refused the key (${status}). ${message.slice(0, characters)}`.trim(),
    };
  const isUnknown = unknownModel.test(message) || (status === 404 && nothingThere.test(message));
  if (status >= 400 && status < 500 && status !== 401 && status !== 429 && isUnknown)
    return {
      code: "BATON_MODEL_UNKNOWN",
      message: `The model's service does not know the model (${status}). ${message.slice(0, characters)}`.trim(),
    };
  if (
    status === 413 ||
    (status === 429 && tooLargeForLimit.test(message)) ||
    ((status === 400 || status === 422) && promptTooLong.test(message))
  )
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

/** For a request that certainly went to a model. There, only the model or the address can be missing. */
export function modelError(status: number, message: string, retryAfterMs: number | null = null): ErrorData {
  const error = statusError(status, message, retryAfterMs);
  return (status === 404 || status === 410) && error.code === "BATON_HARNESS_CRASHED"
    ? {
        code: "BATON_MODEL_UNKNOWN",
        message:
          `The model's service knows neither the model nor the address (${status}). ${message.slice(0, characters)}`.trim(),
      }
    : error;
}

/** Some command lines print the service's text without its status. */
export function errorInWords(message: string): ErrorData | null {
  if (/\bloop (?:was )?detected\b|\bdetected an? (?:infinite |potential )?loop\b|doom_loop/i.test(message))
    return {
      code: "BATON_HARNESS_LOOP",
      message: `The harness stopped its agent in a loop. ${message.slice(0, characters)}`,
    };
  if (noCredit.test(message) || badKey.test(message)) return statusError(400, message);
  if (unknownModel.test(message) || nothingThere.test(message)) return statusError(404, message);
  if (tooLargeForLimit.test(message)) return statusError(429, message);
  if (promptTooLong.test(message)) return statusError(400, message);
  return null;
}
