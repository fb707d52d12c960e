/**
 * Conversations of CLIs outlive the private home of the attempt that held them, so that a later attempt can resume.
 *
 * Owns: one file a session (of a database also those beside it), by harness and session id, for a while. Does not own: where a CLI
 * keeps its file.
 * N1 A session that is not here is no error: the attempt begins anew and says so. Its prompt is whole by itself.
 * N2 Nobody but this user can read them: they hold what the agent read, and nothing redacts them.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HarnessEvent } from "../../ports/harness.ts";

/** Session ids come from a CLI's output and become file names and arguments. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{5,100}$/;
const sessionBytesMax = 64 * 1024 * 1024;
const retentionMs = 14 * 24 * 3_600_000;

export interface Sessions {
  /** Keeps a copy of the CLI's file, and of those beside it with these endings; silently none of what is missing or too large. */
  keep(harness: string, sessionId: string, path: string, besides?: readonly string[]): void;
  /** Puts the copy where the CLI looks for it; false: there is none. */
  place(harness: string, sessionId: string, path: string, besides?: readonly string[]): boolean;
}

function isSessionId(id: string): boolean {
  return idPattern.test(id);
}

export function createSessions(rootDir: string): Sessions {
  const pathOf = (harness: string, sessionId: string): string => join(rootDir, harness, `${sessionId}.jsonl`);
  return {
    keep(harness, sessionId, path, besides = []) {
      if (!isSessionId(sessionId) || !existsSync(path)) return;
      const bytes = [path, ...besides.map((ending) => path + ending)].map(bytesOf).reduce((sum, one) => sum + one, 0);
      if (bytes > sessionBytesMax) return;
      const kept = pathOf(harness, sessionId);
      mkdirSync(dirname(kept), { recursive: true, mode: 0o700 });
      removeOld(dirname(kept));
      copyWhole(path, kept, besides);
    },
    place(harness, sessionId, path, besides = []) {
      if (!isSessionId(sessionId)) return false;
      if (existsSync(path)) return true;
      const kept = pathOf(harness, sessionId);
      if (!existsSync(kept)) return false;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      copyWhole(kept, path, besides);
      return true;
    },
  };
}

/** Only sessions in the attempt's own home can be resumed. */
export const noSessions: Sessions = {
  keep: () => {},
  place: (_, sessionId, path) => isSessionId(sessionId) && existsSync(path),
};

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The file itself last, after what belongs to it: whoever finds it finds the whole. */
function copyWhole(from: string, to: string, besides: readonly string[]): void {
  rmSync(to, { force: true });
  for (const ending of besides) {
    if (existsSync(from + ending)) copyFileSync(from + ending, to + ending);
    else rmSync(to + ending, { force: true });
  }
  copyFileSync(from, to);
}

function removeOld(directory: string): void {
  const oldest = Date.now() - retentionMs;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? oldest) < oldest) rmSync(path, { force: true });
  }
}

export const sessionGone: HarnessEvent = {
  type: "warning",
  text: "The session is not kept here any more; the attempt begins a new one.",
};

/** The session that goes on, or null: then the attempt begins anew and says so (N1). */
export function resumable(
  sessions: Sessions,
  harness: string,
  wanted: string | null,
  path: string | null,
  onEvent: (event: HarnessEvent) => void,
  besides: readonly string[] = [],
): string | null {
  if (wanted === null) return null;
  if (path !== null && sessions.place(harness, wanted, path, besides)) return wanted;
  onEvent(sessionGone);
  return null;
}
