/** Names of model keys, and the harness that each opens. Baton never reads the values here. */
import { keyVariables } from "../adapters/harness/key-variables.ts";

export interface DetectedKey {
  name: string;
  where: "repository secret" | "environment";
  harnesses: readonly string[];
}

/** In order of preference: the first key that exists chooses the harness. */
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
