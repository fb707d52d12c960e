/** Harnesses as people name them. */
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

/** `claude` means `claude-code` if no harness is called `claude`: an exact name, or the only name with that prefix. */
export function harnessNamed(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  if (known.includes(wanted)) return wanted;
  const begin = known.filter((name) => name.startsWith(`${wanted}-`));
  return begin.length === 1 ? (begin[0] as string) : null;
}

/** As `harnessNamed`. For an unknown name it throws an error with the known names and the most similar one. */
export function demandHarness(word: string, known: readonly string[]): string {
  return harnessNamed(word, known) ?? refuseHarness(word, known);
}

export function refuseHarness(word: string, known: readonly string[]): never {
  const meant = harnessNamed(word, known) ?? near(word, known);
  const hint = meant === null ? "" : ` Did you mean \`${meant}\`?`;
  throw new BatonError("BATON_HARNESS_UNKNOWN", `Harness "${word}" is not known.${hint} Known: ${known.join(", ")}.`);
}

function near(word: string, known: readonly string[]): string | null {
  const meant = nearest(word, [...known, ...known.map((name) => name.split("-")[0] as string)]);
  return meant === null ? null : harnessNamed(meant, known);
}
