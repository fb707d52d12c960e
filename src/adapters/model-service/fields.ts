/** Reads the output of a CLI. Any shape may come, and none may throw. */

export type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

export function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** No attempt comes near this. Larger counts are faults or lies. */
const countMax = 1e12;

/** A count of tokens or turns. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.min(countMax, Math.round(value)) : 0;
}

export function amount(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** The HTTP status of an error. Null for anything else. */
export function status(value: unknown): number | null {
  const number = Number(value);
  return Number.isInteger(number) && number >= 400 && number <= 599 ? number : null;
}

/** A tool's input in a few words. */
export function toolDetail(input: unknown): string {
  const given = fields(input);
  for (const name of ["file_path", "filePath", "path", "command", "cmd", "pattern"]) {
    const found = text(given[name]);
    if (found !== null) return found.slice(0, 2_000);
  }
  return todoList(given);
}

/** A to-do list as lines, under any of the names that CLIs use. */
function todoList(given: Fields): string {
  const items = [given["todos"], given["plan"], given["items"], given["entries"]].find(Array.isArray);
  const lines = list(items).flatMap((item) => {
    const what = text(item["content"]) ?? text(item["step"]) ?? text(item["title"]) ?? text(item["text"]);
    const done = item["status"] === "completed" || item["completed"] === true;
    return what === null ? [] : [`- [${done ? "x" : " "}] ${what.split("\n", 1)[0]}`];
  });
  return lines.join("\n").slice(0, 2_000);
}
