/**
 * Conversations of CLIs outlive the private home of their attempt, so that a later attempt can resume.
 *
 * Owns: one file per session, by harness and session id, for a limited time. For a database, also the files next to it.
 * Does not own: the place where a CLI keeps its file.
 * N1 A missing session is not an error. The attempt starts a new session and says so. Its prompt is complete by itself.
 * N2 Only this user can read the files. They hold everything that the agent read, and nothing redacts them.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HarnessEvent } from "../../ports/harness.ts";
import { agentFileBytes, copyAgentFile } from "../system/agent-files.ts";

/** Session ids come from a CLI's output and become file names and arguments. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{5,100}$/;
export const sessionBytesMax = 64 * 1024 * 1024;
const retentionMs = 14 * 24 * 3_600_000;

export interface Sessions {
  /**
   * Keeps a copy of the CLI's file, and of the files next to it with these endings. Silently skips a file that is
   * missing, too large, or reached by a link. `root`: the agent can write from this folder on. Absent: the file's own
   * folder.
   */
  keep(harness: string, sessionId: string, path: string, besides?: readonly string[], root?: string): void;
  /** Puts the copy where the CLI looks for it. False: there is no copy. */
  place(harness: string, sessionId: string, path: string, besides?: readonly string[]): boolean;
}

function isSessionId(id: string): boolean {
  return idPattern.test(id);
}

export function createSessions(rootDir: string): Sessions {
  const pathOf = (harness: string, sessionId: string): string => join(rootDir, harness, `${sessionId}.jsonl`);
  return {
    keep(harness, sessionId, path, besides = [], root = dirname(path)) {
      if (!isSessionId(sessionId) || agentFileBytes(root, path) === null) return;
      const files = ["", ...besides];
      const bytes = files.reduce((sum, ending) => sum + (agentFileBytes(root, path + ending) ?? 0), 0);
      if (bytes > sessionBytesMax) return;
      const kept = pathOf(harness, sessionId);
      mkdirSync(dirname(kept), { recursive: true, mode: 0o700 });
      removeOld(dirname(kept));
      copyWhole(kept, besides, (ending) => copyAgentFile(root, path + ending, kept + ending, sessionBytesMax));
    },
    place(harness, sessionId, path, besides = []) {
      if (!isSessionId(sessionId)) return false;
      if (existsSync(path)) return true;
      const kept = pathOf(harness, sessionId);
      if (!existsSync(kept)) return false;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      copyWhole(path, besides, (ending) => copyOwn(kept + ending, path + ending));
      return true;
    },
  };
}

/** Only sessions in the attempt's own home can be resumed. */
export const noSessions: Sessions = {
  keep: () => {},
  place: (_, sessionId, path) => isSessionId(sessionId) && existsSync(path),
};

/** Copies the file itself last, after the files next to it. A reader who finds it finds all of them. */
function copyWhole(to: string, besides: readonly string[], copy: (ending: string) => boolean): void {
  rmSync(to, { force: true });
  for (const ending of besides) if (!copy(ending)) rmSync(to + ending, { force: true });
  copy("");
}

function copyOwn(from: string, to: string): boolean {
  if (!existsSync(from)) return false;
  copyFileSync(from, to);
  return true;
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

/** The session to resume, or null. On null the attempt starts a new session and says so (N1). */
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
