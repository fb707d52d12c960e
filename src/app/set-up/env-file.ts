/**
 * The file `.env` that keeps the App's credentials.
 *
 * EV1 A reader sees the whole old file or the whole new one.
 * EV2 The file is for this user alone at every moment.
 * EV3 What others wrote there stays. Node reads each new value back unchanged, or Baton refuses it.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { parseEnv } from "node:util";
import { BatonError } from "../../core/errors.ts";

export function readEnvFile(path: string): Record<string, string | undefined> {
  return existsSync(path) ? parseEnv(readFileSync(path, "utf8")) : {};
}

export function keepInEnvFile(path: string, values: Readonly<Record<string, string>>): void {
  // A link, for example into a folder of secrets, stays a link.
  const place = existsSync(path) ? realpathSync(path) : path;
  const before = existsSync(place) ? readFileSync(place, "utf8") : "";
  const text = withValues(before, values);
  const made = `${place}.${process.pid}.new`;
  // Left from a crash, perhaps with another mode.
  rmSync(made, { force: true });
  const file = openSync(made, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(made, place);
}

/** The text with these values: others stay, and each name is there once. @internal for tests */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const kept = statementsOf(text).filter(({ name }) => name === null || !Object.hasOwn(values, name));
  const lines = kept.map(({ lines: own }) => own);
  while (lines.at(-1) === "") lines.pop();
  const added = Object.entries(values).map(([name, value]) => `${name}=${quoted(name, value)}`);
  return `${[...lines, ...added].join("\n")}\n`;
}

/** One line, or the lines of a quoted value. `name`: the variable that it sets. */
function statementsOf(text: string): { name: string | null; lines: string }[] {
  const found: { name: string | null; lines: string }[] = [];
  for (let at = 0; at <= text.length; ) {
    const [, name = null, quote] =
      /^[^\S\n]*(?:export\s+)?([A-Za-z_]\w*)[^\S\n]*=[^\S\n]*(["'`])?/.exec(text.slice(at)) ?? [];
    const opened = quote === undefined ? -1 : text.indexOf(quote, at);
    const closed = opened < 0 || quote === undefined ? -1 : text.indexOf(quote, opened + 1);
    const end = text.indexOf("\n", Math.max(at, closed));
    const to = end < 0 ? text.length : end;
    found.push({ name, lines: text.slice(at, to) });
    at = to + 1;
  }
  return found;
}

function quoted(name: string, value: string): string {
  const written = [`"${value.replaceAll("\n", "\\n")}"`, `'${value}'`, `\`${value}\``];
  const right = written.find((one) => parseEnv(`${name}=${one}`)[name] === value);
  if (right !== undefined) return right;
  throw new BatonError("BATON_INPUT_INVALID", `The value of ${name} has a form that \`.env\` cannot hold.`);
}
