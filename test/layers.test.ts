/** The layers of `tools/layers.ts`, read from the imports themselves: what the linter holds for lines, this holds for folders. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { doors, layers, pureLayers } from "../tools/layers.ts";

const src = fileURLToPath(new URL("../src", import.meta.url));
const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
  .map((entry) => relative(src, join(entry.parentPath, entry.name)));

/** null: a file of `src` itself. */
function folderOf(path: string): string | null {
  const [first = "", second = "", third] = path.split("/");
  if (second === "") return null;
  return first === "adapters" && third !== undefined ? `adapters/${second}` : first;
}

/** Every form: `from`, a dynamic import, and a type's. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(src, path), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, target = ""]) =>
    normalize(join(dirname(path), target)),
  );
}

function breaches(list: ReadonlyMap<string, readonly string[]>): string[] {
  return files.flatMap((path) => {
    const from = folderOf(path);
    if (from === null) return [];
    return importsOf(path)
      .filter((target) => {
        const to = folderOf(target);
        return to !== null && to !== ".." && to !== from && !doors.includes(target) && !list.get(from)?.includes(to);
      })
      .map((target) => `${path} imports ${target}`);
  });
}

describe("layers", () => {
  it("LA1: every folder of src is listed", () => {
    const found = [...new Set(files.map(folderOf))].filter((folder) => folder !== null);
    expect(found.toSorted()).toEqual([...layers.keys()].toSorted());
  });

  it("no file imports from a folder that its own may not", () => {
    expect(breaches(layers)).toEqual([]);
  });

  it("a breach is found, for a type and for a value", () => {
    const found = breaches(new Map([...layers].map(([folder, may]) => [folder, may.filter((one) => one !== "core")])));
    expect(found).toContain("ports/store.ts imports core/event.ts");
    expect(found).toContain("thread/parse-command.ts imports core/errors.ts");
  });

  it("LA2: pure folders import pure folders alone; core imports none", () => {
    expect(layers.get("core")).toEqual([]);
    for (const folder of pureLayers)
      expect(pureLayers).toEqual(expect.arrayContaining([...(layers.get(folder) ?? [])]));
  });
});
