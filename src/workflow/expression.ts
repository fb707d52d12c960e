/**
 * Expressions of YAML processes, `${{ … }}`: the language of GitHub Actions, by GitHub's own parser and evaluator.
 *
 * Owns: reading, the references of an expression, evaluation, bounds. Does not own: the list of names (`scope.ts`).
 * EX1 Every expression ends: there are no loops and no user-defined functions, and each text on the way is bounded.
 * EX2 Equal values give an equal result: no clock, no randomness, nothing from outside.
 * EX3 An expression can call only the functions of the list below, whatever else the library's tables hold.
 */
import { data, Evaluator, ExpressionError, Lexer, Parser, wellKnownFunctions } from "@actions/expressions";
import {
  type Binary,
  type ContextAccess,
  type Expr,
  type FunctionCall,
  type Grouping,
  IndexAccess,
  Literal,
  type Logical,
  Star,
  type Unary,
} from "@actions/expressions/ast";
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Json } from "../core/vocabulary.ts";

type Data = data.ExpressionData;
type Definition = (typeof wellKnownFunctions)[string];

/** `steps.build.outputs.exitCode`, as far as its names are literal. */
export interface Reference {
  path: string[];
  /** Its offset within the expression. */
  offset: number;
  /** True if nothing follows the path, such as an index that is computed. */
  whole: boolean;
}

export interface Expression {
  source: string;
  references: Reference[];
  /** Names in lower case. */
  functions: string[];
  /** The reference that is the whole expression. null: the expression is more. */
  only: Reference | null;
  readonly tree: Expr;
}

export interface ExpressionProblem {
  message: string;
  suggestion: string | null;
  /** Within the expression. */
  offset: number;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: ExpressionProblem };

/** Functions about the status of earlier steps. Only the condition of a step may call them. */
const statusFunctions = ["always", "failure", "success"] as const;
const textFunctions = ["case", "contains", "endsWith", "format", "fromJSON", "join", "startsWith", "toJSON"] as const;
const functionNames = [...textFunctions, ...statusFunctions];

/** Baton journals the output of a step. No useful output is longer. */
const textMax = 100_000;
const jsonDepthMax = 100;

export function parseExpression(source: string, contexts: readonly string[], withStatus: boolean): Parsed<Expression> {
  const allowed: readonly string[] = withStatus ? functionNames : textFunctions;
  try {
    const status = statusFunctions.map((name) => ({ name, minArgs: 0, maxArgs: 0 }));
    const tree = new Parser(new Lexer(source).lex().tokens, [...contexts], status).parse();
    const found = new Finder(source);
    found.visit(tree);
    const lower = allowed.map((name) => name.toLowerCase());
    const unknown = found.calls.find(({ name }) => !lower.includes(name.toLowerCase()));
    if (unknown !== undefined) return no(unknownFunction(unknown.name, allowed, withStatus), unknown.offset);
    return {
      ok: true,
      value: {
        source,
        tree,
        references: found.references,
        functions: [...new Set(found.calls.map(({ name }) => name.toLowerCase()))],
        only: found.onlyOf(tree),
      },
    };
  } catch (thrown) {
    return problemOf(thrown, source, contexts, allowed, withStatus);
  }
}

function no(said: Omit<ExpressionProblem, "offset">, offset: number): { ok: false; problem: ExpressionProblem } {
  return { ok: false, problem: { ...said, offset } };
}

function unknownFunction(
  name: string,
  allowed: readonly string[],
  withStatus: boolean,
): Omit<ExpressionProblem, "offset"> {
  if (!withStatus && statusFunctions.some((one) => one === name.toLowerCase()))
    return { message: `\`${name}()\` is known only in \`if\`.`, suggestion: null };
  return {
    message: `There is no function \`${cut(name)}\`. There are: ${allowed.join(", ")}.`,
    suggestion: nearest(name, allowed),
  };
}

function problemOf(
  thrown: unknown,
  source: string,
  contexts: readonly string[],
  allowed: readonly string[],
  withStatus: boolean,
): Parsed<never> {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const offset = thrown instanceof ExpressionError ? offsetOf(source, thrown.pos) : positionIn(message);
  const name = /'([^']*)'/.exec(message)?.[1] ?? "";
  if (message.startsWith("Unrecognized named-value"))
    return no(
      {
        message: `There is no \`${cut(name)}\` here. There are: ${contexts.join(", ")}.`,
        suggestion: nearest(name, contexts),
      },
      offset,
    );
  if (message.startsWith("Unrecognized function")) return no(unknownFunction(name, allowed, withStatus), offset);
  const said = message === "ErrorExceededMaxLength" ? "It is too long" : message.replace(/\. Located at .*$/s, "");
  return no({ message: `The expression \`${cut(source.trim())}\` cannot be read: ${said}.`, suggestion: null }, offset);
}

function offsetOf(source: string, { line, column }: { line: number; column: number }): number {
  const before = source.split("\n").slice(0, line);
  return before.reduce((sum, one) => sum + one.length + 1, 0) + column;
}

function positionIn(message: string): number {
  return Math.max(0, Number(/Located at position (\d+)/.exec(message)?.[1] ?? 1) - 1);
}

function cut(text: string): string {
  const plain = text.replaceAll(/[`\r\n]/g, " ");
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
}

/** Walks an expression and collects its references. */
class Finder {
  readonly references: Reference[] = [];
  readonly calls: { name: string; offset: number }[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  visit(tree: Expr): void {
    tree.accept<void>({
      visitLiteral: () => {},
      visitUnary: ({ expr }: Unary) => this.visit(expr),
      visitBinary: ({ left, right }: Binary) => {
        this.visit(left);
        this.visit(right);
      },
      visitLogical: ({ args }: Logical) => args.forEach((one) => this.visit(one)),
      visitGrouping: ({ group }: Grouping) => this.visit(group),
      visitContextAccess: (access: ContextAccess) => {
        this.references.push(this.#begin(access, true));
      },
      visitIndexAccess: (access: IndexAccess) => {
        const { reference, dynamic } = this.#chain(access);
        if (reference !== null) this.references.push(reference);
        else this.visit(access.expr);
        dynamic.forEach((one) => this.visit(one));
      },
      visitFunctionCall: ({ functionName, args }: FunctionCall) => {
        this.calls.push({ name: functionName.lexeme, offset: offsetOf(this.#source, functionName.range.start) });
        args.forEach((one) => this.visit(one));
      },
    });
  }

  onlyOf(tree: Expr): Reference | null {
    if (tree instanceof IndexAccess) {
      const { reference } = this.#chain(tree);
      return reference?.whole === true ? reference : null;
    }
    return "name" in tree ? this.#begin(tree as ContextAccess, true) : null;
  }

  #begin({ name }: ContextAccess, whole: boolean): Reference {
    return { path: [name.lexeme], offset: offsetOf(this.#source, name.range.start), whole };
  }

  /** From the outermost access inwards: literal names, and computed values in brackets. */
  #chain(access: IndexAccess): { reference: Reference | null; dynamic: Expr[] } {
    const indices: Expr[] = [];
    let at: Expr = access;
    while (at instanceof IndexAccess) {
      indices.unshift(at.index);
      at = at.expr;
    }
    const dynamic = indices.filter((one) => !(one instanceof Literal) && !(one instanceof Star));
    if (!("name" in at)) {
      // An access to a computed value: Baton reads its inner parts separately.
      return { reference: null, dynamic: at === access.expr ? dynamic : [...dynamic, at] };
    }
    const reference = this.#begin(at as ContextAccess, false);
    for (const [position, index] of indices.entries()) {
      if (!(index instanceof Literal) || !index.literal.primitive) break;
      reference.path.push(index.literal.coerceString());
      reference.whole = position === indices.length - 1;
    }
    return { reference, dynamic };
  }
}

export interface Status {
  success: boolean;
  failure: boolean;
}

/** Throws BATON_EXPRESSION_INVALID if there is no value: a text that is not JSON, or a text without end. */
export function evaluate(
  { tree, source }: Expression,
  scope: Readonly<Record<string, Json>>,
  status: Status = { success: true, failure: false },
): Json {
  try {
    const contexts = new ExactDictionary();
    for (const [name, value] of Object.entries(scope)) contexts.add(name, toData(value));
    const result = new Evaluator(tree, contexts, functionsFor(status)).evaluate();
    return fromData(result);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BatonError(
      "BATON_EXPRESSION_INVALID",
      `The expression \`${cut(source.trim())}\` gives no value: ${message}.`,
    );
  }
}

/** True as `if` and `&&` decide it. */
export function isTrue(value: Json): boolean {
  return !(value === null || value === false || value === 0 || value === "" || Number.isNaN(value));
}

/** The library's own dictionary keeps names of every object's prototype apart from the rest. */
class ExactDictionary extends data.Dictionary {
  readonly #pairs = new Map<string, { key: string; value: Data }>();

  override add(key: string, value: Data): void {
    if (!this.#pairs.has(key.toLowerCase())) this.#pairs.set(key.toLowerCase(), { key, value });
  }
  override get(key: string): Data | undefined {
    return this.#pairs.get(key.toLowerCase())?.value;
  }
  override values(): Data[] {
    return this.pairs().map(({ value }) => value);
  }
  override pairs(): { key: string; value: Data }[] {
    return [...this.#pairs.values()];
  }
}

function toData(value: Json | undefined): Data {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const dictionary = new ExactDictionary();
  for (const [key, one] of Object.entries(value)) if (one !== undefined) dictionary.add(key, toData(one));
  return dictionary;
}

function fromData(value: Data): Json {
  switch (value.kind) {
    case data.Kind.String:
      return value.value;
    case data.Kind.Number:
      return Number.isFinite(value.value) ? value.value : null;
    case data.Kind.Boolean:
      return value.value;
    case data.Kind.Array:
      return value.values().map(fromData);
    case data.Kind.Dictionary:
      // Entries instead of assignment, because a key may be `__proto__`.
      return Object.fromEntries(value.pairs().map(({ key, value: one }) => [key, fromData(one)]));
    default:
      return null;
  }
}

const library = (name: string): Definition => wellKnownFunctions[name.toLowerCase()] as Definition;

function functionsFor({ success, failure }: Status): Map<string, Definition> {
  const fixed =
    (value: boolean): Definition["call"] =>
    () =>
      new data.BooleanData(value);
  const calls: Record<(typeof functionNames)[number], Definition["call"]> = {
    case: library("case").call,
    contains: library("contains").call,
    startsWith: library("startsWith").call,
    endsWith: library("endsWith").call,
    // Bounded first, because a text may name one argument many times.
    format: (...args) => {
      const [text = "", ...values] = args.map((one) => one.coerceString());
      demandShort(text.length + text.split("{").length * Math.max(0, ...values.map(({ length }) => length)));
      return library("format").call(...args);
    },
    join: (...args) => {
      const [list, separator] = args;
      const parts = list?.kind === data.Kind.Array ? list.values().map((one) => one.coerceString().length) : [];
      demandShort(parts.reduce((sum, one) => sum + one + (separator?.coerceString().length ?? 1), 0));
      return library("join").call(...args);
    },
    toJSON: (...args) => {
      const [value] = args;
      const text = JSON.stringify(value === undefined ? null : fromData(value), null, 2);
      demandShort(text.length);
      return new data.StringData(text);
    },
    fromJSON: (...args) => {
      const text = args[0]?.coerceString() ?? "";
      demandShort(text.length);
      demandShallow(text);
      return toData(JSON.parse(text) as Json);
    },
    success: fixed(success),
    failure: fixed(failure),
    always: fixed(true),
  };
  return new Map(
    Object.entries(calls).map(([name, call]) => [name.toLowerCase(), { name, minArgs: 0, maxArgs: 255, call }]),
  );
}

function demandShort(length: number): void {
  if (length > textMax) throw new Error(`a text would be longer than ${textMax} characters`);
}

/** An upper bound that needs no parser. It also counts brackets in texts. */
function demandShallow(text: string): void {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > jsonDepthMax) throw new Error(`JSON is nested more than ${jsonDepthMax} deep`);
  }
}
