/**
 * A task: an agent's work, in Baton's words. Each is a file in `tasks/` and a line in its index.
 *
 * Owns: the shape. Does not own: all other instructions of an agent (`sections/`).
 */
import type { z } from "zod";
import type { Facts } from "./facts.ts";
import type { Written } from "./section.ts";

export interface Task {
  /** In kebab-case. It is also the name of its function in `prompts`. */
  name: string;
  /** `factsSchema` and the further facts of this task. */
  facts: z.ZodType<Facts>;
  /** Its own sections, at the end of the prompt. Text of others in them goes through `quoted`. */
  write(facts: Facts): readonly Written[];
}

/** The facts of a task have their type within it. The registry handles all tasks alike. */
export function defineTask<F extends Facts>(task: {
  name: string;
  facts: z.ZodType<F>;
  write(facts: F): readonly Written[];
}): Task & { facts: z.ZodType<F> } {
  // Sound: every caller of `write` has parsed the facts by this task's own schema.
  return task as unknown as Task & { facts: z.ZodType<F> };
}
