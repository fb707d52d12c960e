/** Commits of the state, with a real git. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CallEnd, CallSpec } from "../../ports/child.ts";
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

const answered: CallEnd = {
  exitCode: 0,
  signal: null,
  missing: false,
  timedOut: false,
  aborted: false,
  flooded: false,
  silent: false,
  denied: null,
  durationMs: 0,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
};

it.each<[string, (call: CallSpec) => Promise<CallEnd>]>([
  ["none", async () => answered],
  [
    "one of two",
    async ({ onErrorText }) => {
      onErrorText?.(`${"a".repeat(40)}\n`);
      return answered;
    },
  ],
  [
    "one too many",
    async ({ onErrorText }) => {
      onErrorText?.(`${"a".repeat(40)}\n`.repeat(3));
      return answered;
    },
  ],
  [
    "one, and a reason instead of the other",
    async ({ onErrorText }) => {
      onErrorText?.(`${"a".repeat(40)}\nfatal: disk full\n`);
      return { ...answered, stderr: Buffer.from("fatal: disk full\n") };
    },
  ],
])(
  "a commit that git does not name is an error, because a missing name would remove its ref: %s",
  async (_, answer) => {
    const call = children.call.bind(children);
    vi.spyOn(children, "call").mockImplementation((spec) =>
      spec.command.includes("fast-import") ? answer(spec) : call(spec),
    );
    await expect(remote().commit([one, { ...one, message: "two\n" }])).rejects.toMatchObject({
      code: "BATON_GIT_FAILED",
    });
  },
);

it("a file of the state that git does not give, or not whole, is an error and never empty", async () => {
  const [made = ""] = await remote().commit([one]);
  const oid = git("rev-parse", `${made}:a.txt`);
  expect(await remote().objects([oid, oid])).toEqual(new Map([[oid, "a\n"]]));
  for (const other of ["0".repeat(40), made])
    await expect(remote().objects([oid, other])).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
  vi.spyOn(children, "call").mockImplementation(async () => ({
    ...answered,
    stdout: Buffer.from(`${oid} blob 9\na\n`),
  }));
  await expect(remote().objects([oid])).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
});
