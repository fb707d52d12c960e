/** Lines of the log for people at a terminal: time, level, words, fields. Programs get the JSON objects instead. */
import { styleText } from "node:util";
import type { DestinationStream } from "pino";

const levels: Readonly<Record<number, { word: string; style: Parameters<typeof styleText>[0] }>> = {
  10: { word: "trace", style: "dim" },
  20: { word: "debug", style: "dim" },
  30: { word: "info", style: "green" },
  40: { word: "warn", style: "yellow" },
  50: { word: "error", style: "red" },
  60: { word: "fatal", style: "red" },
};
/** Fields that the line shows in another way, or not. */
const unshown = new Set(["level", "time", "msg", "name", "pid", "hostname"]);
const valueMax = 300;

export function readableLines(stream: NodeJS.WriteStream): DestinationStream {
  const isColored = stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  return { write: (line) => void stream.write(readableLine(line, isColored)) };
}

/** A line that is not one of the log's stays as it is. */
export function readableLine(line: string, isColored: boolean): string {
  const fields = parsed(line);
  if (fields === null) return line;
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    isColored ? styleText(style, text, { validateStream: false }) : text;
  const { word, style } = levels[Number(fields["level"])] ?? { word: "log", style: "dim" };
  const time = textOf(fields["time"]).slice(11, 19);
  const shown = Object.entries(fields)
    .filter(([key, value]) => !unshown.has(key) && value !== undefined && value !== null)
    .map(([key, value]) => `${paint("dim", `${key}=`)}${shownValue(key, value)}`);
  return `${[paint("dim", time), paint(style, word.padEnd(5)), textOf(fields["msg"]), ...shown].join(" ")}\n`;
}

function shownValue(key: string, value: unknown): string {
  // An error's stack is for programs and for `LOG_FORMAT=json`.
  const { code, message } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (key === "error" && message !== undefined)
    return cut([textOf(code), textOf(message)].filter((one) => one !== "").join(": "));
  if (typeof value === "string") return cut(/[\s"=]/.test(value) ? JSON.stringify(value) : value);
  return cut(JSON.stringify(value));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function cut(text: string): string {
  const oneLine = text.replaceAll(/\s*\n\s*/g, " ");
  return oneLine.length > valueMax ? `${oneLine.slice(0, valueMax)}…` : oneLine;
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "msg" in value ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
