/** Secrets from files, and files that others can open. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSecretFiles, secretsFromFiles } from "./secret-files.ts";
import { readSettings } from "./settings.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-secrets-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const file = (text: string, mode = 0o600): string => {
  const path = join(directory, crypto.randomUUID());
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

it.each(secretsFromFiles.flatMap((name) => [`${name}_FILE`, `${name}_PATH`]))(
  "%s is read, without the line's end",
  (name) => {
    const value = name.startsWith("DATABASE_URL")
      ? "postgres://baton:from-a-file@db.example/baton"
      : "from-a-file-of-its-own-file";
    const text = name.startsWith("BATON_KEYS") ? JSON.stringify({ acme: { OPENAI_API_KEY: value } }) : value;
    expect(readSettings({ [name]: file(`${text}\n`) }).secrets).toEqual([value]);
  },
);

it.each([
  ["the old one by itself signs nothing", { BATON_TRIGGER_SECRET_PREVIOUS: "p".repeat(24) }, []],
  [
    "the old one next to the new one",
    { BATON_TRIGGER_SECRET: "n".repeat(24), BATON_TRIGGER_SECRET_PREVIOUS: "p".repeat(24) },
    ["n".repeat(24), "p".repeat(24)],
  ],
])("secrets of triggers: %s", (_, environment, expected) => {
  expect(readSettings(environment).triggerSecrets).toEqual(expected);
});

it.each(["BATON_TRIGGER_SECRET", "BATON_TRIGGER_SECRET_PREVIOUS"])("%s is never short", (name) => {
  expect(() => readSettings({ [name]: "x" })).toThrow("at least 24 characters");
});

it("a value in the environment takes precedence, an empty one does not", () => {
  const path = file("from-the-file");
  expect(readSettings({ OPENAI_API_KEY: "given", OPENAI_API_KEY_FILE: path }).harness.codex.apiKey).toBe("given");
  expect(readSettings({ OPENAI_API_KEY: "", OPENAI_API_KEY_FILE: path }).harness.codex.apiKey).toBe("from-the-file");
});

it.each<[string, () => string, RegExp]>([
  ["that is not there", () => join(directory, "none"), /OPENAI_API_KEY_FILE is ".*none", which cannot be read/],
  ["that is empty", () => file(" \n"), /OPENAI_API_KEY_FILE is ".*", which is empty/],
  ["that is a folder", () => directory, /which cannot be read/],
])("a file %s ends the start", (_, path, message) => {
  expect(() => readSettings({ OPENAI_API_KEY_FILE: path() })).toThrow(message);
});

it.skipIf(process.platform === "win32").each<[number, boolean]>([
  [0o600, false],
  [0o400, false],
  [0o640, true],
  [0o604, true],
  [0o644, true],
])("a file of mode %o is told: %j", (mode, told) => {
  const path = file("x", mode);
  for (const environment of [{ WEBHOOK_SECRET_FILE: path }, { PRIVATE_KEY_PATH: path }])
    expect(openSecretFiles(environment, null)).toHaveLength(told ? 1 : 0);
  expect(openSecretFiles({}, path)).toEqual(told ? [expect.stringContaining(`chmod 600 ${path}`)] : []);
});
