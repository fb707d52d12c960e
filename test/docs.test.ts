/**
 * Checks the documents: links have a target, YAML is a valid `baton.yaml`, and TypeScript is a piece of a compiled and
 * tested file. Codes, variables and keys exist.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CommandReader } from "../src/adapters/harness/command/harness.ts";
import { commands } from "../src/commands/index.ts";
import { settingsJsonSchema } from "../src/config/json-schema.ts";
import { parseConfig } from "../src/config/parse.ts";
import { errorCodes } from "../src/core/errors.ts";
import { secretsFromFiles } from "../src/environment/secret-files.ts";
import { environmentSchema } from "../src/environment/settings.ts";
import { parseCommand } from "../src/thread/parse-command.ts";
import { parseProcess } from "../src/workflow/parse.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const skipped = new Set(["node_modules", ".git", ".baton", "fixtures"]);

function markdownFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith(".md") ? [relative(root, path)] : [];
  });
}

const pages = new Map(
  markdownFiles(root).map((path) => [path, readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n")]),
);
const paths = [...pages.keys()];
const textOf = (path: string): string => pages.get(path) as string;

interface Block {
  info: string;
  text: string;
}
const blocks = (path: string): Block[] =>
  [...textOf(path).matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({
    info: info.trim(),
    text,
  }));
const prose = (path: string): string => textOf(path).replaceAll(/^```[\s\S]*?^```$/gm, "");

/** As GitHub names the anchors of headings. */
function anchors(path: string): string[] {
  return [...prose(path).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

function brokenLinks(path: string): string[] {
  const targets = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^(?:https?:|mailto:)/.test(target)) return false;
    const [file = "", anchor] = target.split("#");
    const at = file === "" ? path : relative(root, join(root, dirname(path), file));
    if (!existsSync(join(root, at))) return true;
    return anchor !== undefined && pages.has(at) && !anchors(at).includes(anchor);
  });
}

describe.each(paths.filter((path) => path.startsWith("docs/guides/") && !path.endsWith("troubleshooting.md")))(
  "%s, a guide",
  (path) => {
    it("says what its reader will have, how to check it, and what can go wrong", () => {
      const [, lead = ""] = textOf(path).split("\n\n");
      expect(lead).toMatch(/^(?:At the end of|With) (?:this|a) /);
      expect(textOf(path)).toMatch(/^To check: |^## .*[Cc]heck/m);
      expect(textOf(path)).toMatch(/^## .*can go wrong/m);
    });
  },
);

describe.each(paths)("%s", (path) => {
  it("links lead to files and headings that exist", () => {
    expect(brokenLinks(path)).toEqual([]);
  });

  it("`yaml` that has `steps` is a YAML process without problems", () => {
    for (const { text } of blocks(path).filter(({ info, text: body }) => info === "yaml" && /^steps:/m.test(body)))
      expect(parseProcess(text, null).problems).toEqual([]);
  });
  it("`yaml baton.yaml` is a configuration without problems", () => {
    for (const { text } of blocks(path).filter(({ info }) => info === "yaml baton.yaml"))
      expect({ text, parsed: parseConfig(text) }).toMatchObject({ parsed: { ok: true, problems: [] } });
  });

  it("`ts`, and `yaml` with a path, is a piece of a file that is compiled", () => {
    for (const { info, text } of blocks(path).filter(({ info }) => /^(?:ts\b|yaml docs\/)/.test(info))) {
      const file = info.replace(/^(?:ts|yaml)\s*/, "");
      expect({ file, compiled: /^docs\/examples\/(?:[a-z.-]+\.ts|processes\/[a-z-]+\.yaml)$/.test(file) }).toEqual({
        file,
        compiled: true,
      });
      expect(dedent(readFileSync(join(root, file), "utf8"))).toContain(dedent(text).trim());
    }
  });

  it("commands in examples are commands", () => {
    for (const { text } of blocks(path).filter(({ info }) => info === "baton")) {
      for (const line of text.trim().split("\n"))
        expect(parseCommand(line, commands)).toMatchObject({ kind: "command" });
    }
  });

  it("codes, variables and files that it names exist", () => {
    const named = [...new Set(textOf(path).match(/\bBATON_[A-Z_]+\b/g) ?? [])];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    const files = [...textOf(path).matchAll(/`((?:src|test|processes|tools|docs|bench|action)\/[\w./-]+\.\w+)`/g)].map(
      ([, file = ""]) => file,
    );
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it("keys of `baton.yaml` that it names exist", () => {
    const named = [...textOf(path).matchAll(/`([a-z][A-Za-z]+\.[a-z][A-Za-z]+)(?:: [^`]*)?`/g)].map(
      ([, key = ""]) => key,
    );
    // Promises of modules use the code's own words.
    if (path === "docs/reference/invariants.md") return;
    const wrong = named.filter((key) => sections.has(key.split(".")[0] as string) && !keys.has(key));
    expect(wrong).toEqual([]);
  });
});

/** Variables of agents, the command line, tests and the Action, which are not in the settings of the App. */
const otherVariables = [
  "BATON_AGENT_SCRIPT",
  "BATON_ATTEMPT",
  "BATON_BASE_SHA",
  "BATON_ROLE",
  "BATON_RUN",
  "BATON_STEP",
  "BATON_PROMPT_FILE",
  "BATON_ACCESS",
  "BATON_MODEL",
  "BATON_SERVER",
  "BATON_TOKEN",
  "BATON_DEBUG",
  "BATON_TEST_DATABASE_URL",
  "BATON_TEST_EVERY_PUSH",
  "BATON_TEST_HARNESSES",
  "BATON_TEST_SHOW",
];
const known = new Set<string>([
  ...errorCodes,
  ...Object.keys(environmentSchema.shape),
  ...secretsFromFiles.map((name) => `${name}_PATH`),
  ...otherVariables,
]);
const properties = Object.entries(settingsJsonSchema().properties ?? {});
const sections = new Set(properties.map(([key]) => key));
const keys = new Set(
  properties.flatMap(([key, schema]) =>
    [schema, ...(schema.anyOf ?? [])].flatMap((form) =>
      Object.keys(form.properties ?? {}).map((inner) => `${key}.${inner}`),
    ),
  ),
);

function dedent(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimStart())
    .join("\n");
}

it("the lines that a command may print are understood as the guide says", () => {
  const reader = new CommandReader();
  const lines =
    blocks("docs/guides/harnesses.md")
      .find(({ info }) => info === "json")
      ?.text.trim()
      .split("\n") ?? [];
  const events = lines.flatMap((line) => reader.take(line, "stdout"));
  expect(events.map(({ type }) => type)).toEqual(["text", "tool", "session", "usage"]);
  expect(reader.end()).toMatchObject({
    text: expect.stringMatching(/^### Intent/),
    sessionId: "abc-123",
    turns: 1,
    usage: [{ model: "my-model", costUsd: 0.012, tokens: { input: 1200, output: 340, cacheRead: 0, cacheWrite: 0 } }],
    error: { code: "BATON_HARNESS_UNAVAILABLE" },
  });
});

it("every folder of the sources is on the map of ARCHITECTURE.md", () => {
  const map = textOf("ARCHITECTURE.md");
  const folders = (directory: string): string[] =>
    readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  expect(folders("src").filter((name) => !map.includes(`\`src/${name}\``))).toEqual([]);
  expect(folders("src/adapters").filter((name) => !map.includes(`\`${name}\``))).toEqual([]);
});

describe("the references", () => {
  const sources = sourceFiles(join(root, "src")).filter((path) => !path.endsWith(".test.ts"));
  const code = sources
    .filter((path) => !path.endsWith(join("core", "errors.ts")))
    .map((path) => readFileSync(path, "utf8"));

  it.each(errorCodes)("%s is raised somewhere", (errorCode) => {
    expect(code.some((text) => text.includes(`"${errorCode}"`))).toBe(true);
  });

  it("messages of the log that the operations guide names are logged", () => {
    const named = [...textOf("docs/guides/operations.md").matchAll(/^\| `(A [^`]+)`/gm)].map(
      ([, message = ""]) => message,
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((message) => !code.some((text) => text.includes(`"${message}`)))).toEqual([]);
  });

  it("every variable of the environment says what it is", () => {
    for (const [name, schema] of Object.entries(environmentSchema.shape))
      expect({ name, prose: schema.description }).toEqual({ name, prose: expect.stringMatching(/\.$/) });
  });

  it("other variables are read or given somewhere", () => {
    const all = [...code, ...sourceFiles(join(root, "test")).map((path) => readFileSync(path, "utf8"))].join("\n");
    expect(otherVariables.filter((name) => !all.includes(name))).toEqual([]);
  });
});

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
