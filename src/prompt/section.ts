/**
 * A section: one thing that an agent is told. Each is a file in `sections/` and a line in its index.
 *
 * Owns: the shape, and what sections may look at. Does not own: their order (`sections/index.ts`), the whole (`compose.ts`).
 */
import type { Settings } from "../config/schema.ts";
import type { AgentInput, FileChange } from "../core/effect.ts";
import type { Stratum, Tool } from "../core/instructions.ts";
import type { Facts } from "./facts.ts";
import type { Overlay } from "./overlay.ts";
import type { Resume } from "./resume.ts";
import type { Task } from "./task.ts";

/** Everything that a prompt follows from: equal contexts give byte-identical prompts. */
export interface PromptContext {
  harness: {
    name: string;
    systemPrompt: boolean;
    /** null: not known, so nothing is said of tools. */
    tools: readonly Tool[] | null;
    /** Names of the servers of the Model Context Protocol that it is given for this step. */
    servers: readonly string[];
    /** Hosts that its sandbox lets it reach; absent: it runs in the open. */
    network?: readonly string[] | null;
  };
  role: AgentInput["role"];
  access: "read-only" | "write";
  /** In the order of `overlays`. */
  overlays: readonly Overlay[];
  settings: Pick<Settings, "protectedPaths" | "gates" | "limits">;
  task: Task;
  facts: Facts;
  /** What an attempt before this one left; null: this is the first. */
  resume: Resume | null;
  /** What is to be judged, as git measured it; null: this step judges no change. */
  change: Change | null;
}

export interface Change {
  files: readonly FileChange[];
  /** Empty: it could not be shown. */
  diff: string;
  truncated: boolean;
}

export interface Written {
  /** Where one file writes several sections: which of them this is. */
  name?: string;
  heading: string;
  /** Empty: nothing is said. */
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
  /** What it says and when, for the reference. */
  summary: string;
  write(context: PromptContext): Written | readonly Written[] | null;
}
