/** Keys of models by name: which harness each opens. Values are never looked at. */
import { keyVariables } from "../adapters/harness/key-variables.ts";

export interface DetectedKey {
  name: string;
  where: "repository secret" | "environment";
  harnesses: readonly string[];
}

/** In the order of preference: the first key that is there chooses the harness. */
export const harnessKeys: readonly { readonly name: string; readonly harnesses: readonly string[] }[] =
  keyVariables.map(({ name, harnesses }) => ({ name, harnesses }));

export function keysOf(facts: {
  secretNames: readonly string[] | null;
  environmentNames: readonly string[];
}): DetectedKey[] {
  return harnessKeys.flatMap(({ name, harnesses }) => [
    ...((facts.secretNames ?? []).includes(name) ? [{ name, harnesses, where: "repository secret" as const }] : []),
    ...(facts.environmentNames.includes(name) ? [{ name, harnesses, where: "environment" as const }] : []),
  ]);
}
