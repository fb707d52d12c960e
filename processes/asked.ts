/**
 * Instructions of verify and review after the command. A list item is an outcome to answer. A line that begins with `$` is a
 * command to run.
 */
import type { Outcome } from "../src/index.ts";

const outcomesMax = 20;
const charactersMax = 200;

export interface Asked {
  outcomes: Outcome[];
  /** Programs with their arguments. No shell parses them. */
  commands: string[][];
}

export function readAsked(instructions: string): Asked {
  const outcomes: Outcome[] = [];
  const commands: string[][] = [];
  for (const line of instructions.split("\n")) {
    const command = /^\s*\$\s+(\S.*)$/.exec(line)?.[1];
    if (command !== undefined) commands.push(wordsOf(command));
    const item = /^\s*(?:[-*]|\d+[.)])\s+(?:\[[ x]\]\s+)?(\S.*)$/i.exec(line)?.[1];
    if (item !== undefined && outcomes.length < outcomesMax)
      outcomes.push({ id: `asked.${outcomes.length + 1}`, statement: item.trim().slice(0, charactersMax) });
  }
  return { outcomes, commands };
}

/** Splits at spaces. Quotes hold words together. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}
