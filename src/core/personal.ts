/**
 * Fields of events that may hold personal text. Each is marked on the schema and hashed separately, so its deletion
 * does not break the chain.
 *
 * Owns: the mark, the covered parts of an event, the hashed form. Does not own: the chain (`chain.ts`), who may delete.
 * P1 The hash covers a salted hash of each covered text in place of the text. The salt is stored next to the event and
 *    deleted with the text. Afterwards nobody can guess a short text from its hash.
 * P2 A row lists its covered fields, and the hash covers this list. A later Baton may mark other fields.
 * P3 Numbers, names of fields, commit ids and the words below stay. A deleted journal still folds to the same run.
 */
import { z } from "zod";

type Sha256 = (text: string) => string;

const marked = z.registry<{ personal: true }>();

/** Marks a field. Give the field a schema of its own: the mark is on the instance. */
export function personal<T extends z.ZodType>(schema: T): T {
  marked.add(schema, { personal: true });
  return schema;
}

/** Salts by JSON pointer to the covered field. null: the texts are deleted. 0: a number is deleted. */
export const saltsSchema = z.record(z.string(), z.union([z.string(), z.null(), z.literal(0)]));
export type Salts = z.infer<typeof saltsSchema>;

/** Replaces a deleted text. */
export const deletedText = "(deleted)";
const digestMark = "deleted:";

/** P3. Frozen with schema version 2, because a hash depends on it. Another list requires another schema version. */
const plainWords = new Set(
  (
    "passed failed pending skipped error approved rejected changes-requested voided user bot none read triage write " +
    "maintain admin issue pull-request read-only plan implement repair address review verify protected-paths merge " +
    "squash rebase push update-pull-request request-review update-branch enqueue comment delete-branch text choice confirm"
  ).split(" "),
);
const commitId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function staysPlain(text: string): boolean {
  return text === "" || plainWords.has(text) || commitId.test(text);
}

/** Pointers to the marked fields that `value` contains, in the order of the schema. */
export function personalPointers(schema: z.ZodType, value: unknown): string[] {
  const found: string[] = [];
  walk(schema as unknown as z.core.$ZodTypes, value, "", found);
  return found;
}

function walk(schema: z.core.$ZodTypes, value: unknown, pointer: string, found: string[]): void {
  if (value === undefined || value === null) return;
  if (marked.has(schema)) {
    found.push(pointer);
    return;
  }
  const inner = (next: unknown, at: unknown, name?: string | number): void =>
    walk(next as z.core.$ZodTypes, at, name === undefined ? pointer : below(pointer, name), found);
  const { def } = schema._zod;
  switch (def.type) {
    case "object":
      for (const [name, field] of Object.entries(def.shape))
        inner(field, (value as Record<string, unknown>)[name], name);
      return;
    case "array":
      for (const [index, item] of (value as unknown[]).entries()) inner(def.element, item, index);
      return;
    case "record":
      for (const [name, item] of Object.entries(value)) inner(def.valueType, item, name);
      return;
    case "optional":
    case "nullable":
    case "default":
      return inner(def.innerType, value);
    case "lazy":
      return inner(def.getter(), value);
    case "union":
      return inner(optionOf(def, value), value);
    default:
      return;
  }
}

/** The option that accepts `value`. A discriminator finds it without trying each. */
function optionOf(def: z.core.$ZodUnionDef, value: unknown): unknown {
  const { discriminator } = def as Partial<z.core.$ZodDiscriminatedUnionDef>;
  const takes = (option: z.core.SomeType): boolean =>
    discriminator === undefined
      ? z.safeParse(option as z.core.$ZodType, value).success
      : (option._zod.propValues?.[discriminator]?.has(
          (value as Record<string, z.core.util.Primitive>)[discriminator],
        ) ?? false);
  return def.options.find(takes) ?? z.never();
}

/** P1: the event with a hash in place of every covered text that still exists. */
export function hashedForm(event: unknown, salts: Salts, sha256: Sha256): unknown {
  return replaceCovered(event, salts, (leaf, pointer, salt) =>
    typeof salt === "string" ? `${digestMark}${sha256(JSON.stringify([salt, pointer, leaf]))}` : leaf,
  );
}

/** The salts of an event after its texts are deleted: the result of `hashedForm` is kept. */
export function deletedSalts(event: unknown, salts: Salts): Salts {
  const numbers = new Set<string>();
  replaceCovered(event, salts, (leaf, pointer) => {
    if (typeof leaf === "number") numbers.add(pointer);
    return leaf;
  });
  return Object.fromEntries(
    Object.entries(salts).map(([pointer, salt]) => [
      pointer,
      typeof salt === "string" ? (numbers.has(pointer) ? 0 : null) : salt,
    ]),
  );
}

/** The event as readers get it, with words in place of deleted texts. */
export function readableForm(event: unknown, salts: Salts): unknown {
  return replaceCovered(event, salts, (leaf, _, salt) => {
    if (typeof salt === "string" || typeof leaf !== "string" || !leaf.startsWith(digestMark)) return leaf;
    return salt === 0 ? 0 : deletedText;
  });
}

/** The event with words in place of every covered text, for a copy that no hash covers. */
export function withoutPersonal<T>(schema: z.ZodType, event: T): T {
  const salts: Salts = Object.fromEntries(personalPointers(schema, event).map((pointer) => [pointer, null]));
  return replaceCovered(event, salts, (leaf) => (typeof leaf === "number" ? 0 : deletedText)) as T;
}

type Leaf = (leaf: string | number, pointer: string, salt: Salts[string]) => unknown;

function replaceCovered(event: unknown, salts: Salts, replace: Leaf): unknown {
  const down = (value: unknown, pointer: string): unknown => {
    const salt = salts[pointer];
    if (salt === undefined) return children(value, pointer, down);
    return typeof value === "number" ? replace(value, pointer, salt) : covered(value, pointer, salt);
  };
  const covered = (value: unknown, pointer: string, salt: Salts[string]): unknown =>
    typeof value === "string"
      ? staysPlain(value)
        ? value
        : replace(value, pointer, salt)
      : children(value, pointer, (inner, at) => covered(inner, at, salt));
  return down(event, "");
}

function children(value: unknown, pointer: string, each: (inner: unknown, pointer: string) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => each(item, below(pointer, index)));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(inner, below(pointer, name))]));
}

/** RFC 6901. */
function below(pointer: string, name: string | number): string {
  return `${pointer}/${`${name}`.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
