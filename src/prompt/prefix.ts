/**
 * Where a prompt stops being the one before it (PERF-005): a service's cache reuses the beginning that is the same, and no more.
 *
 * Owns: comparing two prompts section by section. Does not own: what a service really reused (its own count, in the usage).
 */
import { type Instruction, type Stratum, strata } from "../core/instructions.ts";
import { between } from "./compose.ts";
import { estimateTokens } from "./tokens.ts";

export interface Prefix {
  /** Characters from the start that are the same. */
  sameCharacters: number;
  /** Of the new prompt's stable and runtime strata: how many characters they have, and how many of these are the same. */
  cacheable: { characters: number; sameCharacters: number };
  /** The first section that is not as it was; null: the new prompt goes on where the old one ended, or is equal. */
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

/** Sizes by stratum; tokens are estimated (`tokens.ts`). */
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
