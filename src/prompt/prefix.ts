/**
 * Where a prompt begins to differ from the one before it (PERF-005). A service's cache reuses only the equal beginning.
 *
 * Owns: comparing two prompts by section. Does not own: the part that a service really reused (its own count, in the usage).
 */
import { type Instruction, type Stratum, strata } from "../core/instructions.ts";
import { between } from "./compose.ts";
import { estimateTokens } from "./tokens.ts";

export interface Prefix {
  /** The number of equal characters from the start. */
  sameCharacters: number;
  /** The characters of the new prompt's stable and runtime strata, and how many of these are equal. */
  cacheable: { characters: number; sameCharacters: number };
  /** The first section that differs. null: the new prompt continues after the old one's end, or is equal. */
  brokenBy: { name: string; stratum: Stratum; why: "added" | "changed" | "removed" } | null;
}

export function comparePrompts(before: readonly Instruction[], after: readonly Instruction[]): Prefix {
  const sameCharacters = commonLength(joined(before), joined(after));
  const characters = joined(after.filter(({ stratum }) => stratum !== "turn")).length;
  return {
    sameCharacters,
    cacheable: { characters, sameCharacters: Math.min(characters, sameCharacters) },
    brokenBy: firstDifference(before, after),
  };
}

function firstDifference(before: readonly Instruction[], after: readonly Instruction[]): Prefix["brokenBy"] {
  for (const [index, was] of before.entries()) {
    const now = after[index];
    if (now === undefined) return { name: was.name, stratum: was.stratum, why: "removed" };
    if (now.name === was.name && now.text === was.text) continue;
    if (now.name === was.name) return { name: now.name, stratum: now.stratum, why: "changed" };
    return after.some(({ name }) => name === was.name)
      ? { name: now.name, stratum: now.stratum, why: "added" }
      : { name: was.name, stratum: was.stratum, why: "removed" };
  }
  return null;
}

export interface Measured {
  stratum: Stratum;
  sections: {
    name: string;
    characters: number;
    tokens: number /** Characters before it in the whole prompt. */;
    offset: number;
  }[];
  characters: number;
  tokens: number;
}

/** Sizes by stratum. Tokens are estimates (`tokens.ts`). */
export function measure(sections: readonly Instruction[]): { strata: Measured[]; cacheBoundary: number } {
  let offset = 0;
  const placed = sections.map(({ name, stratum, text }) => {
    const one = { name, stratum, characters: text.length, tokens: estimateTokens(text), offset };
    offset += text.length + between.length;
    return one;
  });
  const measured = strata.map((stratum) => {
    const own = placed.filter((one) => one.stratum === stratum);
    return {
      stratum,
      sections: own.map(({ name, characters, tokens, offset: at }) => ({ name, characters, tokens, offset: at })),
      characters: own.reduce((sum, one) => sum + one.characters, 0),
      tokens: own.reduce((sum, one) => sum + one.tokens, 0),
    };
  });
  return { strata: measured, cacheBoundary: joined(sections.filter(({ stratum }) => stratum !== "turn")).length };
}

function joined(sections: readonly Pick<Instruction, "text">[]): string {
  return sections.map(({ text }) => text).join(between);
}

function commonLength(a: string, b: string): number {
  const max = Math.min(a.length, b.length);
  let length = 0;
  while (length < max && a[length] === b[length]) length += 1;
  return length;
}
