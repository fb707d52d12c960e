/** Baton sees more than an agent. No link that an agent planted makes Baton read or write for the agent. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noTokens } from "../../core/vocabulary.ts";
import { readWorkspaceFile, writeWorkspaceFile } from "../harness/acp/files.ts";
import { rolloutPath, sessionTokens } from "../harness/codex/rollout.ts";
import { moveSession } from "../harness/opencode/database.ts";
import { createSessions } from "../harness/sessions.ts";
import { findAgentFile, readAgentFile } from "./agent-files.ts";

let directory: string;
let home: string;
/** The place where the CLI keeps its session, two folders below the home. */
let session: string;
/** A file that the agent may not see. */
let secret: string;
const count = JSON.stringify({
  payload: { type: "token_count", info: { total_token_usage: { input_tokens: 5, output_tokens: 7 } } },
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-agent-files-"));
  home = join(directory, "home");
  session = join(home, "cli", "sessions", "session-1.jsonl");
  secret = join(directory, "outside", "session-1.jsonl");
  for (const path of [session, secret]) mkdirSync(dirname(path), { recursive: true });
  writeFileSync(secret, count);
  writeFileSync(session, count);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const plants: [name: string, plant: () => void][] = [
  ["a link in the place of the file", () => replace(session, () => symlinkSync(secret, session))],
  ["a relative link", () => replace(session, () => symlinkSync("../../../outside/session-1.jsonl", session))],
  [
    "a link in the place of its folder",
    () => replace(dirname(session), () => symlinkSync(dirname(secret), dirname(session))),
  ],
  [
    "a link in the place of a folder above",
    () => {
      mkdirSync(join(directory, "outside", "sessions"));
      linkSync(secret, join(directory, "outside", "sessions", "session-1.jsonl"));
      replace(join(home, "cli"), () => symlinkSync(join(directory, "outside"), join(home, "cli")));
    },
  ],
  [
    "a link to a link",
    () => replace(session, () => (symlinkSync(secret, join(home, "b")), symlinkSync(join(home, "b"), session))),
  ],
  ["a second name of another file", () => replace(session, () => linkSync(secret, session))],
  ["a pipe that nobody writes to", () => replace(session, () => execFileSync("mkfifo", [session]))],
  ["a folder", () => replace(session, () => mkdirSync(session))],
  ["a device", () => replace(session, () => symlinkSync("/dev/zero", session))],
  ["a terabyte of nothing", () => truncateSync(session, 2 ** 40)],
];
function replace(path: string, make: () => void): void {
  rmSync(path, { recursive: true, force: true });
  make();
}

describe.each(plants)("%s", (_, plant) => {
  it("is not kept as a session, and takes no old one away", () => {
    const sessions = createSessions(join(directory, "kept"));
    sessions.keep("pi", "session-1", session, [], home);
    plant();
    sessions.keep("pi", "session-1", session, [], home);
    sessions.keep("pi", "session-2", session, [], home);
    expect(readdirSync(join(directory, "kept", "pi"))).toEqual(["session-1.jsonl"]);
  });

  it("is not read", () => {
    expect(readAgentFile(home, session, 1_000)?.toString()).toBe(count);
    plant();
    expect(readAgentFile(home, session, 1_000)).toBeNull();
    // Baton reads the end only of a regular file.
    expect(sessionTokens(session, home)).toEqual(noTokens);
  });
});

describe("beside a session", () => {
  it("a link in the place of a database's log is not kept", () => {
    symlinkSync(secret, `${session}-wal`);
    const sessions = createSessions(join(directory, "kept"));
    sessions.keep("opencode", "session-1", session, ["-wal"], home);
    expect(readdirSync(join(directory, "kept", "opencode"))).toEqual(["session-1.jsonl"]);
  });

  it.each(["", "-wal", "-shm", "-journal"])(
    "OpenCode's database with a link at its ending %j is not opened",
    async (ending) => {
      const path = join(home, "opencode.db");
      const made = new DatabaseSync(path);
      made.exec(
        "CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT); INSERT INTO session VALUES ('ses_one', '/old')",
      );
      made.close();
      const outside = join(directory, "outside", "file");
      if (ending === "") renameSync(path, outside);
      else writeFileSync(outside, "untouched");
      const before = readFileSync(outside);
      symlinkSync(outside, path + ending);
      expect(await moveSession(path, "ses_one", "/new")).toBe(false);
      expect(readFileSync(outside)).toEqual(before);
      expect(existsSync(path)).toBe(false);
    },
  );
});

describe("the search for a session's file", () => {
  const codex = (): string => join(home, "codex");
  const rollout = (folder: string): string => {
    const path = join(folder, "2026", "11", "30", "rollout-x-session-1.jsonl");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, count);
    return path;
  };

  it("finds it where it belongs", () => {
    const path = rollout(join(codex(), "sessions"));
    expect(rolloutPath(codex(), "session-1", home)).toBe(path);
  });

  it("does not leave by a link, nor go round in a circle", () => {
    rollout(join(directory, "outside"));
    mkdirSync(join(codex(), "sessions", "2026"), { recursive: true });
    symlinkSync(join(directory, "outside", "2026", "11"), join(codex(), "sessions", "2026", "11"));
    symlinkSync(join(codex(), "sessions"), join(codex(), "sessions", "circle"));
    symlinkSync("/", join(codex(), "sessions", "all"));
    expect(rolloutPath(codex(), "session-1", home)).toBeNull();
  });

  it("does not begin behind a link", () => {
    rollout(join(directory, "outside", "sessions"));
    symlinkSync(join(directory, "outside"), codex());
    expect(rolloutPath(codex(), "session-1", home)).toBeNull();
  });

  it("ends in a folder of very many files", () => {
    const many = join(home, "many");
    mkdirSync(many);
    for (let index = 0; index <= 10_000; index += 1) writeFileSync(join(many, `${index}`), "");
    expect(findAgentFile(home, many, 3, (name) => name === "none")).toBeNull();
  });
});

describe("files that an agent asks for by protocol", () => {
  it("a folder that becomes a link after the check leads nowhere", async () => {
    mkdirSync(join(home, "folder"));
    writeFileSync(join(home, "folder", "session-1.jsonl"), "own");
    expect(await readWorkspaceFile(home, "folder/session-1.jsonl")).toBe("own");
    const reading = readWorkspaceFile(home, "folder/session-1.jsonl");
    const writing = writeWorkspaceFile(home, "folder/session-1.jsonl", "changed");
    // The agent is faster: the check has begun, but Baton has not opened the path yet.
    renameSync(join(home, "folder"), join(home, "gone"));
    symlinkSync(join(directory, "outside"), join(home, "folder"));
    const [read] = await Promise.allSettled([reading, writing]);
    expect(read.status === "fulfilled" ? read.value : "").not.toBe(count);
    expect(readFileSync(secret, "utf8")).toBe(count);
  });

  it("a pipe does not hold Baton", async () => {
    execFileSync("mkfifo", [join(home, "pipe")]);
    await expect(readWorkspaceFile(home, "pipe")).rejects.toThrow();
    await expect(writeWorkspaceFile(home, "pipe", "x")).rejects.toThrow();
  });

  it("a new file in new folders, and a shorter one in the place of a longer", async () => {
    await writeWorkspaceFile(home, "new/deep/file.txt", "a longer text");
    await writeWorkspaceFile(home, "new/deep/file.txt", "short");
    expect(readFileSync(join(home, "new", "deep", "file.txt"), "utf8")).toBe("short");
  });
});
