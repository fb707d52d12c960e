/** Every file of scenarios runs in both modes, or the list says why not; the list names nothing that is not there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { appOnly } from "./modes.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const end = ".test.ts";
const files = readdirSync(folder)
  .filter((name) => name.endsWith(end) && name !== `modes${end}`)
  .map((name) => name.slice(0, -end.length));
const textOf = (file: string): string => readFileSync(`${folder}${file}${end}`, "utf8");

it("the list names files that are there", () => {
  expect(Object.keys(appOnly).filter((file) => !files.includes(file))).toEqual([]);
});

describe.each(files)("%s", (file) => {
  const listed = appOnly[file];
  it("runs in both modes or is listed with its reason", () => {
    if (typeof listed === "string") expect(listed).toMatch(/\w+ \w+ \w+/);
    else expect(textOf(file)).toContain(`scenariosOf("${file}")`);
  });

  it("names tests that are there where it says that they have the same", () => {
    const reasons = typeof listed === "string" ? [listed] : Object.values(listed ?? {});
    const cited = reasons.flatMap((reason) => reason.match(/(?:src|test)\/[\w./-]+\.test\.ts/g) ?? []);
    expect(cited.filter((path) => !existsSync(join(folder, "../..", path)))).toEqual([]);
  });

  it("has what the list names", () => {
    const titles = Object.keys(typeof listed === "string" ? {} : (listed ?? {}));
    const text = textOf(file);
    expect(titles.filter((title) => !text.includes(`scenario("${title}"`))).toEqual([]);
  });
});
