/** Keys of models by name: which harness each opens. Values are never looked at. */

export interface DetectedKey {
  name: string;
  where: "repository secret" | "environment";
  harnesses: readonly string[];
}

/** In the order of preference: the first key that is there chooses the harness. */
export const harnessKeys: readonly { readonly name: string; readonly harnesses: readonly string[] }[] = [
  { name: "ANTHROPIC_API_KEY", harnesses: ["claude-code", "copilot", "opencode", "pi"] },
  { name: "CLAUDE_CODE_OAUTH_TOKEN", harnesses: ["claude-code"] },
  { name: "OPENAI_API_KEY", harnesses: ["codex"] },
  { name: "GEMINI_API_KEY", harnesses: ["gemini"] },
];

export function keysOf(facts: {
  secretNames: readonly string[] | null;
  environmentNames: readonly string[];
}): DetectedKey[] {
  return harnessKeys.flatMap(({ name, harnesses }) => [
    ...((facts.secretNames ?? []).includes(name) ? [{ name, harnesses, where: "repository secret" as const }] : []),
    ...(facts.environmentNames.includes(name) ? [{ name, harnesses, where: "environment" as const }] : []),
  ]);
}
