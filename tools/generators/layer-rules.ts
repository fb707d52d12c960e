/**
 * The part of `.oxlintrc.json` with the layers (`tools/layers.ts`): one override a folder. The rest of the file is
 * handwritten.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedFile } from "../generate.ts";
import { doors, layers, mayWire, pureLayers, startsPrograms } from "../layers.ts";

const path = ".oxlintrc.json";
const rule = "no-restricted-imports";
const start = "Start programs through src/adapters/child: it bounds them and ends everything that they started.";
const programs = { regex: "^(?:execa|(?:node:)?child_process)$", message: start };
const optional = {
  regex: "^(?:\\.\\./)+packages/",
  message: "An installation may lack the packages: src/cli/commands/demo.ts loads them by name.",
};

const pureRule = "no-restricted-properties";
const impure = [
  { object: "Date", property: "now", message: "Pure folders take the time as an argument." },
  { object: "Math", property: "random", message: "Pure folders take randomness as an argument." },
];

interface Override {
  files: string[];
  rules: Record<string, unknown>;
}

export function layerRules(): GeneratedFile {
  const config = JSON.parse(readFileSync(join(import.meta.dirname, "../..", path), "utf8")) as {
    overrides: Override[];
  };
  const byHand = config.overrides.filter(({ rules }) => !Array.isArray(rules[rule]) && !(pureRule in rules));
  const overrides = [
    { files: ["src/**", "processes/**"], rules: { [rule]: ["error", { patterns: [programs, optional] }] } },
    ...[...layers.keys()].map((folder) => ({ files: [`src/${folder}/**`], rules: { [rule]: ruleOf(folder) } })),
    { files: pureLayers.map((folder) => `src/${folder}/**`), rules: { [pureRule]: ["error", ...impure] } },
    ...byHand,
  ];
  return { path, text: `${print({ ...config, overrides }, 0)}\n` };
}

function ruleOf(folder: string): unknown {
  const may = layers.get(folder) ?? [];
  const forbidden = [...layers.keys()].filter((other) => other !== folder && !may.includes(other));
  const message = `src/${folder} may import ${may.length === 0 ? "nothing else of src" : "what tools/layers.ts lists"}: see "Folders" in ARCHITECTURE.md.`;
  const withDoors = forbidden.filter((other) => doors.some((door) => door.startsWith(`${other}/`)));
  const whole = forbidden.filter((other) => !withDoors.includes(other));
  const patterns = [
    { regex: `^(?:\\.{1,2}/)+(?:adapters/)?(?:${names(whole)})/`, message },
    ...withDoors.map((other) => ({
      group: [`**/${bare(other)}/**`, ...doors.map((door) => `!**/${bare(door)}`)],
      message,
    })),
    ...(mayWire(folder)
      ? []
      : [{ regex: `^(?:\\.\\./){${folder.split("/").length},}(?:wire[a-z-]*|engine|library)\\.ts$`, message }]),
    ...(pureLayers.includes(folder) ? [{ group: ["node:*"], message: "Pure folders have no I/O." }] : []),
  ];
  return ["error", { patterns: [...patterns, optional, ...(startsPrograms.includes(folder) ? [] : [programs])] }];
}

function names(folders: readonly string[]): string {
  return folders.map(bare).join("|");
}

/** Adapters name one another without their folder. */
function bare(path: string): string {
  return path.replace("adapters/", "");
}

const widthMax = 120;

/** As Biome formats JSON: a list of plain values is on one line if it fits. */
function print(value: unknown, depth: number, before = 0): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const indent = "  ".repeat(depth + 1);
  const end = `\n${"  ".repeat(depth)}`;
  if (Array.isArray(value)) {
    const line = `[${value.map((one) => JSON.stringify(one)).join(", ")}]`;
    const isPlain = value.every((one) => typeof one !== "object");
    if (value.length === 0 || (isPlain && indent.length - 2 + before + line.length + 1 <= widthMax)) return line;
    return `[\n${value.map((one) => `${indent}${print(one, depth + 1)}`).join(",\n")}${end}]`;
  }
  const fields = Object.entries(value);
  if (fields.length === 0) return "{}";
  return `{\n${fields.map(([key, one]) => `${indent}${JSON.stringify(key)}: ${print(one, depth + 1, key.length + 4)}`).join(",\n")}${end}}`;
}
