/** `BATON_KEYS`: keys of model services for single owners and repositories, next to the general ones. */
import { z } from "zod";
import { keyVariables } from "../adapters/harness/key-variables.ts";
import type { OwnerKeys } from "../adapters/model-proxy/upstreams.ts";

const known = keyVariables.map(({ name }) => name);
const placesMax = 1_000;
const schema = z
  .record(z.string(), z.partialRecord(z.enum(known as [string, ...string[]]), z.string().trim().min(1)))
  .refine(
    (keys) => Object.keys(keys).every((place) => /^[\w.-]+(?:\/[\w.-]+)?$/.test(place)),
    "owner or owner/name is expected",
  )
  .refine((keys) => Object.keys(keys).length <= placesMax, `at most ${placesMax} owners and repositories are expected`);

export const ownerKeysVariable = z
  .string()
  .trim()
  .min(1)
  .optional()
  .describe(
    `Keys for single owners and repositories, as JSON: \`{"acme":{"ANTHROPIC_API_KEY":"…"},"acme/shop":{…}}\`. The most exact one holds, before the general key. Names: ${known.map((name) => `\`${name}\``).join(", ")}.`,
  );

/** A problem never repeats a value. */
export function readOwnerKeys(text: string | undefined): { keys: OwnerKeys; problem: string | null } {
  if (text === undefined) return { keys: {}, problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { keys: {}, problem: "BATON_KEYS is not JSON" };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const keys = Object.entries(parsed.data).map(([place, own]) => [
      place.toLowerCase(),
      own as Record<string, string>,
    ]);
    return { keys: Object.fromEntries(keys), problem: null };
  }
  const [issue] = parsed.error.issues;
  return {
    keys: {},
    problem: `BATON_KEYS is not of its form at ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
  };
}
