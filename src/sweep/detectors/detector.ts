/** A detector turns one report into findings. It starts nothing and reads nothing else: pure. */
import { BatonError } from "../../core/errors.ts";
import { type Detected, insidePath, withoutNumbers } from "../../core/finding.ts";

export interface DetectorOptions {
  /** The tool's path of the repository. Absolute paths below it are those of its files. */
  root: string | null;
  /** Milliseconds since the epoch, for findings that depend on age. */
  now: number;
  /** Messages of a detector whose rules the repository writes. */
  rules?: readonly { id: string; message: string }[];
  /** A line of a file of the repository. null: unknown. */
  lineAt?: LineAt;
}

export type LineAt = (path: string, line: number) => string | null;

export interface Detector {
  name: string;
  /** For the reference: the input of the detector. */
  summary: string;
  /** Raise it when the same report gives other findings. */
  version: number;
  /** Its command is Baton's own. Any exit code except 0 means that it did not search everywhere. */
  needsZero?: true;
  /** Throws BATON_REPORT_INVALID if the report is unreadable. */
  read(report: string, options: DetectorOptions): Detected;
}

/** The largest report. A larger one is a mistake of its tool, or an attack on its reader. */
const reportCharactersMax = 20 * 1024 * 1024;

export function bounded(detector: string, report: string): string {
  if (report.length <= reportCharactersMax) return report;
  throw invalid(
    detector,
    `it has ${(report.length / 1024 / 1024).toFixed(0)} MB, and at most ${reportCharactersMax / 1024 / 1024} MB are read`,
  );
}

export function parseJson(detector: string, report: string): unknown {
  try {
    return JSON.parse(bounded(detector, report).replace(/^\ufeff/, "")) as unknown;
  } catch (thrown) {
    if (thrown instanceof BatonError) throw thrown;
    throw invalid(detector, report.trim() === "" ? "it is empty" : "it is not JSON");
  }
}

export function invalid(detector: string, why: string): BatonError {
  return new BatonError("BATON_REPORT_INVALID", `The report for the detector \`${detector}\` cannot be read: ${why}.`);
}

/** A path that git printed with -z. Its percent signs are its own. */
export function gitPath(file: string): string | null {
  return insidePath(file.replaceAll("%", "%25"));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** "1 finding names …", "3 findings name …" */
export function counted(count: number, one: string, more: string): string[] {
  return count === 0 ? [] : [count === 1 ? `1 finding ${one}` : `${count} findings ${more}`];
}

/**
 * The text that names a place for a report that quotes no code. Without the line, equal messages of one file differ only
 * by their order, and a fix of the first one would rename the others.
 */
export function textFor(
  { path, line, message }: { path: string | null; line: number | null; message: string },
  lineAt: LineAt | undefined,
): string {
  const code = path === null || line === null ? "" : (lineAt?.(path, line) ?? "").trim();
  return code === "" ? "" : `${code} ${withoutNumbers(message)}`;
}
