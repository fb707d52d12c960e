/**
 * OpenCode's database of sessions. A session belongs to one directory. In another directory, the CLI would work in the
 * old one.
 *
 * OD1 An agent may have changed the file, so nothing in it is run. Baton does not touch a file with triggers or
 *     unexpected tables.
 */
import { lstatSync, rmSync } from "node:fs";

/** OpenCode does not close the database at its end. Most of the conversation is then still in the log next to it. */
export const databaseBesides = ["-wal"];

/** All files that SQLite opens. */
const databaseEndings = ["", "-wal", "-shm", "-journal"];

/** Moves the session to this directory. False: it cannot be moved, and the database is gone. */
export async function moveSession(path: string, sessionId: string, directory: string): Promise<boolean> {
  if (await isMoved(path, sessionId, directory).catch(() => false)) return true;
  for (const ending of databaseEndings) rmSync(path + ending, { force: true });
  return false;
}

async function isMoved(path: string, sessionId: string, directory: string): Promise<boolean> {
  // SQLite follows links, including links in place of its log.
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
