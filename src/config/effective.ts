/** The effective difference between two configurations: the real changes of a change to `baton.yaml`, including defaults. */
import { canonicalJson } from "../core/canonical.ts";
import { schemasAt } from "./json-schema.ts";
import { loosens } from "./loosening.ts";
import type { Settings } from "./schema.ts";

export interface SettingsChange {
  path: string;
  /** As JSON. `(none)`: this side does not have it. */
  from: string;
  to: string;
  /** For people: the change, and the meaning of the key. */
  sentence: string;
  /** True if the change allows more: more money, fewer reviewers, fewer checks. */
  loosens: boolean;
}

const none = "(none)";

export function effectiveDifference(from: Settings, to: Settings): SettingsChange[] {
  const before = leaves(from);
  const after = leaves(to);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): SettingsChange[] => {
    const [old, now] = [before.get(path), after.get(path)];
    const [oldText, nowText] = [textOf(old), textOf(now)];
    if (oldText === nowText) return [];
    const { key, keyPath } = (now ?? old) as Leaf;
    const meaning = schemasAt(keyPath).find(({ description }) => description !== undefined)?.description ?? "";
    const loose = loosens(key, old?.value, now?.value);
    const sentence = `\`${path}\` goes from ${code(oldText)} to ${code(nowText)}${loose ? ", which allows more than before" : ""}.${meaning === "" ? "" : ` ${meaning}`}`;
    return [{ path, from: oldText, to: nowText, sentence, loosens: loose }];
  });
}

interface Leaf {
  value: unknown;
  /** With `*` for names that people choose: `prices.*.input`. */
  key: string;
  keyPath: string[];
}

/** Maps whose keys people choose. */
const open = new Set(["prices", "commands.allow", "tiers", "profiles"]);

function leaves(value: unknown, path: string[] = [], key = "", into = new Map<string, Leaf>()): Map<string, Leaf> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) {
      const step = open.has(key) ? "*" : name;
      leaves(inner, [...path, name], key === "" ? step : `${key}.${step}`, into);
    }
  } else {
    into.set(path.join("."), { value, key, keyPath: path });
  }
  return into;
}

function textOf(leaf: Leaf | undefined): string {
  return leaf === undefined ? none : canonicalJson(leaf.value);
}

const shownMax = 200;

function code(text: string): string {
  const plain = text.replaceAll(/[`\r\n]/g, "?");
  return `\`${plain.length > shownMax ? `${plain.slice(0, shownMax)}…` : plain}\``;
}
