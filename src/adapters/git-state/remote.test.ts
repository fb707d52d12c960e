/** Commits of the state, with a real git. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { children } from "../child/children.ts";
import { StateRemote } from "./remote.ts";

let root: string;
let gitDir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "baton-remote-"));
  gitDir = join(root, "state.git");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});
const git = (...args: string[]): string =>
  execFileSync("git", ["--git-dir", gitDir, ...args], { encoding: "utf8" }).trim();
const remote = (): StateRemote => new StateRemote({ gitDir, url: root, token: async () => null });
const one = { parent: null, message: "one\n", at: 0, files: new Map([["a.txt", "a\n"]]) };

it("a commit may name one of the same call: both are made by one process", async () => {
  const call = vi.spyOn(children, "call");
  const made = await remote().commit([
    one,
    { ...one, message: "two\n", files: (before) => new Map([["mark.txt", `${before.join()}\n`]]) },
    { ...one, files: new Map([["large.txt", "x".repeat(3_000_000)]]) },
  ]);
  expect(call.mock.calls.filter(([{ command }]) => command.includes("fast-import"))).toHaveLength(1);
  const [first = "", second = "", third = ""] = made;
  expect(git("show", `${second}:mark.txt`)).toBe(first);
  expect(git("show", `${first}:a.txt`)).toBe("a");
  expect(git("cat-file", "-s", `${third}:large.txt`)).toBe("3000000");
  const [next = ""] = await remote().commit([{ ...one, parent: second, files: new Map([["mark.txt", null]]) }]);
  expect(git("rev-parse", `${next}^`)).toBe(second);
  expect(git("ls-tree", "--name-only", next)).toBe("");
});

it("nothing to commit starts no process; what git refuses is an error, and no call is left hanging", async () => {
  const call = vi.spyOn(children, "call");
  expect(await remote().commit([])).toEqual([]);
  expect(call).not.toHaveBeenCalled();
  await expect(remote().commit([one, { ...one, parent: "0".repeat(39) }])).rejects.toMatchObject({
    code: "BATON_GIT_FAILED",
  });
});
