/** A `baton.yaml` of a few lines: the keys that this repository needs, and the address that describes all others. */
import { stringify } from "yaml";
import { defaultSettings } from "../config/schema.ts";
import type { PackageManager } from "./languages.ts";

export interface SettingsFileOptions {
  schemaUrl: string;
  referenceUrl: string;
  harness: string;
  required: { names: readonly string[]; why: string };
  /** Only one person could approve. null: unknown. */
  isAlone: boolean | null;
  packageManagers: readonly PackageManager[];
}

/** Preset of `sandbox.network`, and the command that brings what tests need. */
const setups: Readonly<Record<string, { network: string; command: string }>> = {
  npm: { network: "npm", command: "npm ci" },
  pnpm: { network: "npm", command: "pnpm install --frozen-lockfile" },
  uv: { network: "pip", command: "uv sync" },
  go: { network: "go", command: "go mod download" },
  cargo: { network: "rust", command: "cargo fetch" },
};
/** `npm ci` and `cargo fetch` need it. */
const lockFile = /(?:lock(?:\.ya?ml|\.json)?|\.lockb?|npm-shrinkwrap\.json|go\.(?:mod|work))$/;

export function settingsFile(options: SettingsFileOptions): string {
  const { schemaUrl, referenceUrl, harness, required, isAlone, packageManagers } = options;
  const setup = packageManagers.flatMap(({ name, path }) =>
    Object.hasOwn(setups, name) && lockFile.test(path) && !path.includes("/")
      ? [setups[name] as (typeof setups)[string]]
      : [],
  );
  return [
    `# yaml-language-server: $schema=${schemaUrl}`,
    `# All keys with their defaults: ${referenceUrl}`,
    "version: 1",
    line({ harness: { default: harness } }),
    `${line({ budget: { runUsd: defaultSettings.budget.runUsd } })} # the most that one run may spend, in USD`,
    ...(required.names.length === 0
      ? []
      : [
          `# ${sentence(required.why.split(";")[0] ?? "")}. Without this line every check must be green.`,
          line({ gates: { required: [...required.names] } }),
        ]),
    ...(isAlone === false
      ? []
      : [isAlone === null ? maybeAlone : alone, `# ${line({ approvals: { self: "allow" } })}`]),
    ...(setup.length === 0
      ? []
      : [
          "# Lets agents run the tests, where they work in a sandbox:",
          `# ${line({ sandbox: { network: [...new Set(setup.map(({ network }) => network))], setup: setup.map(({ command }) => command) } })}`,
        ]),
    "",
  ].join("\n");
}

const alone =
  "# Only one person has write access. This line lets that person approve their own runs; without it none can pass:";
const maybeAlone = "# If you are the only person with write access, your runs pass only with this line:";

function line(value: object): string {
  const [[key, inner] = ["", null]] = Object.entries(value);
  return `${key}: ${stringify(inner, { collectionStyle: "flow", lineWidth: 0 }).trim()}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
