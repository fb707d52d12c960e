/** A workflow file as data. Reading never throws, whatever the file holds. */
import { parse } from "yaml";

export type Fields = Record<string, unknown>;

/** null: not YAML. */
export function parsedYaml(text: string): unknown {
  try {
    return parse(text, { logLevel: "error", maxAliasCount: 20, merge: true });
  } catch {
    return null;
  }
}

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** One text or a list of texts, because GitHub accepts both. */
export function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((item: unknown) =>
    typeof item === "string" || typeof item === "number" || typeof item === "boolean" ? [String(item)] : [],
  );
}

const shownMax = 80;

/** A text of the file inside a sentence: it cannot end the code span, the line or the table cell. */
export function shown(text: string): string {
  const plain = text.replaceAll(/[`|\p{C}\p{Zl}\p{Zp}]/gu, "?").trim();
  return `\`${plain.length > shownMax ? `${plain.slice(0, shownMax)}…` : plain}\``;
}
