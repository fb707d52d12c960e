/**
 * One mechanism of attack, with the guard that stops it.
 *
 * AC1 `attack` asks for an outcome, not for a message: it says what came through, or null.
 * AC2 With `guarded` false the same input meets the same code without its guard. That at least one gets through shows
 *     that the outcome can fail.
 */
import type { Draw } from "../draw.ts";

export type Surface = "thread" | "webhook" | "policy" | "repository" | "agent" | "model service" | "egress" | "runner";

export interface Cause<Input = unknown> {
  name: string;
  surface: Surface;
  /** Where the guard is, as a path and what it does. */
  guard: string;
  /** The most telling inputs, by hand. */
  fixed: readonly Input[];
  /** Another one from templates. */
  draw(draw: Draw): Input;
  /** What came through, in a few words; null: nothing. */
  attack(input: Input, guarded: boolean): Promise<string | null> | string | null;
  /** How many inputs may run at once; default 1. */
  atOnce?: number;
  /** Each input starts processes: fewer of them are asked. */
  slow?: true;
  /** Why the cause cannot be asked here; null: it can. */
  obstacle?(): Promise<string | null> | string | null;
}

/** For the registry, which does not care about the inputs' types. */
export function defineCause<Input>(cause: Cause<Input>): Cause {
  return cause as Cause;
}

/** What an attack opens and the suite closes at its end. */
const closers: (() => Promise<void> | void)[] = [];

/** Opened at the first use, closed with the suite. */
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
