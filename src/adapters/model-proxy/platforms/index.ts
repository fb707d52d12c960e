/** The platforms, one line each, and how the operator's choice becomes one. */
import type { ModelProvider } from "../../../ports/model-proxy.ts";
import { type AzureAccess, azure } from "./azure.ts";
import { type BedrockAccess, bedrock } from "./bedrock.ts";
import type { ModelNames, Platform } from "./platform.ts";
import { type VertexAccess, vertex } from "./vertex.ts";

export type PlatformChoice =
  | { platform: "bedrock"; access: BedrockAccess }
  | { platform: "vertex"; access: VertexAccess }
  | { platform: "azure"; access: AzureAccess };

export type PlatformName = PlatformChoice["platform"];

/** The platforms that offer the models of each service. */
export const platformsOfService = {
  anthropic: ["bedrock", "vertex", "azure"],
  openai: ["azure"],
  gemini: ["vertex"],
} as const satisfies Record<ModelProvider, readonly PlatformName[]>;

export function platformOf(provider: ModelProvider, choice: PlatformChoice, names: ModelNames): Platform {
  switch (choice.platform) {
    case "bedrock":
      return bedrock(choice.access, names);
    case "vertex":
      return vertex(provider === "gemini" ? "gemini" : "anthropic", choice.access, names);
    case "azure":
      return azure(choice.access, names);
  }
}
