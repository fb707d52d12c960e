/** A provider of models, and the name of its service in texts for agents. */
import type { Provider } from "../../config/models.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";

export const services: Readonly<Record<Provider, ModelProvider>> = {
  anthropic: "anthropic",
  openai: "openai",
  google: "gemini",
};

export const providersOf: Readonly<Record<ModelProvider, Provider>> = {
  anthropic: "anthropic",
  openai: "openai",
  gemini: "google",
};
