/** docs/reference/invariants.md: the numbered promises of the modules, from the comments at their tops. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom } from "./table.ts";

const root = join(import.meta.dirname, "../..");
/** The local GitHub is left out: it is a test tool with its own promises. */
const folders = ["src", "processes"];
const excluded = /\.test\.ts$/;

export interface InvariantModule {
  path: string;
  /** The file's name, with enough folders before it to be unique. An invariant is `<name>.<code>`. */
  name: string;
  promises: Promised[];
}

export function invariantModules(): InvariantModule[] {
  const found = folders
    .flatMap((folder) => files(join(root, folder)))
    .filter((path) => !excluded.test(path))
    .map((path) => ({ path, promises: promisesOf(readFileSync(join(root, path), "utf8")) }))
    .filter(({ promises }) => promises.length > 0);
  const paths = found.map(({ path }) => path);
  return found.map(({ path, promises }) => ({ path, name: shortName(path, paths), promises }));
}

function shortName(path: string, paths: readonly string[]): string {
  const parts = path.replace(/\.ts$/, "").split("/");
  for (let length = 1; length < parts.length; length += 1) {
    const name = parts.slice(-length).join("/");
    if (paths.filter((other) => `/${other}`.endsWith(`/${name}.ts`)).length === 1) return name.replaceAll("/", "-");
  }
  return parts.join("-");
}

export function invariantsReference(): GeneratedFile {
  const modules = invariantModules();
  const text = [
    "# Reference: invariants",
    "",
    generatedFrom("the comments at the tops of the modules"),
    "",
    "What each module promises. A module cites its own promise by its code, and the title of a test does so, too. Everywhere else the address is unique: `run-driver.L5` is L5 of the module `run-driver`.",
    "",
    ...modules.flatMap(({ path, name, promises }) => [
      `## ${path}`,
      "",
      ...promises.map(({ label, promise }) => `- **\`${name}.${label}\`** ${promise}`),
      "",
    ]),
  ].join("\n");
  return { path: "docs/reference/invariants.md", text };
}

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

interface Promised {
  label: string;
  promise: string;
}

/** `J1 A request …` in the first comment of a module. Indented lines continue it. */
function promisesOf(source: string): Promised[] {
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? "";
  const found: Promised[] = [];
  let open = false;
  for (const line of comment.split("\n")) {
    const [, label, promise] = /^ \* ([A-Z]{1,3}\d+) (.+)$/.exec(line) ?? [];
    const more = /^ \* {3,}(\S.*)$/.exec(line)?.[1];
    if (label !== undefined && promise !== undefined) {
      found.push({ label, promise });
      open = true;
    } else if (open && more !== undefined) {
      const last = found.at(-1) as Promised;
      last.promise = `${last.promise} ${more}`;
    } else open = false;
  }
  return found;
}
