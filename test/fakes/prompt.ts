/** What an agent would be told, where a test has the effect's input and no harness. */
import { defaultSettings } from "../../src/config/schema.ts";
import { type AgentInput, agentInputSchema } from "../../src/core/effect.ts";
import { compose, partsOf } from "../../src/prompt/compose.ts";
import { overlaysOf } from "../../src/prompt/overlay.ts";
import { readPrompt } from "../../src/prompt/prompts.ts";
import type { PromptContext } from "../../src/prompt/section.ts";

export function contextOf(input: AgentInput, more: Partial<PromptContext> = {}): PromptContext {
  const { role, access, prompt } = input;
  if ("system" in prompt) throw new Error("A prompt in words has no context.");
  const { task, facts } = readPrompt(prompt);
  return {
    harness: { name: "small", systemPrompt: true, tools: null, servers: [] },
    role,
    access,
    overlays: overlaysOf({ role, access, profile: "full", facts, again: false }),
    settings: defaultSettings,
    task,
    facts,
    resume: null,
    ...more,
  };
}

export function told(input: unknown): { system: string; user: string } {
  const parsed = agentInputSchema.parse(input);
  return "system" in parsed.prompt ? parsed.prompt : partsOf(compose(contextOf(parsed)));
}
