import { expect, it } from "vitest";
import { z } from "zod";
import type { Json } from "../core/vocabulary.ts";
import type { Store } from "./store.ts";
import { defineValue, defineValues, readValue, removeValues, writeValue } from "./values.ts";

function table(): { store: Store; rows: Map<string, Json> } {
  const rows = new Map<string, Json>();
  const store = {
    value: async (name: string) => rows.get(name) ?? null,
    setValue: async (name: string, value: Json) => void rows.set(name, value),
    removeValues: async (names: string[]) => names.forEach((name) => rows.delete(name)),
  };
  return { store: store as unknown as Store, rows };
}

it("a value is read by its schema; what another version kept is as good as nothing", async () => {
  const counts = defineValues("test.counts/", z.object({ n: z.number() }));
  const { store, rows } = table();
  expect(await readValue(store, counts.at("a"))).toBeNull();
  await writeValue(store, counts.at("a"), { n: 3 });
  expect(await readValue(store, counts.at("a"))).toEqual({ n: 3 });
  expect([...rows.keys()]).toEqual(["test.counts/a"]);
  rows.set("test.counts/a", { n: "three" });
  expect(await readValue(store, counts.at("a"))).toBeNull();
  await removeValues(store, [counts.at("a")]);
  expect(rows.size).toBe(0);
});

let owned: unknown = null;
it.each<[string, () => unknown]>([
  ["the same names", () => defineValues("test.owned/", z.string())],
  ["names that begin alike", () => defineValues("test.owned/deep/", z.string())],
  ["names that another's begin with", () => defineValues("test.own", z.string())],
  ["one name among another's", () => defineValue("test.owned/one", z.string())],
])("VA2: %s have one owner", (_, define) => {
  if (owned === null) owned = defineValues("test.owned/", z.string());
  expect(define).toThrow(/another owner/);
});

it("families of one prefix are told apart by how they end", () => {
  expect(() => defineValues("test.attempt:", z.string(), "/asked")).not.toThrow();
  expect(() => defineValues("test.attempt:", z.string(), "/seen")).not.toThrow();
  expect(() => defineValues("test.attempt:", z.string(), "/also/seen")).toThrow(/another owner/);
});
