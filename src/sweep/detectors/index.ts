/** The detectors of a sweep: one file and one line each. */

import { BatonError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { agent } from "./agent.ts";
import { alerts } from "./alerts.ts";
import { command } from "./command.ts";
import { coverage } from "./coverage.ts";
import type { Detector, LineAt } from "./detector.ts";
import { flaky } from "./flaky.ts";
import { pattern } from "./pattern.ts";
import { sarif } from "./sarif.ts";
import { stale } from "./stale.ts";

/** A report names the lines of a file one after another. More files would hold the whole tree in memory. */
const filesKept = 8;

/** Lines of files. A file is read once while a report names it. */
export function linesOf(read: (path: string) => string | null): LineAt {
  const files = new Map<string, readonly string[]>();
  return (path, line) => {
    const lines = files.get(path) ?? read(path)?.split(/\r?\n/) ?? [];
    // The oldest entry is the one that nobody asked for longest.
    files.delete(path);
    files.set(path, lines);
    const [oldest] = files.keys();
    if (files.size > filesKept && oldest !== undefined) files.delete(oldest);
    return lines[line - 1] ?? null;
  };
}

export const detectors: readonly Detector[] = [sarif, command, pattern, alerts, flaky, stale, coverage, agent];

/** GitHub itself makes their reports. No command makes them, and they follow a change only after its merge. */
export const askedOfGithub: ReadonlySet<string> = new Set([alerts.name, flaky.name]);

export function detectorNamed(name: string): Detector {
  const found = detectors.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = detectors.map((one) => one.name);
  const meant = nearest(name, names);
  throw new BatonError(
    "BATON_INPUT_INVALID",
    `There is no detector "${name.slice(0, 60)}".${meant === null ? "" : ` Did you mean "${meant}"?`} There are: ${names.join(", ")}.`,
  );
}
