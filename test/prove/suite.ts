/**
 * A suite of `npm run prove`: a proof that takes longer than `npm test` allows, from a seed.
 *
 * PV1 The same seed and flags ask the same questions.
 * PV2 A suite reports a failure in its result. It throws only if it could not run.
 */

export interface Flag {
  name: string;
  /** In the help. */
  summary: string;
  /** Whole numbers from `min`. */
  default: number;
  min: number;
}

export interface ProveOptions {
  seed: number;
  /** Each flag of the suite, given or default. */
  flags: Readonly<Record<string, number>>;
  /** One line for people, while the suite works. */
  say(line: string): void;
}

export interface Proof {
  /** Whether the promise of the suite was kept. */
  held: boolean;
  /** Fields of the JSON object, in print order. */
  result: Readonly<Record<string, unknown>>;
}

export interface Suite {
  name: string;
  /** The promise to prove, in one sentence. */
  summary: string;
  flags: readonly Flag[];
  prove(options: ProveOptions): Promise<Proof>;
}

export function flagOf({ flags }: Pick<ProveOptions, "flags">, name: string): number {
  const value = flags[name];
  if (value === undefined) throw new TypeError(`No flag --${name}.`);
  return value;
}
