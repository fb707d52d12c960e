/**
 * Builds the command line and the Probot application as JavaScript: `node tools/bundle-cli.ts [directory]`. Node runs TypeScript
 * from a clone, but not from `node_modules`: what is installed as a package needs this. `npm pack` makes it, and so does an
 * install from git.
 */
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** `directory` lies two below the package's root, as `src/cli` does: files beside the code are found from there. */
export async function bundleCli(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { main: "src/cli/main.ts", "probot-app": "src/app/probot-app.ts" },
    outdir: directory,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node24",
    format: "esm",
    splitting: true,
    chunkNames: "[name]-[hash]",
    sourcemap: "linked",
    logLevel: "warning",
  });
  await copyFile(join(root, "src/demo/scripted-agent.mjs"), join(directory, "scripted-agent.mjs"));
}

if (import.meta.main) await bundleCli(process.argv[2] ?? join(root, "dist/cli"));
