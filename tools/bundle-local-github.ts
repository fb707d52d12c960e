/**
 * Builds the contents of `npm pack` in `packages/local-github`: the demo as JavaScript, with its part of Baton inside, so
 * that it fits no matter which Baton is installed. Only PGlite stays outside.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleFor } from "./bundle-package.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const home = "packages/local-github";

/** Programs of their own that the code starts by path. */
const programs = ["demo/scripted-agent.mjs", "src/pre-receive.mjs"];

if (import.meta.main) {
  const directory = process.argv[2] ?? join(root, home, "dist");
  await mkdir(directory, { recursive: true });
  const scripts = join(directory, "js");
  await bundleFor({ main: `${home}/demo/main.ts` }, scripts, ["@electric-sql/pglite", "pg-native"]);
  for (const path of programs) await copyFile(join(root, home, path), join(scripts, path.split("/").at(-1) as string));
}
