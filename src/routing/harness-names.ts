/** Harnesses as people name them. */
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

/** `claude` means `claude-code` where no harness is called `claude`: an exact name, else the only one that begins so. */
export function harnessNamed(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  if (known.includes(wanted)) return wanted;
  const begin = known.filter((name) => name.startsWith(`${wanted}-`));
  return begin.length === 1 ? (begin[0] as string) : null;
}

/** As `harnessNamed`; for what is none, an error that says what there is, and what may have been meant. */
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
