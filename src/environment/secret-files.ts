/**
 * Secrets from files: `NAME_FILE` or `NAME_PATH` replaces `NAME`, so that no environment holds them.
 *
 * SF1 A value in the environment takes precedence over a file.
 * SF2 A file that is unreadable or empty ends the start. A Baton without its secret would fail later, elsewhere.
 */

import { readFileSync, statSync } from "node:fs";
import { keyVariables } from "../adapters/harness/key-variables.ts";
import { platformSecrets } from "./platform-settings.ts";

/** Each of these may come from a file. The private key has its own reader, which knows its forms. */
export const secretsFromFiles: readonly string[] = [
  "WEBHOOK_SECRET",
  "WEBHOOK_SECRET_PREVIOUS",
  "GITHUB_CLIENT_SECRET",
  "BATON_TRIGGER_SECRET",
  "BATON_TRIGGER_SECRET_PREVIOUS",
  "DATABASE_URL",
  "BATON_KEYS",
  ...platformSecrets,
  ...keyVariables.map(({ name }) => name),
];

const suffixes = ["_FILE", "_PATH"] as const;

type Environment = Record<string, string | undefined>;

/** The environment with the contents of the files, and their problems. */
export function withSecretFiles(environment: Environment): { environment: Environment; problems: string[] } {
  const read: Environment = {};
  const problems: string[] = [];
  for (const name of secretsFromFiles) {
    if (isSet(environment[name])) continue;
    const from = suffixes.map((suffix) => `${name}${suffix}`).find((one) => isSet(environment[one]));
    if (from === undefined) continue;
    const path = environment[from] as string;
    const text = textOf(path);
    if (text === null || text === "")
      problems.push(`${from} is "${path}", which ${text === null ? "cannot be read" : "is empty"}`);
    else read[name] = text;
  }
  return { environment: { ...environment, ...read }, problems };
}

/** Files with secrets that other users of the machine may read, each with a fix. */
export function openSecretFiles(environment: Environment, envFile: string | null): string[] {
  const given = [...secretsFromFiles, "PRIVATE_KEY"].flatMap((name) =>
    suffixes.flatMap((suffix) => environment[`${name}${suffix}`] ?? []),
  );
  return [...new Set([...(envFile === null ? [] : [envFile]), ...given.filter(isSet)])].flatMap((path) => {
    const mode = modeOf(path);
    if (mode === null || (mode & 0o077) === 0) return [];
    return [
      `Other users of this machine can open ${path} (mode ${mode.toString(8).padStart(3, "0")}). Run \`chmod 600 ${path}\`.`,
    ];
  });
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "";
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

/** null: the file does not exist, or the system has no such modes. */
function modeOf(path: string): number | null {
  if (process.platform === "win32") return null;
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.mode & 0o777 : null;
  } catch {
    return null;
  }
}
