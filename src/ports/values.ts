/**
 * Small durable values. Each family has one owner, its names and its schema, and nobody else reads or writes it.
 *
 * VA1 A value that does not fit its schema, for example from an older or newer Baton, counts as absent.
 * VA2 Two families never share a name: a family with overlapping names cannot be defined.
 * VA3 Values of a run begin with `runValuePrefix` and the run's id, and go some time after its end.
 * VA4 If the absence of a value allows something, the owner asks `isKept`: a value that does not fit allows nothing.
 */
import type { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { Json } from "../core/vocabulary.ts";
import type { Store } from "./store.ts";

export interface ValueKey<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
}

export interface ValueFamily<T> {
  /** `of` identifies the value within its family. */
  at(of: string | number): ValueKey<T>;
}

interface Names {
  prefix: string;
  suffix: string;
}

const defined: Names[] = [];

/** A family of values: `prefix`, the identifying part, and `suffix`. */
export function defineValues<T>(prefix: string, schema: z.ZodType<T>, suffix = ""): ValueFamily<T> {
  claimNames({ prefix, suffix });
  return { at: (of) => ({ name: `${prefix}${of}${suffix}`, schema }) };
}

/** One value. */
export function defineValue<T>(name: string, schema: z.ZodType<T>): ValueKey<T> {
  claimNames({ prefix: name, suffix: "" });
  return { name, schema };
}

/** VA2 */
function claimNames(names: Names): void {
  const other = defined.find((one) => mayMeet(one.prefix, names.prefix) && mayEndAlike(one.suffix, names.suffix));
  if (other !== undefined)
    throw new BatonError(
      "BATON_INTERNAL",
      `Values \`${names.prefix}…${names.suffix}\` could be \`${other.prefix}…${other.suffix}\`, which has another owner.`,
    );
  defined.push(names);
}

function mayMeet(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

function mayEndAlike(one: string, other: string): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

export async function readValue<T>(store: Pick<Store, "value">, { name, schema }: ValueKey<T>): Promise<T | null> {
  return schema.safeParse(await store.value(name)).data ?? null;
}

/** VA4 */
export async function isKept(store: Pick<Store, "value">, { name }: ValueKey<unknown>): Promise<boolean> {
  return (await store.value(name)) !== null;
}

export async function writeValue<T>(store: Pick<Store, "setValue">, { name }: ValueKey<T>, value: T): Promise<void> {
  await store.setValue(name, value as unknown as Json);
}

export async function removeValues(
  store: Pick<Store, "removeValues">,
  keys: readonly ValueKey<unknown>[],
): Promise<void> {
  await store.removeValues(keys.map(({ name }) => name));
}
