/** The effective difference between two configurations: what a change of `baton.yaml` really changes, defaults included. */
import { canonicalJson } from "../core/canonical.ts";
import type { Settings } from "./schema.ts";

export interface SettingsChange {
  path: string;
  from: string;
  to: string;
}

export function effectiveDifference(from: Settings, to: Settings): SettingsChange[] {
  const before = flatten(from);
  const after = flatten(to);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({ path, from: before.get(path) ?? "(none)", to: after.get(path) ?? "(none)" }));
}

function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === "" ? key : `${path}.${key}`, into);
  } else {
    into.set(path, canonicalJson(value));
  }
  return into;
}
