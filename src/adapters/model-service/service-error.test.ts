/** Errors of model services by name, in any wording that a command line prints. */
import { describe, expect, it } from "vitest";
import { errorCatalogue } from "../../core/errors.ts";
import { GeminiReader } from "../harness/gemini/harness.ts";
import { errorInWords, modelError, statusError } from "./service-error.ts";

describe("harnesses-and-models: an error of its own, not tried again", () => {
  it.each([
    [404, "model: claude-3-opus", "BATON_MODEL_UNKNOWN"],
    [404, "The model `gpt-5-codex` does not exist or you do not have access to it.", "BATON_MODEL_UNKNOWN"],
    [400, "The model `gpt-4.1-nano` has been deprecated, learn more here", "BATON_MODEL_UNKNOWN"],
    [
      404,
      "models/gemini-1.0 is not found for API version v1beta, or is not supported for generateContent.",
      "BATON_MODEL_UNKNOWN",
    ],
    [410, "This model was retired on 2026-06-15", "BATON_MODEL_UNKNOWN"],
    [400, "prompt is too long: 210000 tokens > 200000 maximum", "BATON_PROMPT_TOO_LONG"],
    [400, "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000", "BATON_PROMPT_TOO_LONG"],
    [400, "This model's maximum context length is 128000 tokens.", "BATON_PROMPT_TOO_LONG"],
    [413, "request_too_large", "BATON_PROMPT_TOO_LONG"],
    [
      400,
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
      "BATON_HARNESS_AUTH",
    ],
    [402, "Insufficient Balance", "BATON_HARNESS_AUTH"],
    [429, "insufficient_quota: You exceeded your current quota", "BATON_HARNESS_AUTH"],
    [429, "Your account is not active, please check your billing details on our website.", "BATON_HARNESS_AUTH"],
    [400, "API key not valid. Please pass a valid API key.", "BATON_HARNESS_AUTH"],
    [400, "API key expired. Please renew the API key.", "BATON_HARNESS_AUTH"],
    [404, "Requested entity was not found.", "BATON_MODEL_UNKNOWN"],
    [404, '{"type":"not_found_error"}', "BATON_MODEL_UNKNOWN"],
    [404, "Model gpt-5-codex was shut down", "BATON_MODEL_UNKNOWN"],
    [410, "The model `x` has reached its end of life on 2026-06-15", "BATON_MODEL_UNKNOWN"],
    [400, "The `x` model is not available in your region", "BATON_MODEL_UNKNOWN"],
    [
      400,
      "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
      "BATON_PROMPT_TOO_LONG",
    ],
    [
      429,
      "Request too large for gpt-6.1-sol in organization org-x on tokens per min (TPM): Limit 30000, Requested 90000. The input or output tokens must be reduced in order to run successfully.",
      "BATON_PROMPT_TOO_LONG",
    ],
  ])("%i %s", (status, message, code) => {
    const error = statusError(status, message);
    expect(error.code).toBe(code);
    expect(errorCatalogue[error.code].treatment).toBe("terminal");
    expect(errorInWords(message)?.code).toBe(status === 413 ? "BATON_PROMPT_TOO_LONG" : code);
  });

  it.each([
    [404, "page not found", "BATON_HARNESS_CRASHED"],
    [400, "tool_use ids must be unique", "BATON_HARNESS_CRASHED"],
    [401, "model_not_found", "BATON_HARNESS_AUTH"],
    [429, "Too many input tokens per minute for this model", "BATON_HARNESS_QUOTA"],
    [503, "The model is overloaded", "BATON_HARNESS_UNAVAILABLE"],
    [429, "You exceeded your current quota, please check your plan and billing details.", "BATON_HARNESS_QUOTA"],
    [402, "Payment Required", "BATON_HARNESS_QUOTA"],
    [403, "Requested entity was not found.", "BATON_HARNESS_AUTH"],
  ])("%i %s is none of them", (status, message, code) => {
    expect(statusError(status, message).code).toBe(code);
  });

  it.each([
    [404, "page not found", "BATON_MODEL_UNKNOWN"],
    [404, "", "BATON_MODEL_UNKNOWN"],
    [410, "Gone", "BATON_MODEL_UNKNOWN"],
    [400, "tool_use ids must be unique", "BATON_HARNESS_CRASHED"],
    [500, "Internal server error", "BATON_HARNESS_UNAVAILABLE"],
  ])("to a request for a model, %i %j is %s", (status, message, code) => {
    expect(modelError(status, message).code).toBe(code);
  });

  it.each([
    ["Loop detected, stopping execution"],
    ["A potential loop was detected. This can happen due to repetitive tool calls; loop detected."],
    ["Agent execution stopped: detected a loop"],
  ])("Gemini CLI stopped by its own loop guard ends well, as it says: %s", (message) => {
    const reader = new GeminiReader();
    for (const event of [
      { type: "init", session_id: "s", model: "gemini-3.8-flash" },
      { type: "message", role: "assistant", content: "Shell.Shell." },
      { type: "error", severity: "warning", message },
      { type: "result", status: "success", stats: {} },
    ])
      reader.take(JSON.stringify(event), "stdout");
    expect(reader.end()).toMatchObject({ finished: true, error: { code: "BATON_HARNESS_LOOP" } });
    expect(errorCatalogue.BATON_HARNESS_LOOP.treatment).toBe("terminal");
  });

  it("another warning of Gemini CLI changes nothing", () => {
    const reader = new GeminiReader();
    reader.take(JSON.stringify({ type: "error", severity: "warning", message: "Low on disk" }), "stdout");
    reader.take(JSON.stringify({ type: "result", status: "success", stats: {} }), "stdout");
    expect(reader.end().error).toBeNull();
  });
});
