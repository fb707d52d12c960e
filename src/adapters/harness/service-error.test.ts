/** Errors of model services by name, whatever a command line makes of them. */
import { describe, expect, it } from "vitest";
import { errorCatalogue } from "../../core/errors.ts";
import { GeminiReader } from "./gemini/harness.ts";
import { errorInWords, statusError } from "./service-error.ts";

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
  ])("%i %s is none of them", (status, message, code) => {
    expect(statusError(status, message).code).toBe(code);
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
