/** `BATON_KEYS`: keys of model services for single owners and repositories, next to the general ones. */
import { z } from "zod";
import { keyVariables } from "../adapters/harness/key-variables.ts";
import type { OwnerKeys } from "../adapters/model-proxy/upstreams.ts";

const known = keyVariables.map(({ name }) => name);
const placesMax = 1_000;
const schema = z
  .record(z.string(), z.partialRecord(z.enum(known as [string, ...string[]]), z.string().trim().min(1)))
  .refine((keys) => Object.keys(keys).every((place) => /^[\w.-]+(?:\/[\w.-]+)?$/.test(place)))
  .refine((keys) => Object.keys(keys).length <= placesMax);

export const ownerKeysVariable = z
  .string()
  .trim()
  .min(1)
  .optional()
  .describe(
    `Keys for single owners and repositories, as JSON: \`{"acme":{"ANTHROPIC_API_KEY":"…"},"acme/shop":{…}}\`. The most exact one holds, before the general key. Names: ${known.map((name) => `\`${name}\``).join(", ")}.`,
  );

const form = `{"owner or owner/name":{"NAME":"key"}} is expected, with at most ${placesMax} owners and repositories, and with the names ${known.join(", ")}`;

/**
 * A problem repeats nothing but a well-formed owner. A person may swap names and values, so a key may stand anywhere.
 */
export function readOwnerKeys(text: string | undefined): { keys: OwnerKeys; problem: string | null } {
  if (text === undefined) return { keys: {}, problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { keys: {}, problem: "BATON_KEYS is not JSON" };
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { keys: {}, problem: `BATON_KEYS is not of its form: ${form}` };
  const keys = Object.entries(parsed.data).map(
    ([place, own]) => [place.toLowerCase(), own as Record<string, string>] as const,
  );
  const places = keys.map(([place]) => place);
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  if (twice !== undefined)
    return { keys: {}, problem: `BATON_KEYS names ${twice} twice, in different spellings. Name it once.` };
  return { keys: Object.fromEntries(keys), problem: null };
}
