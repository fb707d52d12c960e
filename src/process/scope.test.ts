import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesAny } from "../policy/paths.ts";
import { inScope, overlap, scopePattern } from "./scope.ts";

describe("scopes", () => {
  it.each<[path: string, scope: string[], inside: boolean]>([
    ["src/cart.ts", [], true],
    ["src/cart.ts", ["src"], true],
    ["src/cart.ts", ["src/"], true],
    ["src/cart.ts", ["src/cart.ts"], true],
    ["src/cart.ts", ["SRC/*.ts"], true],
    ["src/deep/cart.ts", ["src/*.ts"], false],
    ["src/deep/cart.ts", ["**/cart.ts"], true],
    ["cart.ts", ["**/cart.ts"], true],
    ["src/cart.tsx", ["src/cart.ts"], false],
    ["source/cart.ts", ["src"], false],
    ["a1.ts", ["a?.ts"], true],
    ["a12.ts", ["a?.ts"], false],
    ["docs/x", ["src", "docs"], true],
    ["src*/x", ["src"], false],
    ["srcx", ["src*"], true],
    [".github/workflows/ci.yml", [".github"], true],
    [".env", ["*"], true],
  ])("%s in %j: %s", (path, scope, inside) => {
    expect(inScope(path, scope)).toBe(inside);
  });

  it.each<[one: string[], other: string[], pair: [string, string] | null]>([
    [["src/a"], ["src/b"], null],
    [["src/a"], ["src/ab"], null],
    [["src"], ["src/b"], ["src", "src/b"]],
    [["src/*.ts"], ["src/*.js"], null],
    [["src/*.ts"], ["src/cart*"], ["src/*.ts", "src/cart*"]],
    [["a*c"], ["*b*"], ["a*c", "*b*"]],
    [["**/x"], ["y/**"], ["**/x", "y/**"]],
    [["x/?"], ["x/ab"], null],
    [
      ["docs", "src/a"],
      ["test", "SRC/A"],
      ["src/a", "SRC/A"],
    ],
    [[], ["src"], ["**", "src"]],
  ])("overlap of %j and %j: %j", (one, other, pair) => {
    expect(overlap(one, other)).toEqual(pair);
    expect(overlap(other, one)).toEqual(pair === null ? null : pair.toReversed());
  });

  it.each(["/etc", "../x", "a/../b", "./a", "a//b", "{a,b}", "!a", "[ab]", "a\\b", "", "a\nb"])(
    "%j is no scope",
    (text) => {
      expect(scopePattern.test(text)).toBe(false);
    },
  );

  const name = fc
    .string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 3 })
    .filter((one) => !/^\.+$/.test(one));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  const pattern = fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 })
        .map((one) => one.replaceAll(/\*+/g, "*")),
    },
    { weight: 1, arbitrary: fc.constant("**") },
  );
  const glob = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

  it("a path in two scopes makes them overlap, and what globs of the settings match is in the scope of the same words", () => {
    fc.assert(
      fc.property(path, glob, glob, (at, one, other) => {
        const globbed = matchesAny(at, [one, `${one}/**`]);
        // Globs find no `a` in `*/**`. Here a directory is always in its own scope.
        if (globbed || !one.includes("**")) expect(inScope(at, [one])).toBe(globbed);
        if (inScope(at, [one]) && inScope(at, [other])) expect(overlap([one], [other])).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it("an overlap that is told is one: short alphabets are searched for the path", () => {
    const names = ["a", "b", "aa", "ab", "ba", "bb", "aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"];
    const all = names.flatMap((first) => [first, ...names.map((second) => `${first}/${second}`)]);
    const short = fc
      .string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 3 })
      .map((one) => one.replaceAll(/\*+/g, "*"));
    const two = fc.array(short, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(two, two, (one, other) => {
        const shared = all.some((at) => inScope(at, [one]) && inScope(at, [other]));
        // `aa*` and `*bb` meet only in names longer than the searched ones, so the test compares only found names.
        if (shared) expect(overlap([one], [other])).not.toBeNull();
        else if (!/\*/.test(one + other)) expect(overlap([one], [other])).toBeNull();
      }),
    );
  });
});
