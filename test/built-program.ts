/**
 * Programs that tests start again and again, built once for a test run. Node reads that in a quarter of the time that
 * several hundred sources need.
 */
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { bundleAction } from "../tools/bundle-action.ts";
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

/** The path of the program in one file. */
export const builtProgram = (source: string): Promise<string> =>
  once(`${basename(source, ".ts")}.mjs`, (path) => bundleProgram(source, path));

/** The directory of the Action's `main.js` and `post.js`. `bundle.test.ts` compares the committed bundle. */
export const builtAction = (): Promise<string> =>
  once("action", async (path) => {
    await bundleAction(path);
    writeFileSync(join(path, "package.json"), '{"type":"module"}');
  });

function once(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const known = builds.get(name) ?? makeOnce(name, make);
  builds.set(name, known);
  return known;
}

async function makeOnce(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(process.env[scratchVariable] ?? mkdtempSync(join(tmpdir(), "baton-program-")), name);
  if (existsSync(path)) return path;
  const own = `${path}-${process.pid}`;
  await make(own);
  try {
    renameSync(own, path);
  } catch {
    // Another test file was faster.
    rmSync(own, { recursive: true, force: true });
  }
  return path;
}

async function bundleProgram(source: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile,
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
}
