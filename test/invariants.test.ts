/** Invariants have addresses: each is one promise, and what is cited by address is there. */
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
