/** Invariants have addresses: each address is one promise, and every cited address exists. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { invariantModules } from "../tools/generators/invariants-reference.ts";

const root = join(import.meta.dirname, "..");
const modules = invariantModules();
const addresses = modules.flatMap(({ name, promises }) => promises.map(({ label }) => `${name}.${label}`));

it("each code is one promise of its module, and each address one promise of all", () => {
  const twice = addresses.filter((address, index) => addresses.indexOf(address) !== index);
  expect(twice).toEqual([]);
  expect(addresses.length).toBeGreaterThan(200);
});

it("what is cited by address is there", () => {
  const names = new Set(modules.map(({ name }) => name));
  const known = new Set(addresses);
  const wrong: string[] = [];
  for (const folder of ["src", "processes", "test"])
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.parentPath.includes("fixtures")) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      for (const [address, name = ""] of text.matchAll(/\b([a-z][a-z/-]*[a-z])\.[A-Z]{1,3}\d+\b/g))
        if (names.has(name) && !known.has(address)) wrong.push(`${entry.name}: ${address}`);
    }
  expect(wrong).toEqual([]);
});

it("a code that several modules have is cited elsewhere by its address, or next to its module's path", () => {
  const owners = new Map<string, string[]>();
  for (const { path, promises } of modules)
    for (const { label } of promises) owners.set(label, [...(owners.get(label) ?? []), path]);
  const unclear: string[] = [];
  for (const folder of ["src", "processes"])
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
      // The local GitHub has its own promises.
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      const own = new Set([...text.matchAll(/^\s*\* ([A-Z]{1,3}\d+) /gm)].map(([, code]) => code));
      for (const [comment] of text.matchAll(/\/\*\*?[\s\S]*?\*\/|\/\/.*/g))
        for (const [code] of comment.matchAll(/(?<![\w.–-])[A-Z]{1,3}\d+\b(?!\.)/g)) {
          const paths = own.has(code) ? [] : (owners.get(code) ?? []);
          const named = paths.filter((path) => comment.includes(path.split("/").slice(-2).join("/")));
          if (paths.length > 1 && named.length !== 1) unclear.push(`${entry.name}: ${code}`);
        }
    }
  expect(unclear).toEqual([]);
});
