import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { children } from "../child/children.ts";
import { openPackageCaches } from "./package-caches.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "caches-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const key = (digit: string): string => digit.repeat(64);
const open = (more: { bytesMax?: number } = {}) => openPackageCaches({ children, root: join(folder, "root"), ...more });

async function made(name: string, text = "package"): Promise<string> {
  const directory = join(folder, name);
  await mkdir(join(directory, "npm"), { recursive: true });
  await writeFile(join(directory, "npm/one"), text);
  return directory;
}

test("what was saved is restored as a copy, for this repository and key only", async () => {
  const caches = open();
  const source = await made("source");
  expect(await caches.restore(1, key("a"), join(folder, "none"))).toBe(false);
  expect(await caches.save(1, key("a"), source)).toBe(true);
  await writeFile(join(source, "npm/one"), "poison");
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  expect(await caches.restore(1, key("a"), one)).toBe(true);
  await writeFile(join(one, "npm/one"), "poison");
  expect(await caches.restore(1, key("a"), two)).toBe(true);
  expect(await readFile(join(two, "npm/one"), "utf8")).toBe("package");
  expect(await caches.restore(2, key("a"), join(folder, "three"))).toBe(false);
  expect(await caches.restore(1, key("b"), join(folder, "three"))).toBe(false);
  expect(await readdir(folder)).not.toContain("three");
});

test("a cache is never written again", async () => {
  const caches = open();
  expect(await caches.save(1, key("a"), await made("first"))).toBe(true);
  expect(await caches.save(1, key("a"), await made("second", "poison"))).toBe(false);
  await caches.restore(1, key("a"), join(folder, "back"));
  expect(await readFile(join(folder, "back/npm/one"), "utf8")).toBe("package");
});

test("two writers at once leave one whole cache and nothing unfinished", async () => {
  const caches = open();
  const sources = await Promise.all([made("first"), made("second")]);
  const saved = await Promise.all(sources.map(async (source) => await caches.save(1, key("a"), source)));
  expect(saved.filter(Boolean)).toHaveLength(1);
  expect(await readdir(join(folder, "root/1"))).toEqual([key("a")]);
});

test("links stay links, and no program keeps another user's rights", async () => {
  const caches = open();
  const source = await made("source");
  const secret = join(folder, "secret");
  await writeFile(secret, "secret");
  await symlink(secret, join(source, "npm/link"));
  await symlink(folder, join(source, "up"));
  await chmod(join(source, "npm/one"), 0o6755);
  await caches.save(1, key("a"), source);
  await caches.restore(1, key("a"), join(folder, "back"));
  expect(await readlink(join(folder, "back/npm/link"))).toBe(secret);
  expect((await lstat(join(folder, "back/up"))).isSymbolicLink()).toBe(true);
  expect((await stat(join(folder, "back/npm/one"))).mode & 0o7777).toBe(0o755);
  expect((await stat(secret)).mode & 0o777).not.toBe(0o755);
});

test.each([
  [
    "a link in place of the directory",
    async (source: string) => await symlink(source, `${source}-link`).then(() => `${source}-link`),
  ],
  ["nothing", async (source: string) => `${source}-absent`],
  ["a file", async (source: string) => join(source, "npm/one")],
  [
    "a sparse file of 1 TB",
    async (source: string) => {
      await writeFile(join(source, "huge"), "");
      await truncate(join(source, "huge"), 1024 ** 4);
      return source;
    },
  ],
])("%s is not kept", async (_, change) => {
  const caches = open();
  expect(await caches.save(1, key("a"), await change(await made("source")))).toBe(false);
  expect(await caches.restore(1, key("a"), join(folder, "back"))).toBe(false);
});

test("more bytes than the bound are not kept", async () => {
  expect(await open({ bytesMax: 5_000 }).save(1, key("a"), await made("small"))).toBe(false);
  expect(await open({ bytesMax: 50_000 }).save(1, key("a"), await made("same"))).toBe(true);
});

test.each([
  ["a link", async (path: string) => await symlink(folder, path)],
  ["a directory", async (path: string) => await mkdir(path).then(() => {})],
])("nothing is restored over %s", async (_, plant) => {
  const caches = open();
  await caches.save(1, key("a"), await made("source"));
  const target = join(folder, "target");
  await plant(target);
  expect(await caches.restore(1, key("a"), target)).toBe(false);
  expect(await readdir(folder)).not.toContain("npm");
});

test("of a repository the three latest stay, and prune removes what nothing used", async () => {
  const caches = open();
  const source = await made("source");
  for (const [index, digit] of ["a", "b", "c"].entries()) {
    await caches.save(1, key(digit), source);
    const then = new Date(Date.UTC(2026, 0, index + 1));
    await utimes(join(folder, "root/1", key(digit)), then, then);
  }
  await caches.restore(1, key("a"), join(folder, "used"));
  await caches.save(1, key("d"), source);
  expect((await readdir(join(folder, "root/1"))).sort()).toEqual([key("a"), key("c"), key("d")]);
  await caches.prune(new Date(Date.UTC(2026, 0, 10)));
  expect((await readdir(join(folder, "root/1"))).sort()).toEqual([key("a"), key("d")]);
});

test.each([
  [1, "../../etc"],
  [1, ""],
  [1, "A".repeat(64)],
  [Number.NaN, "a".repeat(64)],
])("a name that is not a repository and a hash is refused: %s %s", async (repositoryId, name) => {
  await expect(open().save(repositoryId, name, await made("source"))).rejects.toThrow("not a cache's name");
});
