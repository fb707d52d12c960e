/** A detector reads one report into findings. It starts nothing and reads nothing else: pure. */
import { BatonError } from "../../core/errors.ts";
import type { Detected } from "../../core/finding.ts";

export interface DetectorOptions {
  /** Where the tool saw the repository: absolute paths below it are those of its files. */
  root: string | null;
  /** Milliseconds since the epoch, for what is judged by age. */
  now: number;
  /** Messages of a detector whose rules the repository writes. */
  rules?: readonly { id: string; message: string }[];
}

export interface Detector {
  name: string;
  /** For the reference: what it reads. */
  summary: string;
  /** Raised when the same report gives other findings. */
  version: number;
  /** Its command is Baton's own, so any exit code but 0 means that it did not look everywhere. */
  needsZero?: true;
  /** BATON_REPORT_INVALID where the report cannot be read. */
  read(report: string, options: DetectorOptions): Detected;
}

/** Of any report. A larger one is a mistake of its tool, or an attack on its reader. */
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** "3 findings name …" */
export function counted(count: number, words: string): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? "finding" : "findings"} ${words}`];
}
