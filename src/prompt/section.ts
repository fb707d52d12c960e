/**
 * A section: one part of an agent's instructions. Each is a file in `sections/` and a line in its index.
 *
 * Owns: the shape, and the inputs of sections. Does not own: their order (`sections/index.ts`), the whole (`compose.ts`).
 */
import type { Settings } from "../config/schema.ts";
import type { AgentInput, FileChange } from "../core/effect.ts";
import type { Stratum, Tool } from "../core/instructions.ts";
import type { Facts } from "./facts.ts";
import type { Overlay } from "./overlay.ts";
import type { Resume } from "./resume.ts";
import type { Task } from "./task.ts";

/** All inputs of a prompt: equal contexts give byte-identical prompts. */
export interface PromptContext {
  harness: {
    name: string;
    systemPrompt: boolean;
    /** null: unknown, so the prompt says nothing about tools. */
    tools: readonly Tool[] | null;
    /** Names of the Model Context Protocol servers that this step gets. */
    servers: readonly string[];
    /** Hosts that its sandbox allows. Absent: it runs without a sandbox. */
    network?: readonly string[] | null;
  };
  role: AgentInput["role"];
  access: "read-only" | "write";
  /** In the order of `overlays`. */
  overlays: readonly Overlay[];
  settings: Pick<Settings, "protectedPaths" | "gates" | "limits">;
  task: Task;
  facts: Facts;
  /** The remains of an earlier attempt. null: this is the first. */
  resume: Resume | null;
  /** The change to judge, as git measured it. null: this step judges no change. */
  change: Change | null;
}

export interface Change {
  files: readonly FileChange[];
  /** Empty: the diff was not available. */
  diff: string;
  truncated: boolean;
}

export interface Written {
  /** If one file writes several sections, the name of this one. */
  name?: string;
  heading: string;
  /** Empty: the section is left out. */
  body: string;
}

export interface PromptSection {
  /** kebab-case. */
  name: string;
  /**
   * `stable`: the same for every run whose agent has the same tools, access and overlays.
   * `runtime`: the same for every step of one run from one base.
   * `turn`: this step alone.
   */
  stratum: Stratum;
  /** Its content and condition, for the reference. */
  summary: string;
  write(context: PromptContext): Written | readonly Written[] | null;
}
