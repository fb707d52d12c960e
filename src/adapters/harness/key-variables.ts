/** The variables that give access to the harnesses' services, as their descriptions name them. */
import { describedHarnesses } from "./descriptions.ts";

export interface KeyVariable {
  name: string;
  /** `login` replaces a key. */
  kind: "apiKey" | "login";
  harnesses: readonly string[];
}

/** In the order of the harnesses, a key before a login. */
export const keyVariables: readonly KeyVariable[] = collect((keys) => [
  [keys.apiKey, "apiKey"],
  ...(keys.login === null ? [] : [[keys.login, "login"] as const]),
]);

/** Other addresses of the services. */
export const baseUrlVariables: readonly string[] = [
  ...new Set(describedHarnesses.flatMap(({ keys }) => (keys === null ? [] : [keys.baseUrl]))),
];

type Keys = NonNullable<(typeof describedHarnesses)[number]["keys"]>;

function collect(variables: (keys: Keys) => readonly (readonly [string, KeyVariable["kind"]])[]): KeyVariable[] {
  const found = new Map<string, { kind: KeyVariable["kind"]; harnesses: string[] }>();
  for (const { name, keys } of describedHarnesses)
    for (const [variable, kind] of keys === null ? [] : variables(keys)) {
      const known = found.get(variable) ?? { kind, harnesses: [] };
      known.harnesses.push(name);
      found.set(variable, known);
    }
  return [...found].map(([name, rest]) => ({ name, ...rest }));
}
