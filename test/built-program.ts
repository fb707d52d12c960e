/**
 * Programs that tests start again and again, in one file each, built once for a test run. Node reads that in a quarter of
 * the time that several hundred sources need.
 */
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { scratchVariable } from "./scratch.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** It has files of its own next to its code. */
const outside = "@electric-sql/pglite";

/** Sources find other files from where they are, not from the built file. */
const places: Plugin = {
  name: "places",
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return null;
      const text = await readFile(path, "utf8");
      return { contents: text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)), loader: "ts" };
    });
    onResolve({ filter: new RegExp(`^${outside}$`) }, () => ({ path: import.meta.resolve(outside), external: true }));
  },
};

const builds = new Map<string, Promise<string>>();

/** The path of the built program. */
export function builtProgram(source: string): Promise<string> {
  const known = builds.get(source) ?? make(source);
  builds.set(source, known);
  return known;
}

async function make(source: string): Promise<string> {
  const directory = process.env[scratchVariable] ?? mkdtempSync(join(tmpdir(), "baton-program-"));
  const built = join(directory, `${basename(source, ".ts")}.mjs`);
  if (existsSync(built)) return built;
  const own = `${built}-${process.pid}`;
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: own,
    bundle: true,
    external: ["pg-native"],
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "warning",
    plugins: [places],
    // Packages of the older module system use these names, which a module does not have.
    banner: {
      js: 'import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url), __dirname = import.meta.dirname;',
    },
  });
  renameSync(own, built);
  return built;
}
