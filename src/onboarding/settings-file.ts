/**
 * A commented `baton.yaml`: every key with its prose and its default, from the schema of settings. Chosen keys are active.
 * The others follow a `#` without a space, so that removing it switches the key on.
 */
import { stringify } from "yaml";
import { describeSchema, type JsonSchema, settingsJsonSchema } from "../config/json-schema.ts";
import { defaultSettings } from "../config/schema.ts";

export interface SettingsFileOptions {
  schemaUrl: string;
  harness: string;
  /** Names of detected checks, shown as a suggestion. */
  checks: readonly string[];
}

const width = 110;

/** A usual start for most repositories, to copy. */
const examples: Readonly<Record<string, string>> = {
  triggers: [
    "Examples:",
    "{ name: labeled, on: issues.labeled, if: \"event.label == 'baton'\", process: issue-to-pr },",
    "{ name: opened, on: pull_request.opened, process: review },",
    '{ name: red-main, on: workflow_run.failed, process: issue-to-pr, with: { instructions: Make the default branch green. }, key: "${{ event.sha }}" }.',
  ].join(" "),
};

export function settingsFile({ schemaUrl, harness, checks }: SettingsFileOptions): string {
  const chosen: Record<string, unknown> = {
    version: 1,
    "harness.default": harness,
    "budget.runUsd": defaultSettings.budget.runUsd,
  };
  const suggested: Record<string, string> =
    checks.length === 0 ? {} : { "gates.required": `Found here: ${checks.map((name) => `"${name}"`).join(", ")}.` };
  const lines = [
    `# yaml-language-server: $schema=${schemaUrl}`,
    "",
    ...prose(
      "Configuration of Baton for this repository. Without this file the defaults hold; lines that begin with # and a key are these defaults: remove the # to change one.",
      "",
    ),
  ];
  for (const [key, schema] of Object.entries(settingsJsonSchema().properties ?? {})) {
    const inner = mapOf(schema);
    lines.push("", ...prose(`${schema.description ?? ""} ${examples[key] ?? ""}`, ""));
    if (inner === null) {
      lines.push(...setting(key, chosen[key] ?? valueAt([key]), key in chosen ? "" : "#", ""));
      continue;
    }
    const active = Object.keys(inner).some((name) => `${key}.${name}` in chosen);
    const off = active ? "" : "#";
    lines.push(`${off}${key}:`);
    for (const [name, innerSchema] of Object.entries(inner)) {
      const path = `${key}.${name}`;
      const note = suggested[path] === undefined ? "" : ` ${suggested[path]}`;
      lines.push(...prose(`${innerSchema.description ?? ""} ${kindOf(innerSchema)}${note}`, `${off}  `));
      const value = chosen[path] ?? valueAt([key, name]);
      lines.push(...setting(name, value, active && !(path in chosen) ? "#" : "", `${off}  `));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The keys of a section. null: it is not a section, or people choose the names in it. */
function mapOf(schema: JsonSchema): Record<string, JsonSchema> | null {
  const form = [schema, ...(schema.anyOf ?? [])].find(({ properties }) => properties !== undefined);
  return form?.properties ?? null;
}

function kindOf(schema: JsonSchema): string {
  return schema.enum === undefined ? "" : `(${describeSchema(schema)})`;
}

function valueAt(path: readonly string[]): unknown {
  let at: unknown = defaultSettings;
  for (const part of path) at = (at as Record<string, unknown> | undefined)?.[part];
  return at;
}

/** `off` is the mark of an inactive key, after the indentation of its section. */
function setting(key: string, value: unknown, off: string, indent: string): string[] {
  const flow = stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trim();
  const line = `${key}: ${flow}`;
  // A long list is easier to read with one entry per line.
  const text =
    Array.isArray(value) && indent.length + line.length > width
      ? stringify({ [key]: value }, { lineWidth: 0 })
          .trim()
          .split("\n")
      : [line];
  return text.map((one) => `${indent}${off}${one}`);
}

function prose(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.trim().split(/\s+/)) {
    if (line !== "" && indent.length + line.length + word.length + 3 > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push(line);
  return lines.map((one) => `${indent}# ${one}`);
}
