/**
 * The instructions of an agent, as the hook `onInstructionsLoaded` (PROMPT-006) sees and may change them.
 *
 * Owns: the text form of a section, and the form of the hook. Does not own: how sections are composed (`prompt/`).
 */
import { z } from "zod";
import type { AgentInput } from "./effect.ts";
import { effectKeySchema } from "./vocabulary.ts";

/** In the order of the prompt. `prompt/section.ts` defines the content of each. */
export const strata = ["stable", "runtime", "turn"] as const;
export type Stratum = (typeof strata)[number];

/**
 * Tools of an agent, as its harness declares them: read, search, change files, run commands, keep a task list, fetch.
 */
export const tools = ["read", "search", "edit", "shell", "tasks", "web"] as const;
export type Tool = (typeof tools)[number];

export const instructionSchema = z.object({
  /**
   * Name of the file in `prompt/sections`. If the file writes several sections, a colon and the section's name follow.
   */
  name: z.string().min(1).max(80),
  stratum: z.enum(strata),
  /** The text with its heading. */
  text: z.string(),
});
export type Instruction = z.output<typeof instructionSchema>;

/** The facts of the attempt that a hook sees. */
export interface InstructionsLoaded {
  runId: string;
  process: string;
  effect: string;
  attempt: number;
  role: AgentInput["role"];
  access: "read-only" | "write";
  harness: string;
  instructions: readonly Instruction[];
}

/** Returns the changed instructions, or nothing if they stay. Pure: it may run again for the next attempt. */
export type InstructionsHook = (loaded: InstructionsLoaded) => readonly Instruction[] | undefined;

/** The prompt of one attempt, for the journal. */
export const promptedSchema = z.object({
  key: effectKeySchema,
  attempt: z.number().int().positive(),
  /** Content hash of the kept prompt. */
  promptId: z.string(),
  /** The harness, and the requested model. null: the harness's own model. */
  agent: z.object({ harness: z.string(), model: z.string().nullable() }).optional(),
  /** Changes by hooks. `before` is the content hash of the section that a hook replaced or removed. */
  edits: z.array(
    z.object({
      by: z.string(),
      section: z.string(),
      change: z.enum(["added", "changed", "removed", "moved"]),
      before: z.string().nullable(),
    }),
  ),
});
export type Prompted = z.output<typeof promptedSchema>;
