/** What a process puts into `prompt` of an agent's effect: a task by its name, with the facts that it needs and no others. */
import type { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { Json } from "../core/vocabulary.ts";
import { parseInput } from "../process/process.ts";
import type { Facts } from "./facts.ts";
import type { Task } from "./task.ts";
import { tasks } from "./tasks/index.ts";

/** What every task gets; most need something besides, which its function asks for. */
export type PromptFacts = Facts;

export interface Prompt {
  task: string;
  facts: Json;
}

type Tasks = typeof tasks;
type Prompts = { [K in keyof Tasks]: (facts: z.input<Tasks[K]["facts"]>) => Prompt };

export const prompts: Prompts = Object.fromEntries(
  Object.values(tasks).map((task: Task) => [
    task.name,
    // What a caller spreads in besides (its whole input, often) stays out of the journal.
    (facts: unknown): Prompt => ({ task: task.name, facts: parseFacts(task, facts) as unknown as Json }),
  ]),
) as unknown as Prompts;

/** The task and facts of a journaled prompt. */
export function readPrompt({ task: name, facts }: Prompt): { task: Task; facts: Facts } {
  const task = Object.hasOwn(tasks, name) ? (tasks as Readonly<Record<string, Task>>)[name] : undefined;
  if (task === undefined)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `There is no task "${name.slice(0, 60)}". There are: ${Object.keys(tasks).join(", ")}.`,
    );
  return { task, facts: parseFacts(task, facts) };
}

function parseFacts(task: Task, facts: unknown): Facts {
  return parseInput(`Facts of the task "${task.name}"`, task.facts, facts);
}
