/**
 * What an agent is told, as the hook `onInstructionsLoaded` (PROMPT-006) sees and may change it.
 *
 * Owns: the shape of a section once it is text, and of the hook. Does not own: how sections come to be (`prompt/`).
 */
import { z } from "zod";
import type { AgentInput } from "./effect.ts";
import { effectKeySchema } from "./vocabulary.ts";

/** In the order of the prompt; what each holds is said in `prompt/section.ts`. */
export const strata = ["stable", "runtime", "turn"] as const;
export type Stratum = (typeof strata)[number];

/** What an agent can do by tools of its own, as its harness declares it: to look, to search, to change files, to run commands, to keep a list of steps, to fetch. */
export const tools = ["read", "search", "edit", "shell", "tasks", "web"] as const;
export type Tool = (typeof tools)[number];

export const instructionSchema = z.object({
  /** Of the file in `prompt/sections`, and after a colon which of its sections, where it writes several. */
  name: z.string().min(1).max(80),
  stratum: z.enum(strata),
  /** With its heading. */
  text: z.string(),
});
export type Instruction = z.output<typeof instructionSchema>;

/** What a hook sees of the attempt. */
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

/** Gives the instructions back as they are to be, or nothing where they stay. Pure: it may run again for the next attempt. */
export type InstructionsHook = (loaded: InstructionsLoaded) => readonly Instruction[] | undefined;

/** What was told to one attempt, for the journal. */
export const promptedSchema = z.object({
  key: effectKeySchema,
  attempt: z.number().int().positive(),
  /** Content hash of the kept prompt. */
  promptId: z.string(),
  /** Whom it is told: the harness, and the model that it is asked for; null: the harness's own. */
  agent: z.object({ harness: z.string(), model: z.string().nullable() }).optional(),
  /** What hooks changed: `before` is the content hash of the section that they replaced or left out. */
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
