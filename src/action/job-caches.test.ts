import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { children } from "../adapters/child/children.ts";
import { openPackageCaches } from "../adapters/sandbox/package-caches.ts";
import { jobCaches } from "./job-caches.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "job-caches-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const key = "a".repeat(64);
/** A job with the directory that the platform restored for it. */
const job = (root = "kept") => jobCaches(openPackageCaches({ children, root: join(folder, root) }));
async function downloaded(name: string): Promise<string> {
  const directory = join(folder, name);
  await mkdir(join(directory, "npm"), { recursive: true });
  await writeFile(join(directory, "npm/one"), "package");
  return directory;
}

it("what a setup saved is to be kept, and the next job restores it; it has nothing new to keep", async () => {
  const first = job();
  expect(first.toKeep()).toBeNull();
  expect(await first.caches.save(7, key, await downloaded("made"))).toBe(true);
  expect(first.toKeep()).toBe(key);
  const next = job();
  expect(await next.caches.restore(7, key, join(folder, "copy"))).toBe(true);
  expect(await readFile(join(folder, "copy/npm/one"), "utf8")).toBe("package");
  // An agent changes only its own copy: the cache never contains its changes.
  await writeFile(join(folder, "copy/npm/one"), "poison");
  expect(await next.caches.save(7, key, join(folder, "copy"))).toBe(false);
  expect(next.toKeep()).toBeNull();
  expect(await job().caches.restore(7, key, join(folder, "again"))).toBe(true);
  expect(await readFile(join(folder, "again/npm/one"), "utf8")).toBe("package");
});

it.each([
  ["before the setup", true],
  ["after it", false],
])("JC1: where something ran outside the sandbox %s, nothing is kept", async (_, before) => {
  const one = job();
  if (before) one.noteUnconfined();
  await one.caches.save(7, key, await downloaded("made"));
  if (!before) one.noteUnconfined();
  expect(one.toKeep()).toBeNull();
});

it("another repository's setup, and one of other files, find nothing", async () => {
  await job().caches.save(7, key, await downloaded("made"));
  expect(await job().caches.restore(8, key, join(folder, "other"))).toBe(false);
  expect(await job().caches.restore(7, "b".repeat(64), join(folder, "other"))).toBe(false);
});
