/** An agent's prompt, for a test that has the effect's input and no harness. */
import { defaultSettings } from "../../src/config/schema.ts";
import { type AgentInput, agentInputSchema } from "../../src/core/effect.ts";
import { compose, partsOf } from "../../src/prompt/compose.ts";
import { overlaysOf } from "../../src/prompt/overlay.ts";
import { type PromptFacts, readPrompt } from "../../src/prompt/prompts.ts";
import type { PromptContext } from "../../src/prompt/section.ts";

function contextOf(input: AgentInput, more: Partial<PromptContext> = {}): PromptContext {
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
    change: null,
    ...more,
  };
}

export function told(input: unknown): { system: string; user: string } {
  const parsed = agentInputSchema.parse(input);
  return "system" in parsed.prompt ? parsed.prompt : partsOf(compose(contextOf(parsed)));
}

/** Facts of a small issue. */
export const smallFacts: PromptFacts = {
  thread: {
    number: 7,
    kind: "issue",
    title: "The sum is wrong",
    body: "It ignores the count.",
    author: "carol",
    authorPermission: "read",
    comments: [{ author: "bob", permission: "write", body: "Also for an empty cart." }],
  },
  instructions: "Keep the API.",
  projectInstructions: [{ path: "AGENTS.md", text: "Use tabs." }],
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
};
