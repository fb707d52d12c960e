/**
 * One mechanism of attack, with the guard that stops it.
 *
 * AC1 `attack` checks an outcome, not a message: it returns what came through, or null.
 * AC2 With `guarded` false, the same input meets the same code without its guard. At least one input must get through, which
 *     shows that the outcome can fail.
 */
import type { Draw } from "../draw.ts";

export type Surface = "thread" | "webhook" | "policy" | "repository" | "agent" | "model service" | "egress" | "runner";

export interface Cause<Input = unknown> {
  name: string;
  surface: Surface;
  /** The place of the guard, as a path and its effect. */
  guard: string;
  /** The most telling inputs, handwritten. */
  fixed: readonly Input[];
  /** A further input from templates. */
  draw(draw: Draw): Input;
  /** The forbidden effect, in a few words. null: there was none. */
  attack(input: Input, guarded: boolean): Promise<string | null> | string | null;
  /** How many inputs may run at once. Default: 1. */
  atOnce?: number;
  /** Each input starts processes, so fewer inputs run. */
  slow?: true;
  /** Why the cause cannot run here. null: it can. */
  obstacle?(): Promise<string | null> | string | null;
}

/** For the registry, which ignores the inputs' types. */
export function defineCause<Input>(cause: Cause<Input>): Cause {
  return cause as Cause;
}

/** Things that an attack opens and the suite closes at its end. */
const closers: (() => Promise<void> | void)[] = [];

/** Opened at the first use, and closed with the suite. */
export function shared<T>(open: () => Promise<T> | T, close: (opened: T) => Promise<void> | void): () => Promise<T> {
  let opened: Promise<T> | null = null;
  return () => {
    if (opened === null) {
      const now = Promise.resolve(open());
      opened = now;
      closers.push(async () => {
        opened = null;
        await close(await now);
      });
    }
    return opened;
  };
}

export async function closeShared(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
