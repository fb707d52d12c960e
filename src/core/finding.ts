/**
 * A finding: one problem in a repository that a detector reports.
 *
 * FD1 A fingerprint survives moved lines. It consists of detector, rule, path and the text at the place, never of the
 *     line. The order of equal texts in one file tells them apart.
 * FD2 A path names a file within the repository. Anything else is not a path.
 * FD3 Texts are bounded. They come from programs that read the repository: data, never an instruction.
 */
import { z } from "zod";
import { hash64 } from "./text-hash.ts";

export const severities = ["error", "warning", "note"] as const;
export type Severity = (typeof severities)[number];

export const findingSchema = z.object({
  fingerprint: z.string(),
  detector: z.string(),
  rule: z.string(),
  message: z.string(),
  severity: z.enum(severities),
  /** From the root of the repository. null: the finding is not about a file. */
  path: z.string().nullable(),
  line: z.number().int().positive().nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

/** A finding as a detector reads it. */
export interface RawFinding {
  rule: string;
  message: string;
  severity: Severity;
  path: string | null;
  line: number | null;
  /** The text at the place, or the tool's own name for it. Empty: the message is used instead. */
  text: string;
}

/** The findings that a detector reads from a report. */
export interface Detected {
  findings: Finding[];
  /** Omitted findings, and the reasons: for people. */
  notes: string[];
}

const findingsMax = 2_000;
const messageMax = 500;
const ruleMax = 120;
const pathMax = 500;

/** Names raw findings (FD1) in their order. Equal findings at one line count once. */
export function named(detector: string, raw: readonly RawFinding[], notes: readonly string[] = []): Detected {
  const said = [...notes];
  const sorted = raw
    .map((one, index) => ({ ...one, index }))
    .toSorted((a, b) => compare(a.path ?? "", b.path ?? "") || (a.line ?? 0) - (b.line ?? 0) || a.index - b.index);
  const counts = new Map<string, number>();
  const places = new Set<string>();
  const findings: Finding[] = [];
  for (const one of sorted) {
    const text = one.text.trim() === "" ? withoutNumbers(one.message) : normal(one.text);
    const base = JSON.stringify([detector, one.rule, one.path, text]);
    // Two messages about one line are two problems, even if their fingerprints begin alike.
    const place = JSON.stringify([base, one.line, one.message]);
    if (places.has(place)) continue;
    places.add(place);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    findings.push({
      fingerprint: hash64(`${base} ${count}`),
      detector,
      rule: clip(one.rule, ruleMax),
      message: clip(one.message, messageMax),
      severity: one.severity,
      path: one.path === null ? null : clip(one.path, pathMax),
      line: one.line,
    });
  }
  if (places.size > findingsMax)
    said.push(`${places.size} findings were reported. The ${findingsMax} most severe are used.`);
  return { findings: mostSevere(findings, findingsMax), notes: said };
}

/** At most `max` findings in their order. Lighter ones are left out first, so that no folder hides an error in another. */
export function mostSevere<One extends Pick<Finding, "severity">>(findings: readonly One[], max: number): One[] {
  if (findings.length <= max) return [...findings];
  const kept = new Set(severities.flatMap((level) => findings.filter((one) => one.severity === level)).slice(0, max));
  return findings.filter((one) => kept.has(one));
}

/** A path within the repository (FD2). `root`: the repository's path as the tool saw it. null: the path is outside. */
export function insidePath(given: string, root: string | null = null): string | null {
  let path = given.trim().replaceAll("\\", "/");
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(path)?.[0];
  if (scheme !== undefined && scheme.length > 2) {
    if (scheme.toLowerCase() !== "file:") return null;
    path = path.slice(scheme.length).replace(/^\/\/[^/]*/, "");
  }
  try {
    if (/%[0-9a-f]{2}/i.test(path)) path = decodeURIComponent(path);
  } catch {
    return null;
  }
  const base = root === null ? null : root.replaceAll("\\", "/").replace(/\/+$/, "");
  if (base !== null && base !== "" && path.startsWith(`${base}/`)) path = path.slice(base.length + 1);
  if (path.startsWith("/") || /^[a-z]:/i.test(path) || path.includes("\0")) return null;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length === 0 || parts[0]?.toLowerCase() === ".git" ? null : parts.join("/");
}

export function lineOf(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 10_000_000 ? value : null;
}

function normal(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 2_000);
}

/** A message such as "at line 12" changes when the code moves. */
export function withoutNumbers(text: string): string {
  return normal(text).replaceAll(/\d+/g, "#");
}

function clip(text: string, max: number): string {
  // Terminals and comments interpret control characters, so these are removed.
  const plain = text.replaceAll(/\p{Cc}+/gu, " ").trim();
  return plain.length > max ? `${plain.slice(0, max - 1)}…` : plain;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
