import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseBesides, moveSession } from "./opencode/database.ts";
import { createSessions, resumable } from "./sessions.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-sessions-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (path: string, text: string): string => {
  const whole = join(directory, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
};
const read = (path: string): string | null =>
  existsSync(join(directory, path)) ? readFileSync(join(directory, path), "utf8") : null;

describe("sessions", () => {
  it("one that was kept is there in the next attempt's home, readable by nobody else", () => {
    const sessions = createSessions(join(directory, "kept"));
    sessions.keep("pi", "session-1", file("home-1/a.jsonl", "said"));
    expect(sessions.place("pi", "session-1", join(directory, "home-2", "deep", "b.jsonl"))).toBe(true);
    expect(read("home-2/deep/b.jsonl")).toBe("said");
    expect(statSync(join(directory, "kept", "pi")).mode & 0o077).toBe(0);
  });

  it("files beside come and go with it: an old log is not put to a new database", () => {
    const sessions = createSessions(join(directory, "kept"));
    const path = file("home-1/a.db", "one");
    file("home-1/a.db-wal", "log of one");
    sessions.keep("opencode", "session-1", path, ["-wal"]);
    sessions.place("opencode", "session-1", join(directory, "home-2/a.db"), ["-wal"]);
    expect([read("home-2/a.db"), read("home-2/a.db-wal")]).toEqual(["one", "log of one"]);

    rmSync(join(directory, "home-2/a.db-wal"));
    file("home-2/a.db", "two");
    sessions.keep("opencode", "session-1", join(directory, "home-2/a.db"), ["-wal"]);
    file("home-3/a.db-wal", "of something else");
    sessions.place("opencode", "session-1", join(directory, "home-3/a.db"), ["-wal"]);
    expect([read("home-3/a.db"), read("home-3/a.db-wal")]).toEqual(["two", null]);
  });

  it.each(["../../etc/passwd", "-rf", "a", "x/y/z-session", ""])("an id like %j names no file", (id) => {
    const sessions = createSessions(join(directory, "kept"));
    sessions.keep("pi", id, file("home-1/a.jsonl", "said"));
    expect(existsSync(join(directory, "kept"))).toBe(false);
    expect(sessions.place("pi", id, join(directory, "b.jsonl"))).toBe(false);
  });

  it("N1: one that is not here is told, and is none", () => {
    const events: unknown[] = [];
    const sessions = createSessions(join(directory, "kept"));
    const path = join(directory, "home", "a.jsonl");
    expect(resumable(sessions, "pi", "session-1", path, (event) => events.push(event))).toBeNull();
    expect(events).toEqual([{ type: "warning", text: expect.stringContaining("begins a new one") }]);
    expect(resumable(sessions, "pi", null, path, (event) => events.push(event))).toBeNull();
    expect(events).toHaveLength(1);
  });
});

describe("OpenCode's database", () => {
  const database = (sql: string): string => {
    const path = join(directory, "opencode.db");
    const made = new DatabaseSync(path);
    made.exec(`PRAGMA journal_mode = WAL; ${sql}`);
    made.close();
    return path;
  };
  const sessionTable = `CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT);
    INSERT INTO session VALUES ('ses_one', '/old'), ('ses_two', '/old');`;
  const directories = (path: string): unknown[] => {
    const opened = new DatabaseSync(path);
    const rows = opened.prepare("SELECT directory FROM session ORDER BY id").all();
    opened.close();
    return rows.map((row) => row["directory"]);
  };

  it("a session moves to the attempt's directory, others stay", async () => {
    const path = database(sessionTable);
    expect(await moveSession(path, "ses_one", "/new")).toBe(true);
    expect(directories(path)).toEqual(["/new", "/old"]);
  });

  const trap = `CREATE TRIGGER trap AFTER UPDATE ON session BEGIN
    INSERT INTO session SELECT hex(randomblob(16)), '/' FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n); END;`;
  it.each([
    ["a trigger, which would run for ever", sessionTable + trap],
    ["a view in the place of the table", "CREATE VIEW session AS SELECT 'ses_one' AS id, '/old' AS directory;"],
    ["a made-up table", `${sessionTable} CREATE VIRTUAL TABLE words USING fts5(text);`],
    ["no such session", sessionTable.replaceAll("ses_one", "ses_three")],
    ["no such table", "CREATE TABLE other (id TEXT);"],
  ])("OD1: one with %s is not used", async (_, sql) => {
    const path = database(sql);
    expect(await moveSession(path, "ses_one", "/new")).toBe(false);
    for (const ending of ["", ...databaseBesides, "-shm"]) expect(existsSync(path + ending)).toBe(false);
  });

  it("OD1: what is no database is not used", async () => {
    const path = file("opencode.db", "SQLite format 3 and then nothing of the kind");
    expect(await moveSession(path, "ses_one", "/new")).toBe(false);
    expect(existsSync(path)).toBe(false);
  });
});
