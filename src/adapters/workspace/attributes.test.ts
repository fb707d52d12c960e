import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  currentGit,
  type Files,
  settings,
  type WorkspaceWorld,
  workspaceWorld,
} from "../../../test/workspace-world.ts";

it.skipIf(currentGit === null)("a current git is there too (BATON_TEST_GIT)", () => expect(currentGit).toMatch(/^\//));

const attributes = `*.bat text eol=crlf
*.txt text=auto
*.rc text working-tree-encoding=UTF-16LE
*.be text working-tree-encoding=UTF-16BE
*.u32 text working-tree-encoding=UTF-32
*.id ident
*.sub export-subst
*.bin -text
*.old crlf
*.psd filter=lfs diff=lfs merge=lfs -text
`;
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12345\n`;
/** The files as the repository stores them, byte for byte. */
const stored: Files = {
  "run.bat": "echo a\necho b\n",
  "crlf-in-the-blob.bat": "echo a\r\necho b\r\n",
  "mixed.txt": "a\r\nb\n",
  "a.rc": "caf\u00e9\n",
  "b.be": "caf\u00e9\n",
  "c.u32": "caf\u00e9\n",
  "not-utf8.rc": Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  "x.id": "$Id$\n",
  "y.id": "$Id: left by somebody $\n",
  "z.sub": "$Format:%H$\n",
  "raw.bin": Buffer.from([0, 13, 10, 10, 255]),
  "o.old": "a\nb\n",
  "p.psd": pointer,
  "Mixed-Case.md": "x\n",
  ".gitattributes": attributes,
};

describe.each(settings)("$name", (setting) => {
  let world: WorkspaceWorld;
  afterEach(() => world.end());
  const begin = async (): Promise<string> => {
    world = await workspaceWorld(setting, {}, (seed, sh) => {
      // `hash-object` without filters. Agents get a clone of such a repository.
      const info: string[] = [];
      for (const [path, content] of Object.entries(stored)) {
        writeFileSync(join(seed, "blob"), content);
        info.push(sh(seed, "hash-object", "-w", "--no-filters", "blob"), path);
      }
      for (let at = 0; at < info.length; at += 2)
        sh(seed, "update-index", "--add", "--cacheinfo", `100644,${info[at]},${info[at + 1]}`);
    });
    return (await world.create()).path;
  };

  it("eol-attributes-rewrite-files: an untouched tree is unchanged, whatever its attributes", async () => {
    const path = await begin();
    expect(readFileSync(join(path, "run.bat"), "utf8")).toBe("echo a\r\necho b\r\n");
    expect(readFileSync(join(path, "a.rc")).length).toBe(10);
    expect(await world.stray()).toEqual([]);
    expect(await world.bring()).toEqual({ headSha: null, commits: 0, files: [], rescued: false });
  });

  it("eol-attributes-rewrite-files: one added file is a commit of one file, also after a new `.gitattributes`", async () => {
    const path = await begin();
    writeFileSync(join(path, "new.js"), "new\n");
    expect((await world.bring()).files).toEqual([{ path: "new.js", added: 1, removed: 0 }]);
    writeFileSync(join(path, ".gitattributes"), "* -text\n");
    expect((await world.bring()).files.map((file) => file.path)).toEqual([".gitattributes", "new.js"]);
    expect(await world.stray()).toEqual([".gitattributes", "new.js"]);
  });

  it("eol-attributes-rewrite-files: an edited file is stored as its attributes say", async () => {
    const path = await begin();
    writeFileSync(join(path, "run.bat"), "echo a\r\necho B\r\n");
    writeFileSync(join(path, "a.rc"), Buffer.from("caf\u00e9!\n", "utf16le"));
    writeFileSync(join(path, "x.id"), "$Id: 1234 $\nmore\n");
    writeFileSync(join(path, "new.bat"), "echo new\r\n");
    writeFileSync(join(path, "broken.rc"), Buffer.from([0x00, 0xd8, 0x41]));
    chmodSync(join(path, "mixed.txt"), 0o755);
    renameSync(join(path, "Mixed-Case.md"), join(path, "mixed-case.md"));
    const { headSha, files } = await world.bring();
    expect(files).toEqual([
      { path: "Mixed-Case.md", added: 0, removed: 1 },
      { path: "a.rc", added: 1, removed: 1 },
      { path: "broken.rc", added: null, removed: null },
      { path: "mixed-case.md", added: 1, removed: 0 },
      { path: "mixed.txt", added: 0, removed: 0 },
      { path: "new.bat", added: 1, removed: 0 },
      { path: "run.bat", added: 1, removed: 1 },
      { path: "x.id", added: 1, removed: 0 },
    ]);
    expect(world.blob(headSha as string, "run.bat").toString()).toBe("echo a\necho B\n");
    expect(world.blob(headSha as string, "new.bat").toString()).toBe("echo new\n");
    expect(world.blob(headSha as string, "a.rc").toString()).toBe("caf\u00e9!\n");
    expect(world.blob(headSha as string, "broken.rc")).toEqual(Buffer.from([0x00, 0xd8, 0x41]));
  });

  it("eol-attributes-rewrite-files: an agent whose git writes CRLF changes what it edits, no more", async () => {
    world = await workspaceWorld(setting, { "a.txt": "one\ntwo\n", "b.txt": "one\n", "c.txt": "c\n" });
    const { path } = await world.create();
    world.sh(path, "config", "core.autocrlf", "true");
    for (const name of ["a.txt", "b.txt"]) writeFileSync(join(path, name), "");
    world.sh(path, "checkout", "a.txt", "b.txt");
    expect(readFileSync(join(path, "b.txt"), "utf8")).toBe("one\r\n");
    expect(await world.stray()).toEqual([]);
    writeFileSync(join(path, "a.txt"), "one\r\nTWO\r\n");
    expect((await world.bring()).files).toEqual([{ path: "a.txt", added: 1, removed: 1 }]);
  });

  it("Git LFS: pointers stay; a new file or pointer for it is refused by name", async () => {
    const path = await begin();
    renameSync(join(path, "p.psd"), join(path, "moved.psd"));
    expect((await world.bring()).files.map((file) => file.path)).toEqual(["moved.psd", "p.psd"]);
    const refused = (name: string) =>
      expect(world.bring()).rejects.toMatchObject({
        code: "BATON_TREE_REFUSED",
        message: expect.stringMatching(new RegExp(`"${name}".*Git LFS.*git lfs`)),
      });
    writeFileSync(join(path, "new.psd"), pointer.replace("aaaa", "bbbb"));
    await refused("new\\.psd");
    writeFileSync(join(path, "new.psd"), "picture");
    world.sh(path, "add", "new.psd");
    world.sh(path, "commit", "-qm", "Add a picture");
    await refused("new\\.psd");
  });
});
