/**
 * `onInstructionsLoaded`: lets processes and plugins change an agent's instructions, and records the changes.
 *
 * K1 Whatever a hook returns, stable comes before runtime before turn.
 * K2 Baton records every change with its author.
 */
import { BatonError } from "../core/errors.ts";
import {
  type Instruction,
  type InstructionsHook,
  type InstructionsLoaded,
  instructionSchema,
  strata,
} from "../core/instructions.ts";

export interface NamedHook {
  /** A process or plugin, for the journal. */
  name: string;
  edit: InstructionsHook;
}

export interface Edit {
  by: string;
  section: string;
  change: "added" | "changed" | "removed" | "moved";
  /** null: it did not exist. */
  before: string | null;
}

/** Runs hooks in the given order. Each sees the result of the one before. */
export function runHooks(
  hooks: readonly NamedHook[],
  loaded: InstructionsLoaded,
): { instructions: readonly Instruction[]; edits: Edit[] } {
  let { instructions } = loaded;
  const edits: Edit[] = [];
  for (const { name, edit } of hooks) {
    const before = instructions;
    const given = edit({ ...loaded, instructions: before.map((one) => ({ ...one })) });
    if (given === undefined) continue;
    instructions = checked(name, given);
    edits.push(...changesBetween(name, before, instructions));
  }
  return { instructions, edits };
}

function checked(name: string, given: readonly Instruction[]): Instruction[] {
  const parsed = instructionSchema.array().safeParse(given);
  if (!parsed.success)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `onInstructionsLoaded of ${name}: ${parsed.error.issues
        .slice(0, 5)
        .map(({ path, message }) => `${path.join(".")}: ${message}`)
        .join("; ")}`,
    );
  const kept = parsed.data.filter(({ text }) => text.trim() !== "");
  return strata.flatMap((stratum) => kept.filter((one) => one.stratum === stratum));
}

function changesBetween(by: string, before: readonly Instruction[], after: readonly Instruction[]): Edit[] {
  const old = new Map(before.map((one) => [one.name, one]));
  const now = new Map(after.map((one) => [one.name, one]));
  const edits: Edit[] = before
    .filter(({ name }) => !now.has(name))
    .map(({ name, text }) => ({ by, section: name, change: "removed" as const, before: text }));
  for (const { name, text, stratum } of after) {
    const was = old.get(name);
    if (was === undefined) edits.push({ by, section: name, change: "added", before: null });
    else if (was.text !== text) edits.push({ by, section: name, change: "changed", before: was.text });
    else if (was.stratum !== stratum) edits.push({ by, section: name, change: "moved", before: was.text });
  }
  return edits;
}
