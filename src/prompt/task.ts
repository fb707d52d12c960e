/**
 * A task: what an agent is asked to do, in Baton's words. Each is a file in `tasks/` and a line in its index.
 *
 * Owns: the shape. Does not own: everything else that an agent is told (`sections/`).
 */
import type { z } from "zod";
import type { Facts } from "./facts.ts";
import type { Written } from "./section.ts";

export interface Task {
  /** kebab-case; the name of its function in `prompts`. */
  name: string;
  /** Of `factsSchema` with what this task needs besides. */
  facts: z.ZodType<Facts>;
  /** Its own sections, last of the prompt. Text of others in them goes through `quoted`. */
  write(facts: Facts): readonly Written[];
}

/** The facts of a task, typed within it; the registry handles them all alike. */
export function defineTask<F extends Facts>(task: {
  name: string;
  facts: z.ZodType<F>;
  write(facts: F): readonly Written[];
}): Task & { facts: z.ZodType<F> } {
  // Sound: whoever calls `write` has parsed the facts by this task's own schema.
  return task as unknown as Task & { facts: z.ZodType<F> };
}
