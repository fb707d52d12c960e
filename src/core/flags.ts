/**
 * The words of a command line that has only flags, for the entry points without Commander. A wrong word gets a suggestion.
 *
 * Owns: reading and refusing. Does not own: the meaning of a flag.
 */
import { nearest } from "./nearest.ts";

export interface Flag {
  /** The placeholder of its value. Absent: the flag has none. */
  value?: string;
  /** Its only values. Absent: any text. */
  among?: readonly string[];
  many?: boolean;
}

export type Flags = Record<string, string[]>;

/** `wrong`: the problem, for the person who wrote it. A flag without a value has one empty value. */
export function readFlags(
  words: readonly string[],
  known: Readonly<Record<string, Flag>>,
): { ok: true; flags: Flags } | { ok: false; wrong: string } {
  const flags: Flags = {};
  const refuse = (wrong: string): { ok: false; wrong: string } => ({ ok: false, wrong });
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const [, name, attached] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined)
      return refuse(`Unexpected word \`${shown(word)}\`.${meant(nearest(word, Object.keys(known)))}`);
    const flag = Object.hasOwn(known, name) && word.startsWith("--") ? known[name] : undefined;
    if (flag === undefined)
      return refuse(`Unknown flag \`${shown(word.split("=")[0] ?? "")}\`.${meant(nearest(name, Object.keys(known)))}`);
    if (flag.many !== true && flags[name] !== undefined) return refuse(`\`--${name}\` is there twice.`);
    if (flag.value === undefined) {
      if (attached !== undefined) return refuse(`\`--${name}\` has no value.`);
      flags[name] = [""];
      continue;
    }
    const next = attached ?? words[index + 1];
    if (attached === undefined) index += 1;
    if (next === undefined || next === "" || (attached === undefined && next.startsWith("--")))
      return refuse(`\`--${name}\` needs a value: \`--${name} ${flag.value}\`.`);
    if (flag.among !== undefined && !flag.among.includes(next)) {
      const near = nearest(next, flag.among);
      return refuse(
        `Unknown value \`${shown(next)}\` of \`--${name}\`.${near === null ? "" : ` Did you mean \`${near}\`?`} Known: ${flag.among.join(", ")}.`,
      );
    }
    flags[name] = [...(flags[name] ?? []), next];
  }
  return { ok: true, flags };
}

function meant(name: string | null): string {
  return name === null ? "" : ` Did you mean \`--${name}\`?`;
}

function shown(word: string): string {
  return word.replaceAll("`", "'").slice(0, 60);
}
