/** Where a CLI keeps its conversation, an agent plants something else for Baton to read. */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSessions } from "../../../../src/adapters/harness/sessions.ts";
import { type Cause, defineCause } from "../cause.ts";

const ways = [
  "link",
  "link to a link",
  "folder is a link",
  "folder above is a link",
  "second name",
  "relative link",
  "beside",
] as const;
const secret = "the-operator's-own-file";

const planted = defineCause<{ how: (typeof ways)[number]; id: string }>({
  name: "session of an agent that is a way to another file",
  surface: "agent",
  guard: "src/adapters/system/agent-files.ts AF1, AF2: no link is followed, and a file with two names is none",
  fixed: ways.map((how) => ({ how, id: "session-1" })),
  draw: (draw) => ({ how: draw.one(ways), id: `${draw.word(8)}-${draw.whole(1, 999)}` }),
  attack({ how, id }, guarded) {
    const root = mkdtempSync(join(tmpdir(), "baton-adversary-"));
    try {
      const [outside, home, kept] = [join(root, "outside"), join(root, "home"), join(root, "kept")];
      const folder = join(home, ".claude", "projects");
      mkdirSync(outside);
      mkdirSync(folder, { recursive: true });
      const target = join(outside, `${id}.jsonl`);
      const path = join(folder, `${id}.jsonl`);
      writeFileSync(target, secret);
      if (how === "link") symlinkSync(target, path);
      if (how === "relative link") symlinkSync(join("..", "..", "..", "outside", `${id}.jsonl`), path);
      if (how === "second name") linkSync(target, path);
      if (how === "link to a link") {
        symlinkSync(target, join(home, "step"));
        symlinkSync(join(home, "step"), path);
      }
      if (how === "folder is a link" || how === "folder above is a link") {
        const replaced = how === "folder is a link" ? folder : join(home, ".claude");
        rmSync(replaced, { recursive: true });
        if (how === "folder above is a link") {
          mkdirSync(join(outside, "projects"));
          renameSync(target, join(outside, "projects", `${id}.jsonl`));
        }
        symlinkSync(outside, replaced);
      }
      if (how === "beside") {
        writeFileSync(path, "{}\n");
        symlinkSync(target, `${path}-wal`);
      }
      const files = [path, `${path}-wal`];
      if (guarded) createSessions(kept).keep("claude-code", id, path, ["-wal"], home);
      else {
        mkdirSync(join(kept, "claude-code"), { recursive: true });
        for (const [index, file] of files.entries())
          if (existsSync(file))
            copyFileSync(file, join(kept, "claude-code", `${id}.jsonl${index === 0 ? "" : "-wal"}`));
      }
      const copies = ["", "-wal"].map((ending) => join(kept, "claude-code", `${id}.jsonl${ending}`));
      return copies.some((copy) => existsSync(copy) && readFileSync(copy, "utf8").includes(secret))
        ? "the file is kept as a conversation"
        : null;
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
});

export const sessionCauses: readonly Cause[] = [planted];
