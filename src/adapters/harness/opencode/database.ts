/**
 * OpenCode's database of sessions. A session in it belongs to one directory: in another, the CLI would work in the old one.
 *
 * OD1 The file may have been changed by an agent: nothing in it is run. One with triggers or made-up tables is not touched.
 */
import { lstatSync, rmSync } from "node:fs";

/** OpenCode leaves it unclosed at its end: most of what was said is then still in the log beside. */
export const databaseBesides = ["-wal"];

/** All that SQLite opens. */
const databaseEndings = ["", "-wal", "-shm", "-journal"];

/** Makes the session one of this directory; false: it cannot be one, and the database is gone. */
export async function moveSession(path: string, sessionId: string, directory: string): Promise<boolean> {
  if (await isMoved(path, sessionId, directory).catch(() => false)) return true;
  for (const ending of databaseEndings) rmSync(path + ending, { force: true });
  return false;
}

async function isMoved(path: string, sessionId: string, directory: string): Promise<boolean> {
  // SQLite follows links, also those of its log.
  const files = databaseEndings.map((ending) => lstatSync(path + ending, { throwIfNoEntry: false }));
  if (files.some((found) => found !== undefined && !(found.isFile() && found.nlink === 1))) return false;
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA trusted_schema = OFF");
    // OD1
    const made =
      "SELECT 1 FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR (type = 'table' AND rootpage = 0)";
    if (database.prepare(made).get() !== undefined) return false;
    const { changes } = database.prepare("UPDATE session SET directory = ? WHERE id = ?").run(directory, sessionId);
    return changes === 1;
  } finally {
    database.close();
  }
}
