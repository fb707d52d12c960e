import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../src/config/parse.ts";
import { defaultSettings } from "../src/config/schema.ts";
import { generatedFiles } from "../tools/generate.ts";

const root = join(import.meta.dirname, "..");

describe("generated files", () => {
  it.each(generatedFiles().map(({ path, text }) => [path, text]))(
    "%s is what `npm run generate` writes",
    (path, text) => {
      expect(readFileSync(join(root, path), "utf8")).toBe(text);
    },
  );

  it("the reference has every key of the format", () => {
    const reference = readFileSync(join(root, "docs/reference/baton-yaml.md"), "utf8");
    const keys = Object.entries(defaultSettings).flatMap(([key, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value) && key !== "prices"
        ? Object.keys(value).map((inner) => `${key}.${inner}`)
        : [key],
    );
    expect(keys.filter((key) => key !== "prices" && !reference.includes(`\`${key}\``))).toEqual([]);
  });
});

describe("schemas/baton.schema.json", () => {
  const validate = new Ajv2020({ strict: false }).compile(
    JSON.parse(readFileSync(join(root, "schemas/baton.schema.json"), "utf8")) as object,
  );
  it.each([
    "{}",
    "version: 1",
    "merge: auto",
    "merge: {mode: auto, method: rebase}",
    "gates: {required: [test, {name: e2e, app: 3}]}",
    "commands: {allow: {budget: admin}, bots: [4]}",
    "prices: {m: {input: 1, output: 2, cacheRead: 0, cacheWrite: 0}}",
    "protectedPaths: [src/**]",
    "x: 1",
    "version: 2",
    "merge: sometimes",
    "budget: {runUSD: 3}",
    "budget: {runUsd: -1}",
    "commands: {allow: {rnu: write}}",
    "prices: {m: {input: 1}}",
    "protectedPaths: ['!a']",
    "approvals: {count: 0}",
    "limits: {turns: 1.5}",
  ])("an editor says the same of %j as Baton", (text) => {
    expect(validate(parse(text))).toBe(parseConfig(text).ok);
  });
});
