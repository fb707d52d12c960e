/** Files of the repository that steer Baton: settings, processes and their expressions. */
import { data, Evaluator, Lexer, Parser, wellKnownFunctions } from "@actions/expressions";
import picomatch from "picomatch";
import { parse as parseYaml, stringify } from "yaml";
import { parseConfig } from "../../../../src/config/parse.ts";
import { defaultSettings } from "../../../../src/config/schema.ts";
import { readYaml } from "../../../../src/config/yaml-text.ts";
import { hasCode } from "../../../../src/core/errors.ts";
import type { Json } from "../../../../src/core/vocabulary.ts";
import { matchesAny } from "../../../../src/policy/paths.ts";
import { evaluate, parseExpression } from "../../../../src/workflow/expression.ts";
import { parseProcess } from "../../../../src/workflow/parse.ts";
import { processFileSchema } from "../../../../src/workflow/schema.ts";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";
import { processorSeconds } from "../processor-time.ts";

/** The same reader, and what it read over the defaults: no schema is asked. */
function believed(text: string): object | null {
  const read = readYaml(text);
  return read.ok && typeof read.data === "object" && read.data !== null
    ? Object.assign({ ...defaultSettings }, read.data)
    : null;
}

function settingsOf(text: string, guarded: boolean): object | null {
  if (!guarded) return believed(text);
  const parsed = parseConfig(text);
  return parsed.ok ? parsed.settings : null;
}

const rightKeys: readonly (readonly [string, readonly unknown[]])[] = [
  ["merge", [true, 1, ["auto"], "Auto", "always", { mode: 5 }]],
  [
    "approvals",
    [
      "none",
      { count: -1 },
      { count: 1e9 },
      { count: "0" },
      { permission: "none" },
      { self: true },
      { people: "alice" },
    ],
  ],
  ["budget", [-5, { runUsd: -1 }, { maxUsd: "lots" }, { runUsd: Number.NaN }, { unknownPrice: "ignore" }]],
  ["protectedPaths", ["**", [1], ["!**"], ["/x"], ["../x"], [""], null]],
  [
    "gates",
    [{ required: "none" }, { skipped: "ignore" }, { noChecks: true }, { timeoutMinutes: -1 }, { timeoutMinutes: "1" }],
  ],
  ["commands", [{ run: "everybody" }, { run: "none" }, { allow: { run: "anyone" } }, { bots: ["dependabot"] }]],
  ["breakpoints", [{ review: "never" }, { protectedPaths: "allow" }, { plan: false }, "off"]],
  ["limits", [{ turns: -1 }, { repairAttempts: "many" }, { attemptTokens: 1.5 }]],
  ["version", [2, "1", 0, null]],
];

const types = defineCause<string>({
  name: "settings of wrong types or outside of their bounds",
  surface: "repository",
  guard: "src/config/parse.ts Y4: a file with any error gives no settings",
  fixed: ["merge: true\n", "approvals: { permission: none }\n", 'protectedPaths: ["!**"]\n'],
  draw(draw) {
    const lines = draw.shuffled(rightKeys).slice(0, draw.whole(1, 2));
    return lines.map(([key, values]) => stringify({ [key]: draw.one(values) })).join("");
  },
  attack: (text, guarded) => (settingsOf(text, guarded) === null ? null : "taken as settings"),
});

const unknown = defineCause<string>({
  name: "settings under keys that nobody knows",
  surface: "repository",
  guard: "src/config/schema.ts Y2: an unknown key is an error, never ignored",
  fixed: ["protectedPath: [src/**]\n", "approvals: { reviewer: [bob] }\n"],
  draw: (draw) => {
    const section = draw.one(["approvals", "budget", "gates", "commands", "breakpoints", "limits"]);
    const key = draw.one([`${draw.word()}`, "Count", "reviewer", "max_usd", "requiredChecks", "protected_paths"]);
    return draw.flip()
      ? stringify({ [key]: draw.whole(1, 9) })
      : stringify({ [section]: { [`${key}${draw.word(2)}`]: draw.whole(1, 9) } });
  },
  attack: (text, guarded) => (settingsOf(text, guarded) === null ? null : "taken, and the key is ignored"),
});

const prototypes = defineCause<string>({
  name: "settings that reach every object's prototype",
  surface: "repository",
  guard: "src/config/schema.ts: keys are the schema's own",
  fixed: [
    "__proto__: { merge: auto }\n",
    "constructor: { prototype: { merge: auto } }\n",
    "budget: { __proto__: { maxUsd: 1000 } }\n",
  ],
  draw: (draw) => {
    const inner = `{ ${draw.one(["merge: auto", "maxUsd: 1000", `${draw.word()}: 1`])} }`;
    return draw.one([
      `__proto__: ${inner}\n`,
      `"__proto__": ${inner}\n`,
      `${draw.one(["budget", "commands", "gates"])}: { __proto__: ${inner} }\n`,
      `${draw.one(["toString", "valueOf", "hasOwnProperty"])}: ${inner}\n`,
      `? __proto__\n: ${inner}\n`,
      `a: &a ${inner}\n__proto__: *a\n`,
    ]);
  },
  attack(text, guarded) {
    const settings = settingsOf(text, guarded);
    if (({} as Record<string, unknown>)["merge"] !== undefined) return "every object was changed";
    return settings === null ? null : "taken";
  },
});

/** The product's reader without its bounds. */
const unbounded = { charactersMax: Number.POSITIVE_INFINITY, depthMax: Number.POSITIVE_INFINITY, aliasesMax: 20 };

function bomb(draw: Draw, levels: number, width: number): string {
  const names = Array.from({ length: levels }, () => draw.word(4));
  return names
    .map((name, level) => {
      const inner = level === 0 ? Array(width).fill(draw.word(2)) : Array(width).fill(`*${names[level - 1]}`);
      return `${name}: &${name} [${inner.join(", ")}]`;
    })
    .join("\n");
}

const aliases = defineCause<string>({
  name: "YAML that grows by aliases",
  surface: "repository",
  guard: "src/config/yaml-text.ts Y5: copies by aliases are counted",
  fixed: [`a: &a [x, x, x]\nb: &b [${"*a, ".repeat(9)}]\nc: [${"*b, ".repeat(9)}]`],
  draw: (draw) => bomb(draw, draw.whole(4, 6), draw.whole(6, 9)),
  attack(text, guarded) {
    const read = guarded ? readYaml(text) : readYaml(text, { ...unbounded, aliasesMax: -1 });
    return read.ok && sizeOf(read.data) > 1_000 ? "it grew" : null;
  },
});

/** Values in it, counted as often as they are reached, up to a bound. */
function sizeOf(value: unknown, left = { count: 2_000 }): number {
  if (left.count <= 0 || typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, one) => {
    left.count -= 1;
    return left.count <= 0 ? sum : sum + sizeOf(one, left);
  }, 1);
}

const deep = defineCause<string>({
  name: "YAML that is nested beyond the stack",
  surface: "repository",
  guard: "src/config/yaml-text.ts Y5: depth is bounded before the parser sees it",
  fixed: [`a: ${"[".repeat(20_000)}`, `a: ${"{ a: ".repeat(9_000)}`],
  draw: (draw) => {
    const depth = draw.whole(5_000, 12_000);
    return draw.one([
      `a: ${"[".repeat(depth)}`,
      `a: ${"[".repeat(depth)}${"]".repeat(depth)}`,
      `a: ${"{ b: ".repeat(depth)}`,
      `${"- ".repeat(depth)}x`,
      `${"? ".repeat(depth)}x`,
      `a: ${"[{ a: ".repeat(Math.floor(depth / 2))}`,
    ]);
  },
  attack(text, guarded) {
    const read = guarded ? readYaml(text) : readYaml(text, unbounded);
    if (read.ok) return "read";
    return read.problems.some(({ message }) => message.includes("call stack")) ? "the stack is used up" : null;
  },
});

const unboundedGlobs = { dot: true, nocase: true, flags: "is" } as const;

const globs = defineCause<{ glob: string; path: string }>({
  name: "globs that need time without end",
  surface: "repository",
  guard: "src/policy/paths.ts: globs are compiled without nested repetition",
  fixed: [
    { glob: "+(+(a))b", path: "a".repeat(40) },
    { glob: "+(a|aa)b", path: "a".repeat(40) },
    { glob: "+(a*)b", path: "a".repeat(40) },
    { glob: `${"*a".repeat(8)}b`, path: "a".repeat(40) },
  ],
  draw(draw) {
    const letter = draw.one(["a", "x", "z"]);
    const inner = draw.one([`${letter}`, `${letter}|${letter}${letter}`, `*${letter}`, `${letter}*`]);
    const glob = draw.one([
      `+(+(${inner}))b`,
      `*(*(${inner}))b`,
      `+(${inner})+(${inner})b`,
      `**/+(${inner})/b`,
      `!(+(${inner}))b`,
      `${`*${letter}`.repeat(draw.whole(4, 8))}b`,
    ]);
    return { glob, path: letter.repeat(draw.whole(26, 40)) };
  },
  attack({ glob, path }, guarded) {
    // The door to settings first: what it refuses is never matched.
    if (guarded && !parseConfig(stringify({ protectedPaths: [glob] })).ok) return null;
    // The same compiler without the guard: any glob, groups included.
    const match = (): boolean => (guarded ? matchesAny(path, [glob]) : picomatch([glob], unboundedGlobs)(path));
    const most = guarded ? 1 : 0.3;
    const unlessGuarded = guarded ? 0 : Number.POSITIVE_INFINITY;
    return processorSeconds(match, most, unlessGuarded) > most ? `more than ${most} s of processor time` : null;
  },
});

const contexts = ["inputs", "steps", "thread"];
const scope: Record<string, Json> = {
  inputs: { name: "Ann", list: [1] },
  steps: { build: { outcome: "failed" } },
  thread: { title: "x" },
};

/** The guard off: what every object has counts as its own. */
function withInherited(value: Record<string, Json>): Record<string, Json> {
  const inherited = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== "__proto__");
  return {
    ...Object.fromEntries(inherited.map((name) => [name, `function ${name}`])),
    ...Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
          ? withInherited(inner as Record<string, Json>)
          : inner,
      ]),
    ),
  };
}

const reach = defineCause<string>({
  name: "expressions that reach for the program around them",
  surface: "repository",
  guard: "src/workflow/expression.ts EX3: own dictionaries, and functions of a list",
  fixed: [
    "inputs.constructor",
    "inputs.__proto__",
    "inputs.name.constructor",
    "constructor(inputs)",
    "inputs['toString']",
  ],
  draw(draw) {
    const start = draw.one(["inputs", "steps", "thread", "inputs.name", "inputs.list", "steps.build"]);
    const part = draw.one([
      "constructor",
      "__proto__",
      "toString",
      "hasOwnProperty",
      "valueOf",
      "__defineGetter__",
      "prototype",
      "length",
    ]);
    return draw.one([
      `${start}.${part}`,
      `${start}['${part}']`,
      `${start}[format('{0}', '${part}')]`,
      `${start}.${part}.${draw.one(["name", "constructor", "call"])}`,
      `${part}('${draw.word()}')`,
      `${draw.one(["process", "globalThis", "require", "env", "secrets", "github", "vars", "matrix"])}.${draw.word()}`,
      `${draw.one(["hashFiles", "eval", "require", "import", "fetch"])}('${draw.word()}')`,
      `toJSON(${start}.${part})`,
    ]);
  },
  attack(source, guarded) {
    const parsed = parseExpression(source, contexts, false);
    if (!parsed.ok) return null;
    const value = evaluate(parsed.value, guarded ? scope : withInherited(scope));
    return value === null || value === "null" || value === "" ? null : `it gives ${JSON.stringify(value)}`;
  },
});

const growing = defineCause<string>({
  name: "expressions that grow without end",
  surface: "repository",
  guard: "src/workflow/expression.ts EX1: each text on the way is bounded",
  fixed: [nest("format('{0}{0}{0}{0}', #)", "'xxxxxxxx'", 9), `fromJSON('${"[".repeat(5_000)}')`],
  draw: (draw) =>
    draw.one([
      nest(`format('${"{0}".repeat(draw.whole(3, 6))}', #)`, `'${draw.word(8)}'`, draw.whole(8, 9)),
      nest("toJSON(#)", '\'""""\'', draw.whole(18, 24)),
      nest("join(fromJSON(format('[{0}]', toJSON(#))), #)", `'${draw.word(3)}'`, 4),
      `fromJSON('${draw.one(["[", '{"a":']).repeat(draw.whole(200, 4_000))}')`,
    ]),
  attack(source, guarded) {
    if (guarded) {
      const parsed = parseExpression(source, contexts, false);
      if (!parsed.ok) return null;
      try {
        const text = JSON.stringify(evaluate(parsed.value, scope));
        return text.length > 200_000 ? `it gives ${text.length} characters` : null;
      } catch (thrown) {
        if (hasCode(thrown, "BATON_EXPRESSION_INVALID")) return null;
        throw thrown;
      }
    }
    const tree = new Parser(new Lexer(source).lex().tokens, contexts, []).parse();
    const functions = new Map(Object.entries(wellKnownFunctions));
    const { length } = new Evaluator(tree, new data.Dictionary(), functions).evaluate().coerceString();
    return length > 200_000 ? `it gives ${length} characters` : null;
  },
});

function nest(call: string, inner: string, times: number): string {
  let text = inner;
  for (let depth = 0; depth < times; depth += 1) text = call.replaceAll("#", () => text);
  return text;
}

const step = (id: string, more: string): string => `  - { id: ${id}, ${more} }`;
const definitions = defineCause<string>({
  name: "processes that cannot end, or that run what a thread says",
  surface: "repository",
  guard: "src/workflow/check.ts: refused with the line before anything runs",
  fixed: [
    `summary: A\nsteps:\n${step("a", "needs: [b], shell: [x]")}\n${step("b", "needs: [a], shell: [x]")}`,
    `summary: A\nsteps: [{ id: a, shell: ["\${{ thread.title }}"] }]`,
  ],
  draw(draw) {
    const names = Array.from({ length: draw.whole(2, 6) }, () => draw.word(5));
    const circle = names
      .map((name, index) => step(name, `needs: [${names[(index + 1) % names.length]}], shell: [x]`))
      .join("\n");
    const [one = "a", two = "b"] = names;
    return `summary: ${draw.word()}\nsteps:\n${draw.one([
      circle,
      step(
        one,
        `shell: ["\${{ ${draw.one(["thread.title", "thread.body", "inputs.x", `format('{0}', thread.title)`])} }}", ${draw.word()}]`,
      ),
      step(one, `needs: [${draw.word(7)}], shell: [x]`),
      `${step(one, "shell: [x]")}\n${step(one, "needs: [], shell: [y]")}`,
      step(one, `if: "${draw.word(7)}(thread.title)", shell: [x]`),
      step(one, `shell: [x, "\${{ steps.${two}.outputs.exitCode }}"]`),
      step(one, `shell: [x, "\${{ secrets.${draw.word().toUpperCase()} }}"]`),
      step(one, `uses: ${draw.word(8)}`),
    ])}`;
  },
  attack(text, guarded) {
    if (guarded) return parseProcess(text, new Map()).ok ? "it would run" : null;
    // The shape alone.
    return processFileSchema.safeParse(parseYaml(text)).success ? "it would run" : null;
  },
});

export const configurationCauses: readonly Cause[] = [
  types,
  unknown,
  prototypes,
  aliases,
  deep,
  globs,
  reach,
  growing,
  definitions,
];
