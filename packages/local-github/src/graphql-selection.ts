/**
 * The selection of a GraphQL document. A document has one operation with one field, as Baton and people's tools send it
 * here.
 *
 * Owns: reading the selection, and its part of a value. Does not own: GitHub's schema, which only the tests know.
 */

export interface Selection {
  name: string;
  /** The type of an inline fragment. Null: every type. */
  on: string | null;
  fields: Selection[];
}

/** The operation's fields. Null: the document is unreadable. */
export function selectionOf(document: string): Selection[] | null {
  const tokens: string[] = document.match(/\.\.\.|[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|[^\s,]/g) ?? [];
  let at = tokens.indexOf("{");
  // Arguments in parentheses may have braces of their own.
  const open = tokens.indexOf("(");
  if (open !== -1 && open < at) at = tokens.indexOf("{", closing(tokens, open));
  if (at === -1) return null;
  const reader = { tokens, at: at + 1 };
  return readFields(reader);
}

interface Reader {
  tokens: string[];
  at: number;
}

function closing(tokens: string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (tokens[at] === "(") depth += 1;
    if (tokens[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}

/** Up to the closing brace. */
function readFields(reader: Reader): Selection[] | null {
  const fields: Selection[] = [];
  while (reader.tokens[reader.at] !== "}") {
    const token = reader.tokens[reader.at++];
    if (token === undefined) return null;
    if (token === "...") {
      if (reader.tokens[reader.at++] !== "on") return null;
      const on = reader.tokens[reader.at++] ?? "";
      if (reader.tokens[reader.at++] !== "{") return null;
      const inner = readFields(reader);
      if (inner === null) return null;
      fields.push(...inner.map((one) => ({ ...one, on })));
      continue;
    }
    if (!/^[A-Za-z_]/.test(token)) return null;
    if (reader.tokens[reader.at] === "(") reader.at = closing(reader.tokens, reader.at) + 1;
    let inner: Selection[] | null = [];
    if (reader.tokens[reader.at] === "{") {
      reader.at += 1;
      inner = readFields(reader);
    }
    if (inner === null) return null;
    fields.push({ name: token, on: null, fields: inner });
  }
  reader.at += 1;
  return fields;
}

/** A name that the value does not have. */
export class UnknownField extends Error {
  readonly field: string;

  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

/** The selected part of a value. `__typename` names the type of an object where fragments select several types. */
export function selected(value: unknown, fields: readonly Selection[]): unknown {
  if (Array.isArray(value)) return value.map((one) => selected(one, fields));
  if (typeof value !== "object" || value === null) return value;
  const given = value as Record<string, unknown>;
  const type = given["__typename"];
  const part: Record<string, unknown> = {};
  for (const { name, on, fields: inner } of fields) {
    if (on !== null && type !== undefined && on !== type) continue;
    if (!(name in given)) throw new UnknownField(name);
    part[name] = selected(given[name], inner);
  }
  return part;
}
